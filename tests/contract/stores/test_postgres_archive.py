"""Our reading of an archive held against barman-cloud and PostgreSQL themselves: bases, log, timeline, and real recoveries.

What an operator may call healthy is made here for real: one that stopped too early, one made empty, one that passed its target.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.archives.adapter import S3Archives
from adapters.archives.bases import lsn_of
from adapters.archives.results import ArchiveVerdict, RecoveryPoint
from adapters.cnpg.asking import ASK, QUIET, read_reached
from adapters.cnpg.results import Reached
from cluster.recovered import differences, reached_words
from engine.errors import PermanentError
from engine.secrets import Secret
from house.model import SecretRef
from house.values.databases import DatabaseArchive
from lab.parts.databases.barman import Cloud, lacks, s3_environment
from lab.parts.databases.postgres import Postgres, a_folder, authority_for
from lab.wire.pki import LabCA
from lab.wire.s3.door import AccessKey, S3Door
from lab.wire.s3.objects import ObjectStore
from lab.world.faults import Faults

pytestmark = [pytest.mark.programs, pytest.mark.asked, pytest.mark.long]
KEY, SERVER = "a-key-of-the-postgres-store", "pg"


class Secrets:
    """Resolves two references."""

    def resolve_as(self, name: str, ref: SecretRef) -> Secret | str:
        return "LABKEYID" if name == "AWS_ACCESS_KEY_ID" else Secret(KEY)


@dataclass
class Archived:
    """A database with rows 1, 2 and 3, of which the first is in the base backup, and the others in the log behind it."""

    first: Postgres
    folder: Path
    cloud: Cloud
    objects: ObjectStore
    archive: DatabaseArchive
    port: S3Archives
    segments: list[str]
    between: float

    def another(self, name: str) -> Postgres:
        """Another one beside it, not made yet."""
        return Postgres(name, self.folder, self.cloud)


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archived]:
    if why := lacks():
        pytest.skip(why)
    folder = a_folder()
    ca, objects = LabCA(tmp_path_factory.mktemp("ca")), ObjectStore(tmp_path_factory.mktemp("s3"))
    objects.make_bucket("db")
    # barman-cloud-wal-restore lists by a prefix that ends inside a name, which a project that keeps its own encryption refuses.
    keys, tls = (AccessKey("LABKEYID", Secret(KEY)),), ca.server("s3", "127.0.0.1").context()
    door = S3Door(objects, keys, tls, Faults(), encrypted=False).start()
    cloud = Cloud(door.url, "s3://db/prod", SERVER, s3_environment("LABKEYID", KEY, authority_for(folder, ca.ca_file)))
    first = Postgres("first", folder, cloud)
    references = tuple((name, SecretRef((f"env:{name}",))) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
    archive = DatabaseArchive("apps/pg", f"s3:{door.url}/db/prod/{SERVER}", references, str(ca.ca_file))
    try:
        first.make()
        first.start()
        first.psql("CREATE TABLE notes (n int); INSERT INTO notes VALUES (1);")
        first.back_up()
        first.psql("INSERT INTO notes VALUES (2);")
        segments = [first.archived()]
        time.sleep(1.2)  # times of the store are whole seconds
        between = time.time()
        time.sleep(1.2)
        first.psql("INSERT INTO notes VALUES (3);")
        segments.append(first.archived())
        yield Archived(
            first, folder, cloud, objects, archive,
            S3Archives(Secrets()), segments, between,  # type: ignore[arg-type]  # one method of it
        )  # fmt: skip
    finally:
        first.stop()
        door.close()
        shutil.rmtree(folder, ignore_errors=True)


def seen(database: Postgres) -> Reached:
    return read_reached(database.psql(ASK, QUIET))


def recovered(
    archived: Archived, name: str, point: RecoveryPoint, target: float = 0.0, without: str = ""
) -> tuple[Reached, str]:
    """What a real recovery of it says of itself, started anew as an operator does, and its rows."""
    database = archived.another(name)
    try:
        database.restore(point.base, target, without)
        database.start()
        database.stop()
        database.start()
        return seen(database), database.psql("SELECT string_agg(n::text, ' ' ORDER BY n) FROM notes")
    finally:
        database.stop()


def test_what_we_read_is_what_barman_and_postgres_say(archived: Archived) -> None:
    look, point = archived.port.look(archived.archive), archived.port.point(archived.archive, 0.0)
    (listed,) = json.loads(archived.first.listed())["backups_list"]
    control = archived.first.controldata()
    assert (look.verdict, look.bases, look.base) == (ArchiveVerdict.OK, 1, listed["backup_id"])
    assert point.system_id == control["Database system identifier"] == str(listed["systemid"])
    assert point.timeline == listed["timeline"] == int(control["Latest checkpoint's TimeLineID"])
    assert look.segment == point.segment == archived.segments[-1]
    assert (lsn_of(listed["end_xlog"]) or 0) < point.lsn < seen(archived.first).lsn


def test_one_that_was_recovered_to_the_end_is_proven(archived: Archived) -> None:
    point = archived.port.point(archived.archive, 0.0)
    found, rows = recovered(archived, "whole", point)
    assert rows == "1 2 3"
    assert differences(point, found) == ()
    assert found.timeline == point.timeline + 1
    assert reached_words(point, found).startswith("timeline 1 up to 0/")


def test_one_that_stopped_earlier_is_not_what_the_end_promises_and_is_what_its_time_does(archived: Archived) -> None:
    end, then = (archived.port.point(archived.archive, when) for when in (0.0, archived.between))
    assert (then.segment, then.target) == (archived.segments[0], archived.between)
    found, rows = recovered(archived, "early", then, archived.between)
    assert rows == "1 2"
    assert differences(then, found) == ()
    (stopped,) = differences(end, found)
    assert stopped.startswith("it stopped at a target of its own: before ")


def test_one_whose_last_segment_was_withheld_is_short_of_it(archived: Archived) -> None:
    point = archived.port.point(archived.archive, 0.0)
    found, rows = recovered(archived, "short", point, without=archived.segments[-1])
    assert rows == "1 2"
    (told,) = differences(point, found)
    held = f"its archive holds segment {point.segment}, which begins at 0/4000000"
    assert told == f"its log was replayed up to 0/4000000 alone, and {held}"


def test_one_that_passed_its_target_is_told(archived: Archived) -> None:
    then = archived.port.point(archived.archive, archived.between)
    found, _ = recovered(archived, "late", then)
    (told,) = differences(then, found)
    assert told.startswith("its log was replayed to the end, and the restore was to stop at ")


def test_one_that_was_made_empty_is_another_database(archived: Archived) -> None:
    fresh = archived.another("fresh")
    fresh.make()
    fresh.says(archive_mode="off")
    fresh.start()
    try:
        point = archived.port.point(archived.archive, 0.0)
        (told,) = differences(point, seen(fresh))
        assert told.startswith("it is another database: its system identifier is ")
        (told,) = differences(RecoveryPoint(point.base, "", 1, point.lsn, point.segment, 0.0), seen(fresh))
        assert told == "it was never recovered: it is on timeline 1, which has no history"
    finally:
        fresh.stop()


def test_one_that_runs_undisturbed_is_no_recovered_one(archived: Archived) -> None:
    point = archived.port.point(archived.archive, 0.0)
    assert differences(point, seen(archived.first)) == ("it was never recovered: it is on timeline 1, which has no history",)


def test_an_empty_one_that_archives_beside_it_makes_two_histories(archived: Archived) -> None:
    """The last of this file: it spoils the archive."""
    before = archived.port.point(archived.archive, 0.0)
    fresh = archived.another("beside")
    fresh.make()
    fresh.says(archive_mode="off")
    fresh.start()
    try:
        fresh.back_up()
        found = archived.port.look(archived.archive)
        assert found.verdict is ArchiveVerdict.MIXED
        assert f"system {before.system_id} with 1 base backup, " in found.detail
        with pytest.raises(PermanentError, match="two databases"):
            archived.port.point(archived.archive, 0.0)
        then = archived.port.point(archived.archive, archived.between)
        assert then.system_id == before.system_id
        assert archived.port.point(archived.archive, time.time()).system_id == fresh.controldata()["Database system identifier"]
    finally:
        fresh.stop()
