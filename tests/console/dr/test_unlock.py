"""dr.unlock: whose lock it is, a plan that names what would go, the act by consent, and never a living owner's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.backups.results import RepositoryLock
from adapters.kubernetes.results import SeenPod
from console.ending import guarded
from console.verbs.dr import unlock
from engine import errors
from lab.world.store import StoredRepository
from tests.builders import a_claim
from tests.console.modelled_doors import Desk
from tests.console.printed import Printed, last_line
from tests.recovery.test_locks import MOVER, a_lock

DEAD, OTHER, YOUNG = "a" * 64, "b" * 64, "c" * 64


def repository(desk: Desk) -> StoredRepository:
    return desk.running.home.store.repositories[desk.running.house.claims[0].open_as]


def lock(desk: Desk, lock_id: str, age_s: float, **more: object) -> RepositoryLock:
    made = a_lock(lock_id, desk.running.clock.now() - age_s, **more)  # type: ignore[arg-type]  # fields by name
    repository(desk).locks[lock_id] = made
    return made


def run(desk: Desk, approve: str = "", *, words: str = "notes", json: bool = False) -> int:
    return guarded("dr.unlock", json, lambda: unlock.unlock_of(desk.session("dr.unlock", json=json), words, approve))


def test_the_plan_says_whose_and_since_when_and_takes_nothing(desk: Desk, capsys: Printed) -> None:
    lock(desk, DEAD, 7200)
    lock(desk, YOUNG, 60, host="desk", exclusive=False)
    assert run(desk) == errors.EXIT_PLAN_HAS_CHANGES
    out = " ".join(capsys.readouterr().out.split())
    assert f"exclusive lock aaaaaaaa of root on {MOVER}" in out and "stays: shared lock cccccccc of root on desk" in out
    assert set(repository(desk).locks) == {DEAD, YOUNG}


def test_by_consent_exactly_the_dead_go(desk: Desk, capsys: Printed) -> None:
    for dead in (DEAD, OTHER):
        lock(desk, dead, 7200)
    lock(desk, YOUNG, 60, host="desk")
    run(desk, json=True)
    assert run(desk, last_line(capsys)["plan"]) == errors.EXIT_OK
    assert set(repository(desk).locks) == {YOUNG}
    assert "No dead lock keeps anybody out of the backups of apps/notes" in capsys.readouterr().out


def test_a_living_movers_lock_is_refused_however_old_it_is(held_desk: Desk, capsys: Printed) -> None:
    lock(held_desk, DEAD, 9 * 3600)
    held_desk.running.home.kube.objects().pods[MOVER] = SeenPod("apps", MOVER, "cp-1")
    assert run(held_desk) == errors.PermanentError.exit_code
    err = " ".join(capsys.readouterr().err.split())
    assert "locked by who may live: nothing is taken away" in err and f"its pod apps/{MOVER} is there, on node cp-1" in err
    assert set(repository(held_desk).locks) == {DEAD}


def test_a_movers_lock_goes_sooner_once_its_pod_is_gone(held_desk: Desk, capsys: Printed) -> None:
    lock(held_desk, DEAD, 11 * 60)
    assert run(held_desk) == errors.EXIT_PLAN_HAS_CHANGES
    assert "its pod is gone" in " ".join(capsys.readouterr().out.split())


def test_who_comes_back_to_life_between_plan_and_act_keeps_his_lock(held_desk: Desk, capsys: Printed) -> None:
    lock(held_desk, DEAD, 7200)
    run(held_desk, json=True)
    digest = last_line(capsys)["plan"]
    held_desk.running.home.kube.objects().pods[MOVER] = SeenPod("apps", MOVER, "cp-1")
    assert run(held_desk, digest) == errors.ApprovalMissing.exit_code
    assert set(repository(held_desk).locks) == {DEAD}


def test_consent_to_one_lock_is_none_to_another(desk: Desk, capsys: Printed) -> None:
    lock(desk, DEAD, 7200)
    run(desk, json=True)
    digest = last_line(capsys)["plan"]
    repository(desk).locks.clear()
    lock(desk, OTHER, 7200)
    assert run(desk, digest) == errors.ApprovalMissing.exit_code
    assert set(repository(desk).locks) == {OTHER}


def test_without_a_lock_there_is_nothing_to_do(desk: Desk, capsys: Printed) -> None:
    assert run(desk) == errors.EXIT_OK
    assert "No lock is in 1 repository; nothing was changed" in capsys.readouterr().out
    assert run(desk, json=True) == errors.EXIT_OK
    assert last_line(capsys)["outcome"] == "noop"


def test_a_store_that_is_silent_is_never_a_place_without_locks(desk: Desk, capsys: Printed) -> None:
    desk.running.home.store.down = True
    assert run(desk) == errors.TransientError.exit_code
    assert "does not answer" in capsys.readouterr().err


@pytest.mark.parametrize("words", ["", "nobody", "notes,notes"])
def test_one_claim_that_there_is_has_to_be_named(desk: Desk, words: str) -> None:
    assert run(desk, words=words) == errors.SettingsInvalid.exit_code


def test_kopia_keeps_nobody_out_by_lock_files(tmp_path_factory: pytest.TempPathFactory, capsys: Printed) -> None:
    desk = Desk(tmp_path_factory.mktemp("kopia"), kopia=(replace(a_claim("photos"), engine="kopia"),))
    assert run(desk, words="photos") == errors.SettingsInvalid.exit_code
    assert "backed up by kopia" in capsys.readouterr().err
