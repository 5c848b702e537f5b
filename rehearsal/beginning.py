"""Which course a rehearsal runs now: a new drill, the one that was cut off, or only clearing up what is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from adapters.context import LookContext
from cluster.course import Course
from engine.report import Report
from engine.state import State
from house.model import House
from rehearsal.conclusion import completed, unbegun
from rehearsal.course import clearing, course
from rehearsal.drill import Drill, resumed
from rehearsal.outcome import DrillOutcome, from_json
from rehearsal.record import OUTCOME
from rehearsal.steps.clear_scratch import CLEAR


@dataclass(frozen=True)
class Begun:
    """`drill` None: what is left of an earlier one is only cleared away."""

    course: Course
    drill: Drill | None


def begin(
    look: LookContext, house: House, fresh: Callable[[], Drill], *, in_flight: tuple[str, ...] = (),
    known: dict[str, str] | None = None,
) -> Begun:  # fmt: skip
    """Look what is there. A drill that was cut off goes on, if it is not concluded; `fresh` makes one where nothing is left."""
    scratch = look.drills.scratch()
    if scratch is None:
        drill = fresh()
        return Begun(course(drill, in_flight), drill)
    again = None if scratch.note(OUTCOME) else resumed(house, scratch, look.clock.now(), known or {})
    return Begun(clearing(), None) if again is None else Begun(course(again, in_flight), again)


def outcome_of(begun: Begun, report: Report, state: State, now: float) -> DrillOutcome | None:
    """What a run of it has shown, by the journal of rehearsals (folded after the run) and the run's report.

    None where only leftovers were cleared that had concluded nothing.
    """
    noted = state.notes_of(CLEAR).get(OUTCOME, "")
    found = from_json(noted) if noted else None
    if begun.drill is None:
        return found
    if found is None or found.run != begun.drill.run:
        found = unbegun(begun.drill, now)
    return completed(found, report)
