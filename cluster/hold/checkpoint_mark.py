"""The mark of a checkpoint on a claim's sources: it holds while the application rests, and goes before that starts."""

from __future__ import annotations

from adapters.volsync.port import Claims, ClaimsView
from adapters.volsync.trigger import CHECKPOINT, VOID, is_of
from cluster.hold.holding import sources_of
from house.model import BackedUpClaim


def marked(claims: ClaimsView, claim: BackedUpClaim) -> tuple[str, ...]:
    """The sources of the claim, by name, that bear it."""
    return tuple(name for name in sources_of(claim) if is_of(claims.source(claim.namespace, name).manual, CHECKPOINT))


def take_off(claims: Claims, claim: BackedUpClaim) -> None:
    """No source bears it: each has its schedule again, or where it has none another trigger, which saves once more."""
    for name in marked(claims, claim):
        if is_of(claims.back_up_now(claim.namespace, name, ""), CHECKPOINT) or name in marked(claims, claim):
            claims.back_up_now(claim.namespace, name, VOID)
