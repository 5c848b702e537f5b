"""1Password Connect: what external-secrets asks. Whether its credentials open the vault the stores of external-secrets say."""

from __future__ import annotations

from cluster.components.shape import Component

ONEPASSWORD = Component(
    key="onepassword-connect",
    title="1Password Connect",
    images=("1password/connect-api", "1password/connect-sync", "connect-api", "connect-sync"),
    charts=("connect-helm-charts/connect", "onepassword-connect"),
    must=("connect-api",),
    means="no secret is fetched anew: what is in the cluster stays, and a new application waits for its own",
)
