"""Write every declared claim that has no volume yet into the hold's record, before anything could fill or back it up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from adapters.hold.record import entry
from adapters.hold.results import HeldClaim, HoldState
from adapters.volsync.results import ClaimPhase
from cluster.by_hand import record_by_hand
from engine.probe import Probe, missing, satisfied
from engine.step import BaseStep, Notes, StepId
from house.model import BackedUpClaim, House


@dataclass(frozen=True)
class DeclareHeld(BaseStep):
    """One claim of the catalog held, unless it is bound already: then its data are alive and are left alone."""

    claim: BackedUpClaim
    system = "kubernetes"
    needs = ("kubernetes.create-namespace/*", "kubernetes.api-servers")

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
        entry = look.hold.record().claim(self.claim.namespace, self.claim.claim)
        if entry is not None:
            return satisfied(entry.state.value)
        if look.claims.claim(self.claim.namespace, self.claim.claim).phase is ClaimPhase.BOUND:
            return satisfied("bound already: not held")
        return missing("not in the hold's record")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        claim = self.claim
        act.hold.put(
            HeldClaim(
                claim.namespace, claim.claim, HoldState.HELD, claim.destination, claim.source, since=act.clock.now()
            )
        )

    def by_hand(self) -> str:
        claim = self.claim
        held = HeldClaim(claim.namespace, claim.claim, HoldState.HELD, claim.destination, claim.source)
        made = "kubectl create namespace blackstart && kubectl -n blackstart create configmap hold"
        return f"kubectl -n blackstart get configmap hold || ({made}); {record_by_hand(entry(held))}"


def steps(house: House) -> Iterator[DeclareHeld]:
    """One for every claim of the catalog."""
    for claim in house.claims:
        yield DeclareHeld(claim)
