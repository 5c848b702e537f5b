"""Everything that a drill made goes again, whatever became of the drill, and its verdict into the journal first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from engine.errors import WaitedTooLong
from engine.probe import Probe, changing, missing, satisfied
from engine.step import BaseStep, Notes, StepId, if_any
from engine.text.words import number
from engine.waiting import wait_until
from rehearsal.record import OUTCOME

CLEAR = "rehearsal.clear/scratch"
LIMIT_S = 600.0


@dataclass(frozen=True)
class ClearScratch(BaseStep):
    """Nothing of any drill is left in the cluster, or after `limit_s` seconds it is told what is."""

    limit_s: float = LIMIT_S
    system = "rehearsal"
    always = True
    title = "everything of the drill cleared away"

    @property
    def ready_s(self) -> float:
        """Seconds; no longer than the clearing itself."""
        return min(60.0, self.limit_s)

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
        return (changing if scratch.deleting else missing)(f"{number(len(scratch.left), 'thing')} left", *scratch.left)

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        scratch = act.drills.scratch()
        outcome = scratch.note(OUTCOME) if scratch is not None else ""
        if outcome:
            # Nobody else keeps it: once the namespace goes, the journal is where it stands.
            notes.put(OUTCOME, outcome)
        act.drills.clear()
        # What does not go in this time is told by the next look, and its `left` names it.
        with suppress(WaitedTooLong):
            wait_until(act.clock, lambda: True if act.drills.scratch() is None else None, limit_s=self.limit_s, what="the clearing")

    def by_hand(self) -> str:
        return "kubectl delete namespace -l app.kubernetes.io/managed-by=blackstart,app.kubernetes.io/component=rehearsal"


def steps(limit_s: float = LIMIT_S) -> Iterator[ClearScratch]:
    """The one."""
    yield ClearScratch(limit_s)
