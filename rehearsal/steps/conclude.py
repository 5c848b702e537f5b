"""Write down what the drill has shown, whatever became of it: before everything that it made is cleared away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from engine.probe import Probe, missing, satisfied
from engine.step import BaseStep, Notes, StepId, if_any
from rehearsal.conclusion import concluded
from rehearsal.drill import Drill
from rehearsal.outcome import from_json
from rehearsal.record import OUTCOME, demanded, record_of


@dataclass(frozen=True)
class Conclude(BaseStep):
    """The verdict stands in the record."""

    drill: Drill
    system = "rehearsal"
    always = True
    title = "the drill's verdict written down"

    @property
    def id(self) -> StepId:
        return StepId("rehearsal.conclude/verdict")

    @property
    def needs(self) -> tuple[str, ...]:
        after = ("rehearsal.compare/*", "rehearsal.probe/*")
        return (*map(if_any, after), "rehearsal.control/planted", "rehearsal.canary/found")

    @property
    def inputs(self) -> str:
        return self.drill.run

    def probe(self, look: LookContext) -> Probe:
        record = record_of(look.drills, self.drill.run)
        if record is None:
            return satisfied("there is no scratch namespace to write it into")
        return satisfied(from_json(record.outcome).verdict.value) if record.outcome else missing("no verdict yet")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        outcome = concluded(self.drill, demanded(act.drills, self.drill.run), act.clock.now())
        act.drills.note(OUTCOME, outcome.to_json())

    def by_hand(self) -> str:
        return "kubectl -n blackstart-rehearsal get configmap record -o yaml"


def steps(drill: Drill) -> Iterator[Conclude]:
    """The one."""
    yield Conclude(drill)
