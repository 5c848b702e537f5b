"""A database comes back from its archive, and is proven by what that promises: never by its operator's word."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.archives.results import ArchiveLook, ArchiveVerdict
from adapters.cnpg.manifest import new_server
from adapters.hold.results import PinnedDatabase
from cluster.course import Course
from engine.errors import EXIT_HELD, ApprovalMissing
from engine.report import Outcome, Report
from house.values.databases import RestorableDatabase
from lab.world.cluster.databases import HEALTHY, DatabaseTrouble
from recovery.course import course
from recovery.databases import lost_databases
from tests.copied import copied
from tests.databases import KEY, NEW, OLD, STORE, a_database, a_house_with, an_archive
from tests.hands import is_a_command, step
from tests.scenario.running import Running

PIN, RESTORE, PROVE = "dr.database-pin/apps/pg", "dr.database-restore/apps/pg", "dr.database-prove/apps/pg"


class Restored(Running):
    """A house with one database, whose archive is there."""

    def archived(self, timeline: int = 1) -> None:
        """All that its databases' archive holds."""
        self.home.store.databases[OLD] = an_archive(self.clock.now(), timeline)

    @property
    def one(self) -> RestorableDatabase:
        return self.house.restorable[0]

    def back(self, as_of: float = 0.0) -> Course:
        """The restore of that database alone."""
        return course(self.house, (), as_of=as_of, databases=(self.one,))

    @property
    def entry(self) -> PinnedDatabase:
        (entry,) = self.home.look().hold.record().pinned
        return entry

    def git_says(self, one: RestorableDatabase) -> None:
        """Another Cluster is pushed; Flux reads it when it applies next."""
        self.house = self.home.kube.house = replace(self.house, restorable=(one,), databases=(one.database,))


def built(folder: Path, one: RestorableDatabase, trouble: DatabaseTrouble | None = None, timeline: int = 1) -> Restored:
    """After a bootstrap."""
    return copied(_built, folder, one, trouble, timeline)


def _built(folder: Path, one: RestorableDatabase, trouble: DatabaseTrouble | None, timeline: int) -> Restored:
    house = Restored(folder / "state", a_house_with(one))
    house.backed_up()
    house.archived(timeline)
    if trouble is not None:
        house.home.operator.troubles["apps/pg"] = trouble
    house.apply(house.bootstrap)
    return house


def fine(report: Report) -> Report:
    """One that brought the database back, proven; its claim is held still."""
    assert (report.root_causes, report[PROVE].outcome) == ((), Outcome.CHANGED)
    return report


def words(report: Report, step: str) -> str:
    error = report[step].error
    return " ".join((str(error), *getattr(error, "evidence", ()))) if error is not None else report[step].detail


