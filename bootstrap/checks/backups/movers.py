"""Whether a mover is at work on a declared claim: one that dies with its node leaves its lock in the repository."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from cluster.hold.holding import sources_of
from cluster.machines.vms import unless_off
from engine.probe import Probe, changing, satisfied
from engine.step import BaseCheck, Severity, StepId
from house.model import BackedUpClaim, House


@dataclass(frozen=True)
class Movers(BaseCheck):
    """None is. One that fails over and over would be waited for in vain: it is told, and stops nothing."""

    house: House
    needs: tuple[str, ...] = ()
    id = StepId("stop.movers")
    title = "no backup or restore is at work"
    severity = Severity.ADVISORY
    sight_s = 600.0

    def probe(self, look: LookContext) -> Probe:
        return unless_off(look, self.house, lambda: self._seen(look), "what is at work still is not seen, and ends with its node")

    def _seen(self, look: LookContext) -> Probe:
        forked = (claim for claim in self.house.kopia if claim.by == "ReplicationSource")  # by VolSync's fork
        busy = [key for claim in (*self.house.claims, *forked) for key in _busy(look, claim)]
        if busy:
            hint = "one that is cut off leaves its lock behind: invoke dr.unlock CLAIM afterwards"
            return changing(f"{len(busy)} at work", *busy, hint=hint)
        return satisfied("none is")

    def by_hand(self) -> str:
        return "kubectl get jobs -A -l app.kubernetes.io/created-by=volsync   # none is active"


def _busy(look: LookContext, claim: BackedUpClaim) -> list[str]:
    there = claim.namespace
    found = [f"ReplicationSource {there}/{one}" for one in sources_of(claim) if look.claims.source(there, one).running]
    if claim.destination and look.claims.destination(there, claim.destination).running:
        found.append(f"ReplicationDestination {there}/{claim.destination}")
    return found


def check(house: House, needs: tuple[str, ...]) -> Movers:
    """The check of this house."""
    return Movers(house, needs)
