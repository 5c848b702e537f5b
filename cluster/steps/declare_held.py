"""Write a claim that could be filled or backed up wrongly into the hold's record: one that has no volume, or has lost it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from adapters.context import ActContext, LookContext
from adapters.hold.record import entry
from adapters.hold.results import HeldClaim, HoldState
from cluster.by_hand import record_by_hand
from cluster.hold.standing import Way, held_anew, standing
from engine.probe import Probe, drifted, missing, satisfied
from engine.step import BaseStep, Notes, StepId, if_any
from house.model import BackedUpClaim


@dataclass(frozen=True)
class DeclareHeld(BaseStep):
    """One claim held, unless its data are alive and it is the claim that was let go, or nobody ever held it.

    In a cluster that was made anew nobody knows what a claim holds that came alive undeclared: it is held like the others.

    What was let go once is held anew when it is lost: the danger comes back with the empty claim, and so does the hold.
    """

    claim: BackedUpClaim
    system = "kubernetes"
    needs = (if_any("kubernetes.create-namespace/*"), if_any("kubernetes.api-servers"))

    @property
    def id(self) -> StepId:
        return StepId(f"hold.declare/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"{self.claim.key} held"

    @property
    def inputs(self) -> str:
        return f"{self.claim.key} {self.claim.destination} {self.claim.source}"

    def probe(self, look: LookContext) -> Probe:
        there = standing(look.hold, look.claims, self.claim)
        if there.untold:
            return missing(f"{there.told}, and the record does not say which claim that was")
        if there.way is Way.LOST:
            return drifted(f"{there.told}: to be held anew", "uid")
        if there.way is Way.OPEN:
            return missing("not in the hold's record")
        if there.way is Way.ALIVE and look.hold.record().rebuilt:
            return missing("alive, but nobody had declared it when this cluster was made anew: to be held")
        return satisfied("bound already: not held" if there.way is Way.ALIVE else there.told)

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        there = standing(act.hold, act.claims, self.claim)
        if there.untold and there.entry is not None:
            act.hold.put(replace(there.entry, uid=there.now.uid))
        elif there.way in (Way.OPEN, Way.LOST, Way.ALIVE):
            act.hold.put(held_anew(there, self.claim, act.clock.now()))

    def by_hand(self) -> str:
        claim = self.claim
        held = HeldClaim(claim.namespace, claim.claim, HoldState.HELD, claim.destination, claim.source)
        made = "kubectl create namespace blackstart && kubectl -n blackstart create configmap hold"
        return f"kubectl -n blackstart get configmap hold || ({made}); {record_by_hand(entry(held))}"


def steps(claims: Iterable[BackedUpClaim]) -> Iterator[DeclareHeld]:
    """One for every claim of the catalog, or for those that a restore concerns."""
    for claim in claims:
        yield DeclareHeld(claim)
