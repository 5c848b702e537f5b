"""Make the hold's policies before VolSync or Flux start, so that a rebuilt cluster cannot poison its backups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from cluster.by_hand import POLICIES_FILE
from cluster.hold.holding import hold_probe
from cluster.machines.absent import silent_servers
from engine.probe import Probe
from engine.step import BaseStep, Notes, StepId, if_any
from house.model import House


@dataclass(frozen=True)
class InstallHold(BaseStep):
    """Policies and bindings in place, and seen to refuse on every API server (they need up to a second to bite).

    `bootstraps`: it may be that this cluster is made anew. It is when no declared claim is alive and was never held.
    """

    house: House
    bootstraps: bool = False
    system = "kubernetes"
    id = StepId("hold.install")
    title = "hold in place"
    # Snapshots that are served already are refused in a trial; those that are not yet, only by their absence.
    needs = (if_any("hold.declare/*"), if_any("kubernetes.install-crds/*"), if_any("kubernetes.api-servers"))

    def probe(self, look: LookContext) -> Probe:
        return hold_probe(look.hold, silent=silent_servers(look.proxmox, look.cluster, self.house))

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        act.hold.install(rebuilt=self.bootstraps and not self._lives(act))

    def _lives(self, act: ActContext) -> bool:
        """Whether the house has data that nobody had to restore: then its other movers are at their everyday work."""
        record = act.hold.record()
        unheld = (c for c in (*self.house.claims, *self.house.held_kopia) if record.claim(c.namespace, c.claim) is None)
        return any(act.claims.claim(claim.namespace, claim.claim).alive for claim in unheld)

    def by_hand(self) -> str:
        # The runbook writes that file beside itself: by then this tool may be out of reach.
        return f"kubectl apply --server-side --field-manager=blackstart -f {POLICIES_FILE}   # it lies beside the runbook"


def steps(house: House, *, bootstraps: bool = False) -> Iterator[InstallHold]:
    """One for the house."""
    yield InstallHold(house, bootstraps)
