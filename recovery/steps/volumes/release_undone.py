"""Let backups be written again for a claim that has its volume of before, and let that volume be its own again."""

from __future__ import annotations

from dataclasses import dataclass, replace

from adapters.context import ActContext, LookContext
from adapters.hold.results import HoldState
from cluster.by_hand import record_by_hand
from cluster.hold.standing import let_go, standing
from engine.errors import PermanentError, TransientError
from engine.probe import Probe, missing, satisfied, unknown
from engine.step import BaseStep, Notes, StepId
from house.model import BackedUpClaim
from recovery.checks.came_back import refuse_another
from recovery.points.kept import demand_volume


@dataclass(frozen=True)
class ReleaseUndone(BaseStep):
    """The record says released, no pin of a restore is left on the destination, and our mark is off the volume.

    What a backup holds is not compared: this is the volume itself, which nobody has written to since it was kept.
    """

    claim: BackedUpClaim
    volume: str
    system = "kubernetes"

    @property
    def id(self) -> StepId:
        return StepId(f"undo.release/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"{self.claim.key} released with its volume of before"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"recovery.running/{self.claim.key}",)

    @property
    def inputs(self) -> str:
        return f"{self.claim.key} {self.volume}"

    def probe(self, look: LookContext) -> Probe:
        there = standing(look.hold, look.claims, self.claim)
        if there.held:
            return missing(f"still {there.told}")
        if not there.through:
            return unknown(f"not held: {there.told}")
        state = look.claims.destination(self.claim.namespace, self.claim.destination)
        if state.ours or state.instead_of:
            return missing("released, but a restore's pin is on the destination still")
        if any(one.name == self.volume for one in look.kept.volumes()):
            return missing("released, but our mark is on the volume still")
        return satisfied(there.entry.depth if there.entry is not None else "")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        there = standing(act.hold, act.claims, self.claim)
        if there.entry is not None and there.held:
            volume = demand_volume(act.kept, self.volume, self.claim.key)
            refuse_another(self.claim.key, there.now, volume.handle)
            if not there.now.alive:
                what = f"{self.claim.key} is not released: it is {there.now.phase.value}"
                raise PermanentError(what, hint="it stays held; the same again goes on once it is bound")
            entry = let_go(there.entry, HoldState.RELEASED, there.now, act.clock.now())
            told = f"undone: the volume {volume.handle} itself, as claim uid {volume.uid} left it"
            if volume.brought:
                found = f"{volume.found.word.value}, {volume.found.told}" if volume.found is not None else "nobody had looked at it"
                told = f"survived: the volume {volume.handle} of before itself; {found}"
            act.hold.put(replace(entry, volume=volume.handle, depth=told))
        act.claims.unpin(self.claim.namespace, self.claim.destination)
        for source in dict.fromkeys(place.source for place in self.claim.sources):
            if act.claims.source(self.claim.namespace, source).present:
                act.claims.nudge("ReplicationSource", self.claim.namespace, source)
        # Last, and looked at before: without the mark nobody finds the volume that was to come back, and goes on.
        written = standing(act.hold, act.claims, self.claim)
        if written.held:
            raise TransientError(f"{self.claim.key} was released, and the record does not say so: {written.told}")
        act.kept.let_go(self.volume)

    def by_hand(self) -> str:
        place = self.claim.namespace
        return record_by_hand({f"state.{place}.{self.claim.claim}": "released", f"rd.{place}.{self.claim.destination}": None})
