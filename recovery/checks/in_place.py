"""Whether the hold is in place, before a restore lifts any part of it, and once a claim was held by hand."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from cluster.hold.holding import hold_probe
from cluster.machines.absent import silent_servers
from engine.probe import Probe
from engine.step import BaseCheck, StepId
from house.model import House


@dataclass(frozen=True)
class InPlace(BaseCheck):
    """Policies, record and refusals on every API server."""

    house: House
    after: tuple[str, ...] = ()
    id = StepId("hold.in-place")
    title = "hold in place"

    @property
    def needs(self) -> tuple[str, ...]:
        return self.after

    def probe(self, look: LookContext) -> Probe:
        return hold_probe(look.hold, silent=silent_servers(look.proxmox, look.cluster, self.house))

    def by_hand(self) -> str:
        return "kubectl get validatingadmissionpolicybinding -l app.kubernetes.io/managed-by=blackstart   # seven of them"
