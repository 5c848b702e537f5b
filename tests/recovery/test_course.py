"""What every step of a restore owes a person, and the order in which nothing can be lost."""

from __future__ import annotations

from cluster.course import Course
from engine.probe import missing
from engine.step import Hazard, StepId
from recovery.course import course
from recovery.points.choice import Choice
from tests.hands import is_a_command
from tests.recovery.conftest import Restoring

DESTROYING = {"recovery.hold-again", "recovery.accept-empty"}


def whole(house: Restoring) -> Course:
    """Every kind of step: one claim restored over what is alive."""
    return course(house.house, house.house.claims, again=house.house.claims)


def test_every_step_can_be_done_by_hand(held: Restoring) -> None:
    steps = (*whole(held).steps, *course(held.house, (), never_backed_up=held.house.claims).steps)
    assert {each.id: each.by_hand() for each in steps if not is_a_command(each.by_hand())} == {}


def test_only_consent_stands_before_what_destroys(held: Restoring) -> None:
    seen = missing("x", identity=Choice("apps/notes", "r" * 64, "s" * 64, "2027-01-15T07:00:00Z"))
    for each in (*whole(held).steps, *course(held.house, (), never_backed_up=held.house.claims).steps):
        destroys = each.hazard(seen) is Hazard.DESTROYS
        assert destroys == (each.id.partition("/")[0] in DESTROYING), each.id
        assert not destroys or each.identity(seen) is not None, each.id


def test_nothing_is_stopped_deleted_or_filled_before_the_proof(held: Restoring) -> None:
    graph = whole(held).graph()

    def above(name: StepId) -> set[StepId]:
        return {need for direct in graph.needs(name) for need in {direct, *above(direct)}}

    for verb in ("stop-app", "keep-old", "delete-claim", "start-app", "populate", "release", "first-backup"):
        assert "recovery.prove/apps/notes" in above(StepId(f"recovery.{verb}/apps/notes")), verb
    assert "hold.in-place" in above(StepId("recovery.pin/apps/notes"))


def test_the_application_runs_before_its_backups_are_let_go(held: Restoring) -> None:
    graph = whole(held).graph()
    assert "recovery.running/apps/notes" in graph.needs(StepId("recovery.release/apps/notes"))
