"""hold.release: one claim is let go by hand in a run of one step, and a run that was cut off is gone on with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.hold.results import HoldState
from engine.errors import PermanentError, SettingsInvalid
from engine.probe import Condition
from engine.report import Outcome
from lab.ports.faulty import faulty
from lab.world.cluster.volumes import Source
from lab.world.faults import Death, Fault
from recovery.courses.releasing import refuse_nothing_held, release_course
from recovery.lifting import to_release
from tests.hands import Notebook, is_a_command, see, step
from tests.recovery.conftest import Restoring

STEP = "hold.release/apps/notes"


def test_it_is_released_and_what_is_held_still_is_told(held: Restoring) -> None:
    course = release_course(held.house, held.house.claims[0], "moved")
    assert (see(held, course, STEP).condition, see(held, course, STEP).detail) == (Condition.MISSING, "it is held")
    report = held.apply(course)
    assert report.exit_code == 0, report.root_causes
    assert report[STEP].detail == "it is released: by hand, unproven: moved"
    assert held.entry.state is HoldState.RELEASED
    with pytest.raises(PermanentError, match="apps/notes is not held: it is released"):
        refuse_nothing_held(held.home.look(), course)


def test_a_server_that_refuses_its_backup_still_is_named_and_it_is_not_called_released(held: Restoring) -> None:
    course, kube = release_course(held.house, held.house.claims[0], "moved"), held.home.kube
    held.home.act("before").hold.install(rebuilt=False)
    held.clock.sleep(60)
    address = held.house.control_planes[0].address
    kube.goes_blind(address)
    report = held.apply(course)
    assert (held.entry.state, report.exit_code, report[STEP].outcome) == (HoldState.RELEASED, 30, Outcome.FAILED)
    assert f"the record says released, but {address} refuses its backup still" in report[STEP].detail
    assert "talosctl" in see(held, course, STEP).hint
    kube.blind.clear()  # somebody has restarted it
    assert held.apply(course).exit_code == 0


def test_as_long_as_our_pin_is_on_it_is_not_over(held: Restoring) -> None:
    course = release_course(held.house, held.house.claims[0], "moved")
    held.destination.ours = True
    held.home.world.faults.arm("claims.unpin/*", Fault.DIE_BEFORE)
    with pytest.raises(Death):
        step(course, STEP).apply(
            faulty(held.home.act("first"), held.home.world, held.clock), see(held, course, STEP), Notebook()
        )
    held.clock.new_life()
    seen = see(held, course, STEP)
    assert seen.condition is Condition.MISSING
    assert seen.detail == "it is released, and our pin is on notes-bootstrap still"
    assert (held.apply(course).exit_code, held.destination.ours) == (0, False)


def test_what_somebody_else_has_suspended_is_told_with_the_command(held: Restoring) -> None:
    table = held.home.kube.objects().kustomizations
    table["apps/notes"] = replace(table["apps/notes"], suspended=True, ours=False)
    report = held.apply(release_course(held.house, held.house.claims[0], "moved"))
    assert "is suspended, not by us, and stays so; to go on: kubectl -n apps patch " in report[STEP].detail


def test_what_nobody_declared_goes_by_its_name_and_a_typo_is_no_such_thing(held: Restoring) -> None:
    source = Source("elsewhere", "by-hand", "x", held.address)
    held.home.kube.objects().sources[source.key] = source
    record = held.home.look().hold.record
    typo = release_course(held.house, to_release(held.house, "elsewhere/by-hnad", record), "a trial")
    with pytest.raises(SettingsInvalid, match="neither declared"):
        refuse_nothing_held(held.home.look(), typo)
    report = held.apply(release_course(held.house, to_release(held.house, "elsewhere/by-hand", record), "a trial"))
    assert report["hold.release/elsewhere/by-hand"].detail == "it is released: by hand, undeclared: a trial"


def test_what_the_record_does_not_have_is_refused_before_anything_is_begun(held: Restoring) -> None:
    held.home.kube.objects().record = {}
    report = held.apply(release_course(held.house, held.house.claims[0], "moved"))
    (cause,) = report.root_causes
    assert (cause.id, cause.tries, cause.detail) == (STEP, 0, "apps/notes is not in the hold's record")


def test_by_hand_it_is_one_command(held: Restoring) -> None:
    typed = step(release_course(held.house, held.house.claims[0], "moved"), STEP).by_hand()
    assert is_a_command(typed)
    assert '"state.apps.notes": "released"' in typed
