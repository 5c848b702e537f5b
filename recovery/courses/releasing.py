"""The course of `dr.release`: one step, for the one claim or database whose hold a person lifts. Knows no terminal."""

from __future__ import annotations

from adapters.context import LookContext
from adapters.hold.results import HeldClaim
from cluster.course import Course
from cluster.hold import held_check
from engine.errors import PermanentError
from engine.probe import Condition
from engine.step import if_any
from house.model import BackedUpClaim, House
from house.values.databases import Database
from recovery.steps.databases import accept_database
from recovery.steps.hold import lift_hold


def release_course(
    house: House, chosen: BackedUpClaim | HeldClaim | Database, reason: str, asked_since: float = 0.0
) -> Course:
    """Lifted without any check before it. `asked_since`: see AcceptDatabase."""
    if isinstance(chosen, Database):
        return _of(accept_database.AcceptDatabase(chosen, reason, asked_since))
    return _of(lift_hold.LiftHold(house, chosen, reason))


def refuse_nothing_held(look: LookContext, course: Course) -> None:
    """PermanentError (SettingsInvalid for a name that nothing has) when there is nothing to lift: before a run begins."""
    for step in course.steps:
        seen = step.probe(look)
        if isinstance(step, lift_hold.LiftHold) and seen.condition is Condition.SATISFIED:
            raise PermanentError(f"{step.claim.key} is not held: {seen.detail}", next_command="invoke dr.hold")


def _of(step: accept_database.AcceptDatabase | lift_hold.LiftHold) -> Course:
    return Course(checks=(held_check.HeldClaims((if_any("hold.release/*"), if_any("hold.accept/*"))),), steps=(step,))
