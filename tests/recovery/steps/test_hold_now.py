"""hold.now: a claim is held before anything is looked at or waited for, whatever it was before."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.hold.results import HoldState
from cluster.course import Course
from engine.errors import EXIT_HELD, SettingsInvalid
from engine.probe import Condition
from lab.world.store import Trouble, a_file
from recovery.course import course
from recovery.courses.holding import hold_course, to_hold
from tests.hands import do, see
from tests.recovery.conftest import Restoring
from tests.scenario.running import DATA

STEP = "hold.now/apps/notes"
KEY = ("apps", "notes")


def holding(house: Restoring) -> Course:
    return hold_course(house.house, house.house.claims, {})


def ids(house: Restoring) -> list[str]:
    return [s.snapshot_id for s in house.home.store.repositories[house.address].snapshots]


def backing_up(house: Restoring, retain_last: int = 1) -> None:
    """The hourly backup has just begun."""
    source = house.home.kube.objects().sources[KEY]
    source.wanted, source.retain_last = True, retain_last
    house.home.act("by-hand").claims.nudge("ReplicationSource", *KEY)
    assert source.running


def test_a_living_claim_is_held_and_no_backup_is_written_from_then_on(alive: Restoring) -> None:
    assert see(alive, holding(alive), STEP).condition is Condition.MISSING
    report = alive.apply(holding(alive))
    assert report.exit_code == EXIT_HELD
    assert (alive.entry.state, alive.entry.uid) == (HoldState.HELD, alive.home.kube.objects().claims[KEY].uid)
    before = ids(alive)
    source = alive.home.kube.objects().sources[KEY]
    source.wanted = True
    alive.home.act("by-hand").claims.nudge("ReplicationSource", *KEY)
    alive.clock.sleep(600)
    assert ids(alive) == before
    assert "dr.release apps/notes --unproven" in see(alive, holding(alive), STEP).detail


def test_the_record_comes_first_then_the_wait_for_a_backup_at_work_then_the_restore_point(alive: Restoring) -> None:
    backing_up(alive)
    do(alive, holding(alive), STEP)
    left = ids(alive)
    assert len(left) == 1, "the backup that was at work has rotated the others away"
    assert alive.entry.snapshot_id == left[0]


def test_cut_off_while_it_waits_it_is_held_and_says_what_it_waits_for(alive: Restoring) -> None:
    backing_up(alive)
    alive.entry_says(state=HoldState.HELD, pin="", snapshot_id="")
    seen = see(alive, holding(alive), STEP)
    assert (seen.condition, seen.detail) == (Condition.CHANGING, "held; a backup that had begun before is still at work")


@pytest.mark.parametrize("trouble", [Trouble.UNREACHABLE, Trouble.REFUSED])
def test_a_store_that_does_not_answer_is_no_reason_not_to_hold(alive: Restoring, trouble: Trouble) -> None:
    alive.home.store.repositories[alive.address].trouble = trouble
    assert alive.apply(holding(alive)).exit_code == EXIT_HELD
    assert (alive.entry.state, alive.entry.pin) == (HoldState.HELD, "")


def test_it_needs_no_flux_and_works_where_somebody_has_suspended_it(alive: Restoring) -> None:
    table = alive.home.kube.objects().kustomizations
    table["apps/notes"] = replace(table["apps/notes"], suspended=True)
    assert alive.apply(holding(alive)).exit_code == EXIT_HELD
    assert table["apps/notes"].suspended


def test_twice_is_as_once(alive: Restoring) -> None:
    assert alive.apply(holding(alive)).exit_code == EXIT_HELD
    entry = alive.entry
    alive.clock.sleep(60)
    assert alive.apply(holding(alive)).exit_code == EXIT_HELD
    assert alive.entry == entry


def test_policies_that_a_hand_has_deleted_are_put_back(alive: Restoring) -> None:
    alive.home.kube.objects().policies_bite_at = None
    assert alive.apply(holding(alive)).exit_code == EXIT_HELD
    assert alive.home.kube.objects().policies_bite_at is not None


def test_no_claim_is_said_to_be_held_while_an_api_server_judges_by_a_record_of_before(alive: Restoring) -> None:
    node = alive.house.control_planes[0]
    alive.home.kube.goes_blind(node.address)
    report = alive.apply(holding(alive))
    assert report.exit_code not in (0, EXIT_HELD)
    assert "hold.in-place" in {s.id for s in report.root_causes} | {s.id for s in report.steps if s.blocked_by}
    assert any(f"talosctl -n {node.address} restart" in s.error.hint for s in report.root_causes if s.error is not None)
    assert alive.entry.state is HoldState.HELD, "what could be done is done"
    alive.home.kube.blind.clear()
    assert alive.apply(holding(alive)).exit_code == EXIT_HELD


def test_what_is_held_already_or_on_its_way_stays_as_it_is(held: Restoring) -> None:
    held.up_to("pin", "restore", "prove")
    entry = held.entry
    assert held.apply(holding(held)).exit_code == EXIT_HELD
    assert held.entry == entry


def test_held_by_hand_it_is_replaced_by_consent_alone(alive: Restoring) -> None:
    do(alive, holding(alive), STEP)
    claims = alive.home.kube.objects().claims
    old = claims[KEY]
    old.entries = (a_file("ruined", "by a bad upgrade"),)
    replacing = course(alive.house, alive.house.claims, again=alive.house.claims)
    assert alive.apply(replacing).exit_code != 0
    assert claims[KEY] is old
    report = alive.apply(replacing, alive.consent(replacing))
    assert report.exit_code == 0, [(s.id, s.detail) for s in report.root_causes]
    assert (claims[KEY].entries, claims[KEY].uid != old.uid) == (DATA, True)


def test_a_backup_at_work_while_the_consent_is_typed_cannot_take_the_pin_away(alive: Restoring) -> None:
    replacing = course(alive.house, alive.house.claims, again=alive.house.claims)
    consent = alive.consent(replacing)
    backing_up(alive)
    report = alive.apply(replacing, consent)
    assert [s.id for s in report.root_causes] == ["recovery.hold-again/apps/notes"]
    assert "consent named is gone" in str(report.root_causes[0].error)
    assert (alive.entry.state, alive.entry.pin) == (HoldState.HELD, "")
    report = alive.apply(replacing, alive.consent(replacing))
    assert report.exit_code == 0, [(s.id, s.detail) for s in report.root_causes]


def test_a_word_that_names_none_is_refused_and_one_that_only_the_record_knows_is_not(alive: Restoring) -> None:
    record = alive.home.look().hold.record()
    with pytest.raises(SettingsInvalid, match="nots names no claim"):
        to_hold(alive.house, "notes,nots", lambda: record)
    gone = replace(alive.house, claims=())
    assert [c.key for c in to_hold(gone, "notes", lambda: record)] == ["apps/notes"]
