"""What the store gives back for the canary must be exactly the word that was sent: an older one is a store that keeps the past."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from engine.errors import PermanentError
from engine.probe import Probe, missing, satisfied
from engine.step import BaseStep, Notes, StepId
from rehearsal.drill import Drill
from rehearsal.judging import of_canary
from rehearsal.record import demanded, put_canary, record_of


@dataclass(frozen=True)
class FindCanary(BaseStep):
    """What became of the canary is written down."""

    drill: Drill
    system = "canary"
    title = "the canary's word found in the store"

    @property
    def id(self) -> StepId:
        return StepId("rehearsal.canary/found")

    @property
    def needs(self) -> tuple[str, ...]:
        return ("rehearsal.canary/sent",)

    @property
    def inputs(self) -> str:
        return self.drill.run

    def probe(self, look: LookContext) -> Probe:
        record = record_of(look.drills, self.drill.run)
        canary = record.canary if record is not None else None
        if canary is None:
            return missing("nobody has looked yet")
        return satisfied(": ".join(filter(None, (canary.verdict.value, canary.detail))))

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        sentinel = demanded(act.drills, self.drill.run).sentinel
        if sentinel is None:
            raise PermanentError("no canary was sent")
        claim = self.drill.claims[0]
        put_canary(act.drills, of_canary(act.drills.find_canary(claim.namespace, claim.destination), sentinel))

    def by_hand(self) -> str:
        where = "the repository blackstart-canary beside the claim's; its password is its name"
        return f"restic --no-lock dump latest /word  # in {where}"


def steps(drill: Drill) -> Iterator[FindCanary]:
    """The one."""
    yield FindCanary(drill)