class TestGitDeclaresTheRecovery:
    def test_it_is_pinned_waited_for_and_proven(self, tmp_path: Path) -> None:
        house = built(tmp_path, a_database(recovers=True))
        report = fine(house.apply(house.back()))
        assert " to the end of its log, 20" in report[PIN].detail
        told = report[PROVE].detail
        assert told.startswith("timeline 1 up to 0/7801028 (no recovery target specified), now on timeline 2; 1 of its own")
        assert "login as app with Secret pg-app, a password that the operator made up, works" in told
        assert house.entry.uid == house.home.kube.objects().clusters[KEY].uid
        assert house.plan(house.back()).changes == ()
        assert lost_databases(house.home.look(), house.house) == ()

    @pytest.mark.parametrize(
        ("trouble", "says"),
        [
            (DatabaseTrouble.EMPTY, "it is another database: its system identifier is 7000000000000000000"),
            (DatabaseTrouble.EARLY, "its log was replayed up to 0/2801028 alone, and its archive holds segment 000000010000"),
            (DatabaseTrouble.OTHER_TIMELINE, "it came along timeline 2, and its archive ends on timeline 1"),
        ],
    )
    def test_what_its_operator_calls_healthy_is_not_believed(self, tmp_path: Path, trouble: DatabaseTrouble, says: str) -> None:
        house = built(tmp_path, a_database(recovers=True, expect=""), trouble)
        report = house.apply(house.back())
        assert HEALTHY in report[RESTORE].detail
        assert [step.id for step in report.root_causes] == [PROVE]
        assert says in words(report, PROVE)
        assert (house.entry.proven, says in house.entry.refuted) == (0.0, True)
        assert lost_databases(house.home.look(), house.house) == (house.one,)

    def test_rows_that_are_not_what_the_settings_want_refute_it(self, tmp_path: Path) -> None:
        house = built(tmp_path, a_database(recovers=True, expect="row-1"))
        report = house.apply(house.back())
        assert "answers row-1 row-2 row-3, and row-1 was expected" in words(report, PROVE)

    @pytest.mark.parametrize(
        ("trouble", "says"),
        [(DatabaseTrouble.STUCK, "CrashLoopBackOff"), (DatabaseTrouble.HOPELESS, "unrecoverable")],
    )
    def test_a_recovery_that_never_ends_fails_with_what_the_operator_says(
        self, tmp_path: Path, trouble: DatabaseTrouble, says: str
    ) -> None:
        house = built(tmp_path, a_database(recovers=True), trouble)
        report = house.apply(house.back())
        assert [step.id for step in report.root_causes] == [RESTORE]
        assert says in words(report, RESTORE)

    def test_a_password_that_does_not_fit_is_a_warning_and_no_fault_of_the_data(self, tmp_path: Path) -> None:
        house = built(tmp_path, a_database(recovers=True), DatabaseTrouble.LOGIN)
        report = fine(house.apply(house.back()))
        assert "is refused: FATAL:  password authentication failed" in report[PROVE].detail

    def test_a_name_that_is_read_and_written_is_refused_before_the_operator_waits_for_good(self, tmp_path: Path) -> None:
        house = built(tmp_path, a_database(recovers=True))
        del house.home.kube.objects().clusters[KEY]
        house.git_says(a_database(recovers=True, writes=OLD))
        report = house.apply(house.back())
        assert [step.id for step in report.root_causes] == [PIN]
        assert "would archive to where an archive is already" in words(report, PIN)

    @pytest.mark.parametrize("verdict", [ArchiveVerdict.REFUSED, ArchiveVerdict.UNKNOWN, ArchiveVerdict.MISSING])
    @pytest.mark.parametrize("recovers", [True, False])
    def test_a_name_of_which_nobody_can_tell_is_called_neither_free_nor_taken(
        self, recovers: bool, verdict: ArchiveVerdict, tmp_path: Path
    ) -> None:
        house = built(tmp_path, a_database(recovers=recovers))
        house.home.kube.objects().clusters.pop(KEY, None)
        point = house.home.look().archives.point(house.one.source, 0.0)
        place = NEW if recovers else f"{STORE}/{new_server(OLD.rpartition('/')[2], point)}"
        house.home.store.archives[place] = ArchiveLook(verdict, "it says no")
        report = house.apply(house.back())
        assert [step.id for step in report.root_causes] == [PIN]
        assert f"whether anything lies where database apps/pg is to archive to is not known: {verdict.value}" in words(report, PIN)

    def test_a_time_of_ours_does_not_change_what_git_says_and_git_s_own_time_counts(self, tmp_path: Path) -> None:
        house = built(tmp_path, a_database(recovers=True))
        two_hours_ago = house.clock.now() - 5400
        assert "--as-of does not change that" in words(house.apply(house.back(two_hours_ago)), PIN)
        house.git_says(a_database(recovers=True, target="targetLSN 0/5000000"))
        assert "recover up to targetLSN 0/5000000" in words(house.apply(house.back()), PIN)
        assert house.home.look().hold.record().pinned == ()


