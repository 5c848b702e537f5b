"""dr.checkpoint: what is saved at rest is all that there is, what is not says so, and all is as it was for who turns away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.archives.bases import SEGMENT_BYTES
from adapters.hold.results import HoldState
from adapters.volsync.trigger import VOID
from bootstrap.power import start_course
from cluster.course import Course
from engine.errors import EXIT_OK, PermanentError
from engine.probe import Condition
from engine.report import Report
from house.data.nouns import Holder, Keeps, Unprotected
from house.model import UnsupportedBackup
from lab.world.cluster.databases import Commit, StoredDatabase
from lab.world.store import Trouble, a_file
from recovery.course import course as recovery_course
from recovery.courses.checkpoint import checkpoint_course
from tests.builders import a_house
from tests.copied import copied
from tests.databases import KEY as DATABASE
from tests.databases import OLD, a_database, a_house_with, an_archive
from tests.hands import do, see, step
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


class TestDatabase:
    """Its log is archived to its end, or it is not safe to wipe."""

    END, LOG = "checkpoint.database/apps/pg", "checkpoint.archived/apps/pg"

    @pytest.fixture
    def house(self, tmp_path: Path) -> Running:
        """Alive, with a database that was made again from its archive, and archives to a place of its own since."""
        return copied(self.alive, tmp_path / "state")

    @classmethod
    def alive(cls, state: Path) -> Running:
        """Made once for all of these."""
        made = Running(state, replace(a_house_with(a_database(recovers=True)), state_dir=state))
        made.home.store.databases[OLD] = an_archive(made.clock.now())
        made.backed_up()
        assert made.apply(made.bootstrap).converged
        assert made.apply(recovery_course(made.house, made.house.claims)).exit_code == EXIT_OK
        (state / "kubeconfig").touch()
        made.clock.sleep(60)
        cls.archives(made)
        return made

    @staticmethod
    def archives(house: Running) -> None:
        """A base backup was made of it since, and its log up to half of what it has written."""
        database = house.home.kube.objects().clusters[DATABASE]
        assert database.reached is not None
        first = Commit(house.clock.now() - 600, database.reached.lsn // 2, "row-1")
        archive = StoredDatabase(database.reached.system_id, (first,), database.reached.timeline)
        house.home.store.databases[database.writes] = archive

    def test_it_ends_after_the_applications_with_its_log_archived_and_runs_again_for_who_turns_away(self, house: Running) -> None:
        assert "database apps/pg stop" in see(house, course(house), "checkpoint.may-rest").detail
        assert "if-any:stop.app/*" in step(course(house), self.END).needs
        report = saved(house)
        assert report.exit_code == EXIT_OK, report.root_causes
        assert house.home.kube.objects().clusters[DATABASE].asleep
        assert "closed after it was told to end" in report[self.LOG].detail
        assert "1 database ended with all of the log archived" in report[SAFE].detail
        assert "goes on writing" not in str([line.evidence for line in report.steps])
        assert house.apply(start_course(house.house)).exit_code == EXIT_OK
        database = house.home.kube.objects().clusters[DATABASE]
        assert (database.asleep, database.left) == (False, None)

    def test_a_log_that_does_not_get_to_its_end_is_not_safe(self, house: Running) -> None:
        assert saved(house).exit_code == EXIT_OK
        database = house.home.kube.objects().clusters[DATABASE]
        archive = house.home.store.databases[database.writes]
        house.home.store.databases[database.writes] = replace(archive, ended=None)
        seen = see(house, course(house), self.LOG)
        assert seen.condition is Condition.CHANGING and "and goes on to" in seen.detail

    def test_a_segment_of_before_it_was_told_to_end_is_not_its_last(self, house: Running) -> None:
        assert saved(house).exit_code == EXIT_OK
        database = house.home.kube.objects().clusters[DATABASE]
        archive = house.home.store.databases[database.writes]
        assert archive.ended is not None and database.left is not None
        house.home.store.databases[database.writes] = replace(archive, ended=(archive.ended[0], database.left.time - 1))
        assert see(house, course(house), self.LOG).condition is Condition.CHANGING

    def test_a_place_in_the_segment_after_the_last_is_not_archived_wherever_the_base_backup_ended(self, house: Running) -> None:
        assert saved(house).exit_code == EXIT_OK
        database, last = house.home.kube.objects().clusters[DATABASE], 7
        assert database.left is not None
        archive = house.home.store.databases[database.writes]
        middle = replace(archive.commits[0], lsn=last * SEGMENT_BYTES + SEGMENT_BYTES // 2)
        closed = (last, database.left.time + 5)
        house.home.store.databases[database.writes] = replace(archive, commits=(middle,), ended=closed)
        for place, condition in ((-1, Condition.SATISFIED), (0, Condition.CHANGING)):
            database.left = replace(database.left, lsn=(last + 1) * SEGMENT_BYTES + place)
            seen = see(house, course(house), self.LOG)
            assert seen.condition is condition, seen

    def test_one_that_cannot_be_saved_is_refused_before_anything_stops(self, house: Running) -> None:
        database = house.home.kube.objects().clusters[DATABASE]
        database.archiving = "Expected empty archive"
        with pytest.raises(PermanentError, match="does not archive: Expected empty archive"):
            see(house, course(house), "checkpoint.may-rest")
        database.archiving, database.phase = "", "Cluster in trouble"
        with pytest.raises(PermanentError, match="not saved: Cluster in trouble"):
            see(house, course(house), "checkpoint.may-rest")

    def test_who_does_not_say_where_its_own_log_is_does_not_end(self, house: Running) -> None:
        database = house.home.kube.objects().clusters[DATABASE]
        assert database.reached is not None
        for odd in (replace(database.reached, recovering=True), replace(database.reached, lsn=0)):
            database.reached, was = odd, database.reached
            report = saved(house)
            assert "does not say where its log is" in str(report[self.END].error)
            assert (database.to_sleep, database.left) == (False, None)
            database.reached = was
        database.posing = replace(database.reached, system_id="7000000000000000000")
        report = saved(house)
        assert "who answers for database apps/pg is another database" in str(report[self.END].error)
        assert (database.to_sleep, database.left) == (False, None)
        database.posing = None
        assert saved(house).exit_code == EXIT_OK

    def test_one_that_was_put_to_rest_before_is_not_taken_for_saved(self, house: Running) -> None:
        house.home.act("x").databases.rest(*DATABASE)
        house.clock.sleep(60)
        with pytest.raises(PermanentError, match="nobody noted where its log ended"):
            see(house, course(house), "checkpoint.may-rest")

    def test_one_whose_archive_nobody_can_see_is_answered_for_by_a_person(self, house: Running) -> None:
        house.house = replace(house.house, archives=())
        assert any("database apps/pg goes on writing" in one for one in see(house, course(house), "checkpoint.left-out").evidence)
        assert self.END not in {one.id for one in course(house).steps}
