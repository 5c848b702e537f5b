"""recovery.pin: one restore point per claim, chosen once, before anything else is changed."""

from __future__ import annotations

import pytest

from adapters.hold.results import HoldState
from engine.errors import ApprovalMissing, PermanentError
from engine.probe import Condition
from engine.step import Hazard
from lab.world.store import Trouble, a_file
from recovery.course import course
from recovery.points.asof import as_time
from tests.hands import do, see, step
from tests.recovery.conftest import Restoring
from tests.scenario.running import DATA

STEP = "recovery.pin/apps/notes"


def test_the_newest_complete_snapshot_is_written_down_with_its_repository(held: Restoring) -> None:
    assert see(held, held.restore, STEP).condition is Condition.MISSING
    notes = do(held, held.restore, STEP)
    repository = held.home.store.repositories[held.address]
    (snapshot,) = repository.snapshots
    entry = held.entry
    assert (entry.repository_id, entry.snapshot_id, entry.pin) == (repository.repository_id, snapshot.snapshot_id, snapshot.pin)
    assert notes.written["snapshot"] == snapshot.snapshot_id
    assert see(held, held.restore, STEP).condition is Condition.SATISFIED


def test_a_pin_stays_although_something_newer_comes(held: Restoring) -> None:
    do(held, held.restore, STEP)
    first = held.entry
    held.home.store.back_up(held.address, (a_file("newer", "x"),), held.clock.now())
    assert see(held, held.restore, STEP).condition is Condition.SATISFIED
    assert held.entry == first


def test_a_snapshot_that_is_not_complete_is_passed_over(held: Restoring) -> None:
    held.home.store.back_up(held.address, (a_file("half", "x"),), held.clock.now(), complete=False)
    do(held, held.restore, STEP)
    assert held.entry.snapshot_id == held.home.store.repositories[held.address].snapshots[0].snapshot_id


def test_as_of_takes_the_newest_one_not_later(held: Restoring) -> None:
    newer = held.home.store.back_up(held.address, (a_file("newer", "x"),), held.clock.now() - 60)
    claims = held.house.claims
    for as_of, at in ((newer.time, 1), (newer.time - 1, 0)):
        held.entry_says(pin="", snapshot_id="")
        do(held, course(held.house, claims, as_of=as_of), STEP)
        assert held.entry.snapshot_id == held.home.store.repositories[held.address].snapshots[at].snapshot_id
    held.entry_says(pin="", snapshot_id="")
    with pytest.raises(PermanentError, match="no complete snapshot that old"):
        do(held, course(held.house, claims, as_of=1000.0), STEP)


def test_as_of_the_time_that_a_plan_shows_takes_the_one_it_is_shown_for(held: Restoring) -> None:
    newer = held.home.store.back_up(held.address, (a_file("newer", "x"),), int(held.clock.now()) - 60 + 0.7)
    do(held, course(held.house, held.house.claims, as_of=as_time(newer.pin)), STEP)
    assert held.entry.snapshot_id == newer.snapshot_id


@pytest.mark.parametrize("trouble", [None, *Trouble])
def test_nothing_is_pinned_from_what_cannot_be_seen(held: Restoring, trouble: Trouble | None) -> None:
    if trouble is None:
        held.home.store.repositories.clear()
    else:
        held.home.store.repositories[held.address].trouble = trouble
    with pytest.raises(PermanentError, match="no restore point for apps/notes"):
        do(held, held.restore, STEP)
    assert held.entry.pin == ""


def test_nothing_is_pinned_from_another_repository_than_the_lock_knows(held: Restoring) -> None:
    known = course(held.house, held.house.claims, known={"apps/notes": "ab" * 32})
    with pytest.raises(PermanentError, match="foreign"):
        do(held, known, STEP)


def test_without_an_entry_in_the_record_nothing_can_be_said(held: Restoring) -> None:
    held.home.kube.objects().record = {}
    seen = see(held, held.restore, STEP)
    assert seen.condition is Condition.UNKNOWN
    assert "cluster.bootstrap" in seen.hint


def test_what_helps_is_the_hint_of_the_problem_and_not_its_evidence(held: Restoring) -> None:
    held.home.kube.objects().record = {}
    seen = see(held, held.restore, STEP)
    assert "cluster.bootstrap" in seen.hint
    assert seen.evidence == ()


def test_what_nobody_has_held_yet_is_held_before_anything_is_chosen(held: Restoring) -> None:
    held.home.kube.objects().record = {}
    held.up_to("pin")
    assert held.entry.state is HoldState.HELD
    assert held.entry.pin


def test_a_pin_that_is_gone_is_said_and_another_is_offered_by_consent(held: Restoring) -> None:
    held.up_to("pin")
    gone = held.entry
    held.home.store.repositories[held.address].snapshots.clear()
    held.home.seed_backup(held.address, DATA, 1800)
    seen = see(held, held.restore, STEP)
    assert (seen.condition, seen.detail) == (Condition.MISSING, "the pinned snapshot is gone from the repository")
    found = step(held.restore, STEP)
    assert found.hazard(seen) is Hazard.DESTROYS
    assert f"in place of the pinned {gone.snapshot_id[:8]} of {gone.pin}, which is gone" in str(found.identity(seen))
    assert held.apply(held.restore).exit_code == ApprovalMissing.exit_code
    assert held.entry == gone
    report = held.apply(held.restore, held.consent(held.restore))
    assert report.exit_code == 0, [(s.id, s.detail) for s in report.root_causes]
    assert held.entry.snapshot_id != gone.snapshot_id


def test_a_repository_that_cannot_be_seen_says_nothing_about_the_pin(held: Restoring) -> None:
    held.up_to("pin")
    held.home.store.repositories[held.address].trouble = Trouble.UNREACHABLE
    assert see(held, held.restore, STEP).condition is Condition.SATISFIED


def test_a_pin_that_is_gone_with_no_other_left_is_an_error_by_its_name(held: Restoring) -> None:
    held.up_to("pin")
    held.home.store.repositories[held.address].snapshots.clear()
    with pytest.raises(PermanentError, match="no restore point for apps/notes: empty"):
        see(held, held.restore, STEP)


def test_a_backup_that_is_not_there_is_refused_with_what_helps(held: Restoring) -> None:
    held.home.store.repositories.clear()
    error = held.apply(held.restore)["preflight.backup/apps/notes"].error
    assert error is not None
    assert "letter by letter" in error.hint
    assert not any("letter by letter" in line for line in error.evidence)