class TestGitDeclaresNone:
    def test_a_bootstrap_waits_for_nothing_that_a_person_has_to_decide_and_ends_as_held(self, tmp_path: Path) -> None:
        house = Restored(tmp_path / "state", a_house_with(a_database(recovers=False)))
        house.backed_up()
        house.archived()
        report = house.apply(house.bootstrap)
        assert (report.root_causes, report.exit_code) == ((), EXIT_HELD)
        flux = report["flux.reconcile"]
        assert "2 for a database that the hold refuses" in flux.detail
        assert flux.seconds < house.house.limits.flux_s / 2

    def test_one_is_written_for_review_made_by_consent_and_flux_waits_for_git(self, tmp_path: Path) -> None:
        house = built(tmp_path, a_database(recovers=False))
        assert lost_databases(house.home.look(), house.house) == (house.one,)
        report = house.apply(house.back())
        assert report.exit_code == ApprovalMissing.exit_code
        assert house.home.kube.objects().clusters == {}
        line = house.plan(house.back())[RESTORE]
        assert line.act is not None
        assert "database apps/pg made by /house/state/four-nodes/databases/apps.pg.json, SHA-256 " in line.act.words
        assert f"read from {OLD}" in line.act.words
        report = house.apply(house.back(), house.consent(house.back()))
        assert report.exit_code == EXIT_HELD, report.root_causes
        made = house.home.kube.objects().clusters[KEY]
        assert made.writes.startswith(f"{STORE}/pg-old-20")
        assert made.rows == ("row-1", "row-2", "row-3")
        kept = house.home.kube.objects().kustomizations["apps/pg"]
        assert (kept.suspended, kept.ours) == (True, True)
        assert report[PROVE].outcome is Outcome.HELD
        assert "Kustomization apps/pg stays suspended" in report[PROVE].detail
        house.git_says(a_database(recovers=False, writes=made.writes, source=made.writes))
        report = fine(house.apply(house.back()))
        assert not house.home.kube.objects().kustomizations["apps/pg"].suspended
        assert house.home.kube.objects().clusters[KEY] is made

    def test_one_whose_store_was_refused_with_it_is_not_begun_and_comes_by_git(self, tmp_path: Path) -> None:
        """Flux applies nothing of a Kustomization whose Cluster the hold refuses, the ObjectStore beside it neither."""
        house = built(tmp_path, a_database(recovers=False))
        house.home.operator.lacking["apps/pg"] = ("ObjectStore apps/store",)
        report = house.apply(house.back())
        assert [step.id for step in report.root_causes] == [RESTORE]
        assert "ObjectStore apps/store is not in the cluster the hold refuses the Cluster at pg.yaml:1" in words(report, RESTORE)
        assert house.home.kube.objects().clusters == {}
        house.git_says(a_database(recovers=True))
        fine(house.apply(house.back()))

    def test_nothing_is_made_while_flux_goes_on_with_what_it_began_before_it_was_suspended(self, tmp_path: Path) -> None:
        """It would apply what Git says over the recovery, which would archive to where it was restored from."""
        house = built(tmp_path, a_database(recovers=False))
        house.apply(house.back())
        given, world = house.consent(house.back()), house.home.kube.world
        kept = house.home.kube.objects().kustomizations
        kept["apps/pg"] = replace(kept["apps/pg"], reconciling=True, reason="Progressing")
        ends = world.clock.now() + 4.0

        def end() -> None:
            kept["apps/pg"] = replace(kept["apps/pg"], reconciling=False)

        world.after(4.0, "applied", end)
        report = house.apply(house.back(), given)
        assert (report.exit_code, report[RESTORE].tries) == (EXIT_HELD, 2), report.root_causes
        assert house.home.kube.objects().clusters[KEY].created >= ends

    def test_one_that_archives_to_where_it_was_restored_from_is_never_proven(self, tmp_path: Path) -> None:
        house = built(tmp_path, a_database(recovers=False))
        house.apply(house.back())
        house.apply(house.back(), house.consent(house.back()))
        house.home.kube.objects().clusters[KEY].writes = OLD
        report = house.apply(house.back())
        assert [step.id for step in report.root_causes] == [RESTORE]
        assert "archives to the very place that it was restored from" in words(report, RESTORE)

    def test_a_recovery_that_was_edited_after_the_consent_is_not_made(self, tmp_path: Path) -> None:
        house = built(tmp_path, a_database(recovers=False))
        house.apply(house.back())
        given = house.consent(house.back())
        house.home.operator.drafts[KEY] += "\n"
        assert house.apply(house.back(), given).exit_code == ApprovalMissing.exit_code
        assert house.home.kube.objects().clusters == {}

    def test_it_goes_back_to_a_time_and_the_end_of_the_log_is_refuted_then(self, tmp_path: Path) -> None:
        house = built(tmp_path, a_database(recovers=False, expect="row-1 row-2"))
        then = house.home.store.databases[OLD].commits[1].time + 60
        house.apply(house.back(then))
        report = house.apply(house.back(then), house.consent(house.back(then)))
        assert report.exit_code == EXIT_HELD, report.root_causes
        assert house.home.kube.objects().clusters[KEY].rows == ("row-1", "row-2")

    def test_one_that_passes_its_time_is_told(self, tmp_path: Path) -> None:
        house = built(tmp_path, a_database(recovers=False, expect=""), DatabaseTrouble.PAST_ITS_TARGET)
        then = house.home.store.databases[OLD].commits[1].time + 60
        house.apply(house.back(then))
        report = house.apply(house.back(then), house.consent(house.back(then)))
        assert "its log was replayed to the end, and the restore was to stop at" in words(report, PROVE)

    def test_one_that_was_refuted_is_made_again_beside_what_it_archived_meanwhile(self, tmp_path: Path) -> None:
        """What its operator had called healthy archived at once: made again to the same place, it would wait there for good."""
        house = built(tmp_path, a_database(recovers=False, expect=""), DatabaseTrouble.EARLY)
        house.apply(house.back())
        report = house.apply(house.back(), house.consent(house.back()))
        assert [step.id for step in report.root_causes] == [PROVE]
        refuted = house.home.kube.objects().clusters.pop(KEY).writes
        house.home.store.databases[refuted] = replace(an_archive(house.clock.now()), system_id="7999999999999999999")
        house.home.operator.troubles.clear()
        assert house.apply(house.back()).exit_code == ApprovalMissing.exit_code
        report = house.apply(house.back(), house.consent(house.back()))
        assert report.exit_code == EXIT_HELD, report.root_causes
        assert house.home.kube.objects().clusters[KEY].writes == f"{refuted}-2"
        assert house.home.store.databases[refuted].system_id == "7999999999999999999", "what was refuted stays where it is"

    def test_one_that_is_alive_is_never_made_over(self, tmp_path: Path) -> None:
        house = built(tmp_path, a_database(recovers=True))
        house.git_says(a_database(recovers=False, writes=NEW, source=NEW))
        house.home.kube.objects().clusters[KEY].recovers = False
        report = house.apply(house.back())
        assert "is there, and was not made by a recovery" in words(report, PIN)


