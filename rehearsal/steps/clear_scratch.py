"""Everything that a drill made goes again, whatever became of the drill, and its verdict into the journal first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from engine.probe import Probe, changing, missing, satisfied
from engine.step import BaseStep, Notes, StepId, if_any
from rehearsal.record import OUTCOME

CLEAR = "rehearsal.clear/scratch"


@dataclass(frozen=True)
class ClearScratch(BaseStep):
    """Nothing of any drill is left in the cluster."""

    system = "rehearsal"
    always = True
    title = "everything of the drill cleared away"
    ready_s = 900.0

    @property
    def id(self) -> StepId:
        return StepId("rehearsal.clear/scratch")

    @property
    def needs(self) -> tuple[str, ...]:
        return (if_any("rehearsal.conclude/verdict"),)

    def probe(self, look: LookContext) -> Probe:
        scratch = look.drills.scratch()
        if scratch is None:
            return satisfied("nothing is left")
        return (changing if scratch.deleting else missing)(f"{len(scratch.left)} things are left", *scratch.left)

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        scratch = act.drills.scratch()
        outcome = scratch.note(OUTCOME) if scratch is not None else ""
        if outcome:
            # Nobody else keeps it: once the namespace goes, the journal is where it stands.
            notes.put(OUTCOME, outcome)
        act.drills.clear()

    def by_hand(self) -> str:
        return "kubectl delete namespace -l app.kubernetes.io/managed-by=blackstart,app.kubernetes.io/component=rehearsal"


def steps() -> Iterator[ClearScratch]:
    """The one."""
    yield ClearScratch()
