"""dr.checkpoint: what is saved at rest is all that there is, what is not says so, and all is as it was for who turns away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.hold.results import HoldState
from adapters.volsync.trigger import VOID
from bootstrap.power import start_course
from cluster.course import Course
from engine.errors import EXIT_OK, PermanentError
from engine.probe import Condition
from engine.report import Report
from house.data.nouns import Holder, Keeps, Unprotected
from house.model import UnsupportedBackup
from lab.world.store import Trouble, a_file
from recovery.course import course as recovery_course
from recovery.courses.checkpoint import checkpoint_course
from tests.builders import a_house
from tests.hands import do, see
from tests.scenario.running import Running

KEY = ("apps", "notes")
SAVE, SAFE = "checkpoint.save/apps/notes", "checkpoint.safe"
MINE = (a_file("notes/one.md", "written this morning"), a_file("notes/three.md", "never backed up before"))


@pytest.fixture
def alive(tmp_path: Path) -> Running:
    """A house whose claim is restored, alive and written to since its last backup."""
    state = tmp_path / "state"
    house = Running.restored(state, a_house(state_dir=state))
    (state / "kubeconfig").touch()
    house.clock.sleep(60)
    house.home.kube.objects().claims[KEY].entries = MINE
    return house


def course(house: Running) -> Course:
    return checkpoint_course(house.house, {})


def saved(house: Running) -> Report:
    return house.apply(course(house), house.consent(course(house)))


def snapshots(house: Running) -> list[str]:
    return [one.snapshot_id for one in house.home.store.repositories[house.house.claims[0].mover_repository].snapshots]


def newest(house: Running) -> object:
    return house.home.store.repositories[house.house.claims[0].mover_repository].snapshots[-1].entries


def test_checkpoint_then_wipe_then_rebuild_loses_not_one_write(alive: Running) -> None:
    assert saved(alive).exit_code == EXIT_OK
    assert newest(alive) == MINE
    assert "1 application at rest, 1 backup" in see(alive, course(alive), SAFE).detail
    assert not alive.plan(course(alive)).changes
    alive.home.lose_every_vm()
    alive.clock.sleep(3600)
    assert alive.apply(alive.bootstrap).converged
    assert alive.apply(recovery_course(alive.house, alive.house.claims)).exit_code == EXIT_OK
    assert alive.home.kube.objects().claims[KEY].entries == MINE


def test_who_turns_away_has_all_of_it_back_and_backups_go_on(alive: Running) -> None:
    assert saved(alive).exit_code == EXIT_OK
    source = alive.home.kube.objects().sources[KEY]
    assert source.manual, "its schedule is off while the checkpoint stands"
    assert alive.apply(start_course(alive.house)).exit_code == EXIT_OK
    objects = alive.home.kube.objects()
    assert objects.claims[KEY].app_ready and not objects.resting and not objects.kustomizations["apps/notes"].suspended
    assert (source.manual, bool(source.schedule)) == ("", True)
    assert see(alive, course(alive), SAFE).condition is Condition.MISSING


@pytest.mark.parametrize("schedule", ["0 * * * *", ""])
def test_what_was_saved_before_it_ran_again_counts_no_more(alive: Running, schedule: str) -> None:
    alive.home.kube.objects().sources[KEY].schedule = schedule
    assert saved(alive).exit_code == EXIT_OK
    assert alive.apply(start_course(alive.house)).exit_code == EXIT_OK
    if not schedule:
        assert alive.home.kube.objects().sources[KEY].manual == VOID
    alive.clock.sleep(60)
    later = (*MINE, a_file("notes/four.md", "after that"))
    alive.home.kube.objects().claims[KEY].entries = later
    assert saved(alive).exit_code == EXIT_OK
    assert newest(alive) == later


def test_one_that_was_woken_by_hand_is_saved_anew(alive: Running) -> None:
    assert saved(alive).exit_code == EXIT_OK
    alive.home.act("hand").cluster.wake(alive.home.look().cluster.workloads(*KEY)[0])
    alive.clock.sleep(60)
    assert "run again" in see(alive, course(alive), SAFE).detail
    alive.home.kube.objects().claims[KEY].entries = (*MINE, a_file("late", "by hand"))
    assert saved(alive).exit_code == EXIT_OK
    assert newest(alive) == alive.home.kube.objects().claims[KEY].entries


def test_a_backup_that_began_before_it_rested_is_waited_for_and_does_not_count(alive: Running) -> None:
    source = alive.home.kube.objects().sources[KEY]
    source.wanted = True
    alive.home.act("by-hand").claims.nudge("ReplicationSource", *KEY)
    assert source.running
    before = set(snapshots(alive))
    assert saved(alive).exit_code == EXIT_OK
    assert len(set(snapshots(alive)) - before) == 2, "the one that was at work, and one after it"


def test_without_consent_nothing_stops_and_nothing_is_saved(alive: Running) -> None:
    before = snapshots(alive)
    assert not alive.apply(course(alive)).converged
    assert snapshots(alive) == before and not alive.home.kube.objects().resting


def test_a_held_claim_is_not_saved_and_says_why(alive: Running) -> None:
    objects = alive.home.kube.objects()
    assert objects.record is not None
    objects.record[KEY] = replace(objects.record[KEY], state=HoldState.HELD)
    with pytest.raises(PermanentError, match="apps/notes is not saved: it is held"):
        see(alive, course(alive), SAVE)
    with pytest.raises(PermanentError, match="it is held"):
        see(alive, course(alive), "checkpoint.may-rest")


def test_a_paused_source_is_told_before_it_is_waited_for(alive: Running) -> None:
    do(alive, course(alive), "stop.app/apps/notes")
    alive.clock.sleep(60)
    alive.home.kube.objects().sources[KEY].paused = True
    with pytest.raises(PermanentError, match="its ReplicationSource notes is paused"):
        do(alive, course(alive), SAVE)


def test_a_repository_that_cannot_be_seen_is_never_safe(alive: Running) -> None:
    assert saved(alive).exit_code == EXIT_OK
    alive.home.store.repositories[alive.house.claims[0].mover_repository].trouble = Trouble.UNREACHABLE
    assert see(alive, course(alive), SAVE).condition is Condition.UNKNOWN
    assert see(alive, course(alive), SAFE).condition is Condition.MISSING


def test_what_is_saved_is_looked_into_and_must_be_what_a_restore_takes(alive: Running) -> None:
    assert saved(alive).exit_code == EXIT_OK
    proven = "checkpoint.proven/apps/notes"
    assert "ok (tree)" in see(alive, course(alive), proven).detail
    alive.home.seed_backup(alive.house.claims[0].mover_repository, MINE, 0.0)
    assert "a restore would take snapshot" in see(alive, course(alive), proven).detail
    alive.home.store.repositories[alive.house.claims[0].mover_repository].sound = ""
    assert see(alive, course(alive), proven).condition is not Condition.SATISFIED


def test_what_the_settings_give_a_reason_for_is_not_called_backed_up(alive: Running) -> None:
    assert see(alive, course(alive), "checkpoint.left-out").detail == "every claim with data is backed up"
    films = Holder("media", "films", Keeps.CLAIM, "9Ti", "bulk", "kubernetes/apps/media/films.yaml:1")
    data = replace(alive.house.data, unprotected=(Unprotected(films, "can be had again"),))
    alive.house = replace(alive.house, data=data)
    seen = see(alive, course(alive), "checkpoint.left-out")
    assert seen.condition is Condition.SATISFIED and "but for 1 thing with a reason" in seen.detail
    assert seen.evidence == (f"media/films ({Keeps.CLAIM.value}): can be had again",)


def test_what_this_does_not_save_is_for_a_person_to_answer(alive: Running) -> None:
    other = UnsupportedBackup("media", "photos", "kopia", "kubernetes/apps/media/photos.yaml:1")
    alive.house = replace(alive.house, unsupported=(other,))
    seen = see(alive, course(alive), "checkpoint.left-out")
    assert seen.condition is Condition.MISSING and seen.evidence == ("media/photos is backed up by kopia, when that wants to",)
    (alive.house.state_dir / "kubeconfig").unlink()
    assert see(alive, course(alive), "checkpoint.left-out").condition is Condition.UNKNOWN
