"""A database's archive in a bucket: what lies there, on the S3 door with the real client; and none of the answers shares a word."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from adapters.archives.adapter import S3Archives
from adapters.archives.results import ArchiveVerdict, Undecided
from adapters.secrets.names import is_open
from cluster.by_hand import archive_by_hand
from engine.errors import PermanentError
from engine.secrets import Secret
from house.model import SecretRef
from house.values.databases import DatabaseArchive
from lab.wire.pki import LabCA
from lab.wire.s3.door import AccessKey, S3Door
from lab.wire.s3.objects import ObjectStore
from lab.world.faults import Faults

SEGMENT = "00000002000000070000001A"
SILENT = b"begin_time=2026-01-02 03:00:00.5+00:00\nend_time=2026-01-02 03:04:05.678+00:00\nstatus=DONE\n"
"""Ended well, and says nothing of the log that it needs."""
DONE = SILENT + f"begin_wal={SEGMENT}\nend_wal={SEGMENT}\n".encode()
ENDED = 1767323045.678
FAILED = b"end_time=None\nstatus=FAILED\n"


class Secrets:
    """Resolves two references."""

    def resolve_as(self, name: str, ref: SecretRef) -> Secret | str:
        known = {"env:ID": "LABKEYID", "env:KEY": "the-secret-key-of-the-store", "env:WRONG": "another-key-entirely"}
        value = known[ref.sources[0]]
        return value if is_open(name) else Secret(value)


@dataclass
class Bucket:
    """What is behind the door, and the archive as the settings open it."""

    door: S3Door
    objects: ObjectStore
    archive: DatabaseArchive
    port: S3Archives

    def base(self, name: str, info: bytes = DONE) -> None:
        self.put(f"base/{name}/backup.info", info)
        self.put(f"base/{name}/data.tar.bz2")

    def put(self, key: str, content: bytes = b"x") -> None:
        self.objects.write("pg", f"prod/postgres-v17/{key}", content)


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[Bucket]:
    ca, objects = LabCA(tmp_path / "ca"), ObjectStore(tmp_path / "s3")
    objects.make_bucket("pg")
    key = AccessKey("LABKEYID", Secret("the-secret-key-of-the-store"))
    door = S3Door(objects, (key,), ca.server("s3", "127.0.0.1").context(), Faults()).start()
    environment = (("AWS_ACCESS_KEY_ID", SecretRef(("env:ID",))), ("AWS_SECRET_ACCESS_KEY", SecretRef(("env:KEY",))))
    archive = DatabaseArchive("db/pg", f"s3:{door.url}/pg/prod/postgres-v17", environment, str(ca.ca_file))
    yield Bucket(door, objects, archive, S3Archives(Secrets()))  # type: ignore[arg-type]  # one method of it
    door.close()


def test_the_newest_base_backup_that_ended_well_and_the_newest_segment_are_told(bucket: Bucket) -> None:
    bucket.base("20260102T030000", DONE)
    bucket.base("20251231T030000", DONE.replace(b"2026-01-02", b"2025-12-31"))
    bucket.put("base/20260103T030000/backup.info", FAILED)
    bucket.put("base/20260104T030000/data.tar.bz2")
    bucket.put(f"wals/0000000200000007/{SEGMENT}.bz2")
    bucket.put("wals/0000000200000007/000000020000000700000009.bz2")
    bucket.put("wals/0000000100000007/0000000100000007000000FF.bz2")
    bucket.put("wals/00000002.history")
    found = bucket.port.look(bucket.archive)
    assert (found.verdict, found.bases, found.base) == (ArchiveVerdict.OK, 2, "20260102T030000")
    assert found.base_time == pytest.approx(ENDED)
    assert (found.segment, found.segment_time is not None) == (SEGMENT, True)
    assert found.detail == "2 of the newest base backups did not end well"


def test_nothing_no_base_backup_and_no_log_are_three_things(bucket: Bucket) -> None:
    bucket.objects.write("pg", "prod/postgres-v16/base/20260102T030000/backup.info", DONE)
    assert bucket.port.look(bucket.archive).verdict is ArchiveVerdict.EMPTY
    bucket.put(f"wals/0000000200000007/{SEGMENT}")
    found = bucket.port.look(bucket.archive)
    assert (found.verdict, found.detail, found.segment) == (ArchiveVerdict.NO_BASE, "the log alone", SEGMENT)
    bucket.put("base/20260103T030000/backup.info", FAILED)
    found = bucket.port.look(bucket.archive)
    assert (found.verdict, found.detail) == (ArchiveVerdict.NO_BASE, "1 was begun, and none of the newest 1 ended well")
    bucket.base("20260104T030000")
    assert bucket.port.look(bucket.archive).verdict is ArchiveVerdict.OK
    bucket.objects.delete("pg", f"prod/postgres-v17/wals/0000000200000007/{SEGMENT}")
    assert bucket.port.look(bucket.archive).verdict is ArchiveVerdict.NO_LOG


def test_who_may_not_look_who_gets_no_answer_and_who_was_told_too_little(bucket: Bucket) -> None:
    archive = bucket.archive
    wrong = (archive.environment[0], ("AWS_SECRET_ACCESS_KEY", SecretRef(("env:WRONG",))))
    assert bucket.port.look(replace(archive, environment=wrong)).verdict is ArchiveVerdict.REFUSED
    elsewhere = replace(archive, place=archive.place.replace("/pg/", "/gp/"))
    assert bucket.port.look(elsewhere).verdict is ArchiveVerdict.MISSING
    none = bucket.port.look(replace(archive, environment=()))
    assert (none.verdict, "no AWS_ACCESS_KEY_ID" in none.detail) == (ArchiveVerdict.UNKNOWN, True)
    untold = bucket.port.look(replace(archive, place="", note="its ObjectStore is not in the repository"))
    assert (untold.verdict, untold.detail) == (ArchiveVerdict.UNKNOWN, "its ObjectStore is not in the repository")
    for closed, why in ((replace(archive, environment=wrong), "refused"), (replace(archive, environment=()), "is given")):
        with pytest.raises(Undecided, match=why):  # nothing is known of it: not to be taken for none
            bucket.port.point(closed, 0.0)
    bucket.door.close()
    assert bucket.port.look(archive).verdict is ArchiveVerdict.UNREACHABLE


def test_the_line_by_hand_lists_the_base_backups_that_are_there(bucket: Bucket) -> None:
    bucket.put("base/20260102T030000/backup.info", DONE)
    bucket.put("base/20260103T030000/backup.info", DONE)
    environment = {"PATH": os.environ["PATH"], "ID": "LABKEYID", "KEY": "the-secret-key-of-the-store"}

    def typed(**changes: str) -> subprocess.CompletedProcess[str]:
        words = ["/bin/bash", "-c", archive_by_hand(bucket.archive)]
        return subprocess.run(words, env=environment | changes, capture_output=True, text=True, timeout=60, check=False)

    done = typed()
    assert done.returncode == 0, done.stderr
    told = re.findall(r"<Prefix>prod/postgres-v17/base/(\w+)/</Prefix>", done.stdout)
    assert sorted(told) == ["20260102T030000", "20260103T030000"]
    assert typed(KEY="another-key-entirely").returncode == 22


def test_base_backups_of_two_databases_and_a_gap_are_told_over_the_door(bucket: Bucket) -> None:
    bucket.base("20260102T030000", DONE + b"systemid=7123456789012345678\n")
    for last in ("1A", "1B"):
        bucket.put(f"wals/0000000200000007/0000000200000007000000{last}.gz")
    assert bucket.port.look(bucket.archive).verdict is ArchiveVerdict.OK
    bucket.put("wals/0000000200000007/00000002000000070000001D.gz")
    assert bucket.port.look(bucket.archive).verdict.value == "log with a gap"
    bucket.base("20260103T030000", DONE.replace(b"2026-01-02", b"2026-01-03") + b"systemid=7599999999999999999\n")
    assert bucket.port.look(bucket.archive).verdict.value == "two histories"
    with pytest.raises(PermanentError, match="two databases"):
        bucket.port.point(bucket.archive, 0.0)
