"""Whether the hold is in place, before a restore lifts any part of it."""

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
    id = StepId("hold.in-place")
    title = "hold in place"

    def probe(self, look: LookContext) -> Probe:
        return hold_probe(look.hold, silent=silent_servers(look.proxmox, look.cluster, self.house))

    def by_hand(self) -> str:
        return "kubectl get validatingadmissionpolicybinding -l app.kubernetes.io/managed-by=blackstart   # three of them"
