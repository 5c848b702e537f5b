"""preflight.archive and hold.database: a database's archive with its ages, and the decision that its rebuild needs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.archives.results import ArchiveLook, ArchiveVerdict, RecoveryPoint
from adapters.hold.results import PinnedDatabase
from bootstrap.checks.backups.databases import checks
from engine.probe import Condition
from engine.step import Severity, StepId
from house.values.databases import Database, DatabaseArchive, RestorableDatabase
from lab.world.cluster.databases import LabDatabase
from tests.databases import OLD, a_database
from tests.hands import is_a_command, see
from tests.scenario.running import Running

PLACE = "s3:https://s3.invalid/bucket/pg"
CHECK, DECISION = "preflight.archive/apps/pg", "hold.database/apps/pg"
OWN = "database.own-archive/apps/pg"


@pytest.fixture
def house(bare: Running) -> Running:
    bare.house = replace(
        bare.house,
        archives=(DatabaseArchive("apps/pg", PLACE),),
        databases=(Database("apps", "pg", "apps/notes", archives=True, recovers=False, declared_in="pg.yaml:1"),),
    )
    return bare


def test_the_archive_is_told_with_its_ages(house: Running) -> None:
    now = house.clock.now()
    house.home.store.archives[PLACE] = ArchiveLook(
        ArchiveVerdict.OK, bases=3, base="20260102T030000", base_time=now - 7200, segment="0" * 24, segment_time=now - 360
    )
    seen = see(house, house.bootstrap, CHECK)
    assert seen.condition is Condition.SATISFIED
    assert seen.detail == "3 base backups, newest base backup 2.0 h old and log 6 min old"


def test_an_empty_archive_one_without_a_base_backup_and_a_silent_store_are_told_apart(house: Running) -> None:
    assert see(house, house.bootstrap, CHECK).detail == "empty: nothing is at this address"
    house.home.store.archives[PLACE] = ArchiveLook(ArchiveVerdict.NO_BASE, "the log alone")
    seen = see(house, house.bootstrap, CHECK)
    assert (seen.condition, seen.detail) == (Condition.MISSING, "no base backup: the log alone")
    house.home.store.down = True
    seen = see(house, house.bootstrap, CHECK)
    assert (seen.condition, seen.detail) == (Condition.UNKNOWN, "unreachable: connection refused")


def test_an_old_one_and_one_whose_log_ends_before_its_base_backup_are_no_yes(house: Running) -> None:
    now, day = house.clock.now(), 86400.0
    found = ArchiveLook(ArchiveVerdict.OK, "", 3, "20250102T030000", now - 400 * day, "0" * 24, now - 360)
    house.home.store.archives[PLACE] = found
    seen = see(house, house.bootstrap, CHECK)
    assert (seen.condition, seen.detail.partition(":")[0]) == (Condition.DRIFTED, "expired")
    house.home.store.archives[PLACE] = replace(found, base_time=now - 3600, segment_time=now - 7200)
    seen = see(house, house.bootstrap, CHECK)
    assert (seen.condition, seen.detail.partition(":")[0]) == (Condition.MISSING, "no write-ahead log")


def test_both_warn_and_stop_nothing_and_a_person_can_type_them(house: Running) -> None:
    found = {check.id: check for check in checks(house.house)}
    assert set(found) == {CHECK, DECISION, OWN}
    for check in found.values():
        assert check.severity is Severity.ADVISORY
        assert is_a_command(check.by_hand())
    assert "cnpg.apps.pg" in found[StepId(DECISION)].by_hand()


class TestOneThatIsMadeAgain:
    """Until it is proven a warning says so; then the row is well, although Git does not say that it recovers."""

    KEY = ("apps", "pg")

    def made(self, house: Running, one: RestorableDatabase, **entry: object) -> None:
        house.house = replace(house.house, databases=(one.database,), restorable=(one,))
        objects = house.home.kube.objects()
        objects.record = {}
        objects.clusters[self.KEY] = LabDatabase("u-1", 1.0, recovers=True, writes="")
        if entry:
            point = RecoveryPoint("b", "7", 1, 1, "0" * 24, 1.0)
            pinned = PinnedDatabase("apps", "pg", OLD, point)
            objects.pinned[self.KEY] = replace(pinned, **entry)  # type: ignore[arg-type]  # fields by name

    @pytest.mark.parametrize("recovers", [True, False])
    def test_what_was_proven_is_well_and_another_of_its_name_is_not(self, built: Running, recovers: bool) -> None:
        self.made(built, a_database(recovers=recovers), uid="u-1", proven=2.0, depth="timeline 1")
        seen = see(built, built.bootstrap, DECISION)
        assert (seen.condition, seen.detail) == (Condition.SATISFIED, f"made again from {OLD}, proven: timeline 1")
        built.home.kube.objects().clusters[self.KEY].uid = "u-2"
        assert see(built, built.bootstrap, DECISION).detail == "made by recovery, not proven yet"

    def test_what_was_refuted_says_why_and_how_to_go_on(self, built: Running) -> None:
        self.made(built, a_database(recovers=True), refuted="it is another database")
        seen = see(built, built.bootstrap, DECISION)
        assert (seen.condition, seen.detail) == (Condition.DRIFTED, "made by recovery, and it is another database")
        assert seen.hint == "invoke dr.restore --claims database:apps/pg"

    def test_one_that_nobody_looked_at_is_told_in_a_cluster_that_was_made_anew(self, built: Running) -> None:
        self.made(built, a_database(recovers=True))
        assert see(built, built.bootstrap, DECISION).detail == "it is made by recovery from its archive"


    def test_one_that_comes_back_over_its_own_archive_is_no_yes(self, built: Running) -> None:
        """CloudNativePG archives to no place where an archive is: a rebuild waits there for good, although Git lets it recover."""
        self.made(built, replace(a_database(recovers=True, source=OLD, writes=OLD), over_itself=True))
        del built.home.kube.objects().clusters[self.KEY]
        seen = see(built, built.bootstrap, DECISION)
        assert (seen.condition, OLD in seen.evidence) == (Condition.DRIFTED, True)
        assert "waits there for good" in seen.detail and "serverName" in seen.hint
        built.house = replace(built.house, restorable=(a_database(recovers=True),))
        assert see(built, built.bootstrap, DECISION).condition is Condition.SATISFIED


class TestWhoseItIs:
    """Held against the database that runs; what could not be read, or does not say whose it is, is no yes."""

    LOOK = ArchiveLook(ArchiveVerdict.OK, bases=1, base="20260102T030000", system_id="7123456789012345678")

    def made(self, house: Running, look: ArchiveLook) -> None:
        archive, database = DatabaseArchive("apps/pg", PLACE), a_database(recovers=True).database
        house.house = replace(house.house, archives=(archive,), databases=(database,))
        objects = house.home.kube.objects()
        objects.clusters[("apps", "pg")] = LabDatabase("u-1", 1.0, recovers=True, writes="")
        entry = PinnedDatabase("apps", "pg", OLD, RecoveryPoint("b", "7123456789012345678", 1, 1, "0" * 24, 1.0))
        objects.pinned[("apps", "pg")] = replace(entry, uid="u-1", proven=2.0)
        house.home.store.archives[PLACE] = look

    def test_its_own_is_well_and_another_s_is_not(self, built: Running) -> None:
        self.made(built, self.LOOK)
        assert see(built, built.bootstrap, OWN).condition is Condition.SATISFIED
        built.home.store.archives[PLACE] = replace(self.LOOK, system_id="7599999999999999999")
        assert see(built, built.bootstrap, OWN).condition is Condition.DRIFTED

    @pytest.mark.parametrize("look", [
        ArchiveLook(ArchiveVerdict.UNREACHABLE, "connection refused"), ArchiveLook(ArchiveVerdict.REFUSED, "AccessDenied"),
        replace(LOOK, verdict=ArchiveVerdict.MIXED, detail="two"),
    ])  # fmt: skip
    def test_what_the_row_of_the_archive_is_red_for_is_told_there_alone(self, built: Running, look: ArchiveLook) -> None:
        self.made(built, look)
        seen = see(built, built.bootstrap, OWN)
        assert (seen.condition, seen.detail) == (Condition.SATISFIED, f"not compared: {look.verdict.value}, of which {CHECK} tells")
        assert see(built, built.bootstrap, CHECK).condition is not Condition.SATISFIED

    def test_a_good_one_that_does_not_say_whose_it_is_is_no_yes(self, built: Running) -> None:
        now = built.clock.now()
        self.made(built, replace(self.LOOK, system_id="", base_time=now - 7200, segment="0" * 24, segment_time=now - 360))
        assert see(built, built.bootstrap, CHECK).condition is Condition.SATISFIED
        seen = see(built, built.bootstrap, OWN)
        assert (seen.condition, seen.detail) == (Condition.UNKNOWN, "its newest base backup does not say whose it is")

    def test_where_no_database_runs_there_is_nothing_to_compare(self, built: Running) -> None:
        self.made(built, self.LOOK)
        del built.home.kube.objects().clusters[("apps", "pg")]
        assert see(built, built.bootstrap, OWN).condition is Condition.SATISFIED
