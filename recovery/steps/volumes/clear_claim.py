"""Delete the living claim in whose place the kept volume comes: exactly the one that the consent named by its uid."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from adapters.kept.results import KeptState
from engine.errors import PermanentError
from engine.probe import Probe, changing, missing, satisfied, unknown
from engine.step import BaseStep, Hazard, Notes, StepId
from house.model import BackedUpClaim
from recovery.points.kept import demand_kept, demand_volume, on_its_way
from recovery.record import entry_of


@dataclass(frozen=True)
class ClearClaim(BaseStep):
    """No living claim stands in the way. One that waits for a volume stays: it is bound to the one that comes back."""

    claim: BackedUpClaim
    volume: str

    @property
    def system(self) -> str:
        return f"app/{self.claim.key}"

    @property
    def id(self) -> StepId:
        return StepId(f"undo.delete-claim/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"{self.claim.key} makes room for its volume of before"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"recovery.keep-old/{self.claim.key}",)

    @property
    def inputs(self) -> str:
        return f"{self.claim.key} {self.volume}"

    def hazard(self, seen: Probe) -> Hazard:
        return Hazard.DISRUPTS

    def probe(self, look: LookContext) -> Probe:
        entry, there = entry_of(look.hold, self.claim), look.claims.claim(self.claim.namespace, self.claim.claim)
        if entry is None:
            return unknown("not in the hold's record")
        if there.uid and there.uid == entry.replaces:
            told = f"claim uid {there.uid} is still there"
            return changing(f"{told}: it goes as soon as no pod has it open") if there.deleting else missing(told)
        return satisfied("it is gone")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        entry = entry_of(act.hold, self.claim)
        if entry is None or not on_its_way(entry) or entry.undo != self.volume:
            raise PermanentError(f"nobody approved that {self.claim.key} is deleted", next_command="invoke dr.hold")
        volume = demand_volume(act.kept, self.volume, self.claim.key)
        if volume.state is not KeptState.FREE:
            raise PermanentError(
                f"{self.claim.key} is not deleted: what is to come in its place is not to be had",
                evidence=(f"volume {volume.name} is {volume.state.value}", volume.held_by),
                hint="the claim is still there; who holds that volume has to let it go first", next_command="invoke dr.hold",
            )
        demand_kept(act.kept, entry.replaces, self.claim.key)
        act.claims.delete_claim(self.claim.namespace, self.claim.claim, entry.replaces)

    def by_hand(self) -> str:
        return f"kubectl -n {self.claim.namespace} delete pvc {self.claim.claim}   # only once its own volume is kept as well"
