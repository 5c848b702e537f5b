"""Delete the bound claim whose proven replacement waits: exactly the one that the approval named by its uid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from adapters.hold.results import HeldClaim, HoldState
from adapters.volsync.results import DestinationState
from engine.errors import PermanentError
from engine.probe import Probe, missing, satisfied, unknown
from engine.step import BaseStep, Hazard, Notes, StepId
from house.model import BackedUpClaim
from recovery.points.kept import demand_kept
from recovery.record import demand_replacing, entry_of, is_another, replaced


@dataclass(frozen=True)
class DeleteClaim(BaseStep):
    """The old claim gone."""

    claim: BackedUpClaim

    @property
    def system(self) -> str:
        return f"app/{self.claim.key}"

    @property
    def id(self) -> StepId:
        return StepId(f"recovery.delete-claim/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"old {self.claim.key} deleted"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"recovery.keep-old/{self.claim.key}",)

    @property
    def inputs(self) -> str:
        return self.claim.key

    def hazard(self, seen: Probe) -> Hazard:
        return Hazard.DISRUPTS

    def probe(self, look: LookContext) -> Probe:
        entry = entry_of(look.hold, self.claim)
        if entry is None:
            return unknown("not in the hold's record")
        if replaced(look.claims, entry, self.claim):
            return satisfied("it is gone")
        return missing(f"claim uid {entry.replaces} is still there")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        entry = demand_replacing(act.hold, self.claim, "deleted")
        there = act.claims.destination(self.claim.namespace, self.claim.destination)
        same = there.image == entry.image and not is_another(there, entry)
        if entry.state is not HoldState.PROVEN or not same or not there.image_ready:
            # Long may have passed since the comparison, and a new trigger makes VolSync throw the proven image away, as a hand may.
            raise PermanentError(
                f"{self.claim.key} is not deleted: what is to replace it is not proven any more",
                evidence=(
                    f"{entry.state.value} for {entry.image or 'no image'}",
                    f"there now: {there.image or 'none'}{_beside(there, entry)}",
                ),
                hint="the old claim is still there; a restore of it begins anew", next_command="invoke dr.plan",
            )
        demand_kept(act.kept, entry.replaces, self.claim.key)
        act.claims.delete_claim(self.claim.namespace, self.claim.claim, entry.replaces)

    def by_hand(self) -> str:
        return f"kubectl -n {self.claim.namespace} delete pvc {self.claim.claim}   # only after its replacement was compared"


def _beside(there: DestinationState, entry: HeldClaim) -> str:
    if is_another(there, entry):
        return ", another one of the same name"
    return "" if there.image_ready else ", which is not ready to use"


def steps(claims: tuple[BackedUpClaim, ...]) -> Iterator[DeleteClaim]:
    """One for every claim that is to be replaced."""
    for claim in claims:
        yield DeleteClaim(claim)
