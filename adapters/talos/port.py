"""What is made of talconfig and the secrets bundle on the operator's own machine: signatures only, as in adapters/ports.py."""

from __future__ import annotations

from typing import Protocol

from adapters.talos.results import Authority


class MachineconfigsView(Protocol):
    """Rendered machineconfigs and the talosconfig in the house's state folder (made again from the secrets bundle any time)."""

    def digest(self, node: str) -> str:
        """Digest of the rendered file of this node, "" when it is not rendered."""

    def wanted(self) -> str:
        """Digest over all that rendering reads (talconfig, patches, versions, encrypted bundle)."""

    def rendered_from(self) -> str:
        """The `wanted` digest the present files were rendered from, "" when there are none or one is missing."""

    def kubeconfig_ok(self) -> bool:
        """Whether a kubeconfig of this house's Kubernetes CA and API URL is in the state folder."""

    def age_key_problem(self) -> str:
        """Why the age key cannot be used: absent, not the recipient of .sops.yaml, or it opens nothing; "" when it can."""
    def bundle_there(self) -> bool:
        """Whether anything is where the Talos secrets bundle should be, usable or not."""

    def bundle_problem(self) -> str:
        """Why the Talos secrets bundle cannot be used, "" when it decrypts and is whole."""

    def render_problem(self) -> str:
        """Why machineconfigs cannot be rendered, or which of them is not valid; "" where all are. What is rendered goes again."""

    def authorities(self) -> tuple[Authority, ...]:
        """The certificate authorities of the secrets bundle. PermanentError where it cannot be used."""


class Machineconfigs(MachineconfigsView, Protocol):
    def render(self) -> None: ...
    def make_bundle(self) -> None:
        """New Talos secrets, encrypted for the repository's recipients. Raises PermanentError where anything is already."""