def test_an_archive_on_a_later_timeline_comes_back_on_the_next(tmp_path: Path) -> None:
    house = built(tmp_path, a_database(recovers=True), timeline=3)
    report = fine(house.apply(house.back()))
    assert report[PROVE].detail.startswith("timeline 3 up to ")


def test_a_silent_store_and_an_empty_one_pin_nothing(tmp_path: Path) -> None:
    house = built(tmp_path, a_database(recovers=True))
    house.home.store.down = True
    assert house.apply(house.back())[PIN].outcome is Outcome.FAILED
    house.home.store.down = False
    house.home.store.databases.clear()
    assert "could be restored from: the archive has no base backup" in words(house.apply(house.back()), PIN)
    assert house.home.look().hold.record().pinned == ()


def test_the_distance_to_the_claims_that_belong_to_it_is_told(tmp_path: Path) -> None:
    house = built(tmp_path, a_database(recovers=True))
    house.apply(course(house.house, house.house.claims, databases=(house.one,)))
    report = house.apply(house.back())
    assert "; of the same second as the restore point of claim apps/notes (" in report[PIN].detail


def test_a_lost_one_is_pinned_anew(tmp_path: Path) -> None:
    house = built(tmp_path, a_database(recovers=True))
    fine(house.apply(house.back()))
    first = house.entry
    del house.home.kube.objects().clusters[KEY]
    assert lost_databases(house.home.look(), house.house) == (house.one,)
    house.clock.sleep(120)
    house.home.store.databases.pop(NEW, None)
    fine(house.apply(house.back()))
    assert house.entry.uid != first.uid
    assert house.entry.since > first.since


@pytest.mark.parametrize("recovers", [True, False])
def test_by_hand_each_is_one_command(tmp_path: Path, recovers: bool) -> None:
    house = Restored(tmp_path / "state", a_house_with(a_database(recovers=recovers)))
    for name in (PIN, RESTORE, PROVE):
        assert is_a_command(step(house.back(), name).by_hand()), name
