"""What is read out of one server's folder, whatever store it lies in; over a bucket's door: test_archives.py."""

from __future__ import annotations

import pytest

from adapters.archives.results import ArchiveLook, ArchiveVerdict
from lab.world.archives import ArchiveFiles

SEGMENT = "00000002000000070000001A"
SILENT = b"begin_time=2026-01-02 03:00:00.5+00:00\nend_time=2026-01-02 03:04:05.678+00:00\nstatus=DONE\n"
"""Ended well, and says nothing of the log that it needs."""
DONE = SILENT + f"begin_wal={SEGMENT}\nend_wal={SEGMENT}\n".encode()
WRITTEN = 1767323045.0


class Folder:
    """What barman-cloud left, file by file."""

    def __init__(self) -> None:
        self.kept = ArchiveFiles()

    def look(self) -> ArchiveLook:
        return self.kept.server.look()

    def base(self, name: str, info: bytes = DONE) -> None:
        self.put(f"base/{name}/backup.info", info)
        self.put(f"base/{name}/data.tar.bz2")

    def put(self, path: str, content: bytes = b"x") -> None:
        self.kept.files[path] = (content, WRITTEN)

    def delete(self, path: str) -> None:
        self.kept.files.pop(path, None)


@pytest.fixture
def folder() -> Folder:
    return Folder()


def test_a_log_without_a_segment_that_the_base_backup_needs_is_none(folder: Folder) -> None:
    names = [f"0000000200000007000000{last}" for last in ("FE", "FF")] + [f"00000002000000080000000{last}" for last in "012"]
    folder.base("20260102T030000", DONE + f"begin_wal={names[0]}\nend_wal={names[3]}\n".encode())
    for name in names:
        folder.put(f"wals/{name[:16]}/{name}.gz")
    assert folder.look().verdict is ArchiveVerdict.OK
    for name in names[:4]:
        key = f"wals/{name[:16]}/{name}.gz"
        for how in ("is not there", "has no bytes"):
            folder.delete(key)
            if how == "has no bytes":
                folder.put(key, b"")
            found = folder.look()
            assert found.verdict is ArchiveVerdict.NO_LOG
            needs = f"base backup 20260102T030000 needs all from {names[0]} to {names[3]}"
            assert found.detail == f"segment {name} {how}, and {needs}"
        folder.put(key)


def test_a_gap_behind_what_is_needed_is_how_far_a_restore_goes(folder: Folder) -> None:
    folder.base("20260102T030000", DONE + f"begin_wal={SEGMENT}\nend_wal={SEGMENT}\n".encode())
    for last in ("1A", "1B", "1D"):
        folder.put(f"wals/0000000200000007/0000000200000007000000{last}.gz")
    found = folder.look()
    assert (found.verdict, found.segment) == (ArchiveVerdict.GAP, "00000002000000070000001B")
    told = "the log has a gap between 00000002000000070000001B and 00000002000000070000001D: no restore goes beyond it"
    assert found.detail == told


@pytest.mark.parametrize("word", ["begin_wal", "end_wal"])
@pytest.mark.parametrize("value", [b"", b"=None", b"=", b"=17", b"=00000002000000070000001a"])
def test_a_base_backup_that_does_not_say_which_log_it_needs_is_none(folder: Folder, word: str, value: bytes) -> None:
    other = "end_wal" if word == "begin_wal" else "begin_wal"
    info = SILENT + f"{other}={SEGMENT}\n".encode() + (word.encode() + value + b"\n" if value else b"")
    folder.base("20260105T030000", info.replace(b"2026-01-02", b"2026-01-05"))
    folder.put(f"wals/0000000200000007/{SEGMENT}")
    found = folder.look()
    said = f"1 of the newest base backups cannot be restored: of 20260105T030000 its backup.info names no {word}"
    assert (found.verdict, found.detail) == (ArchiveVerdict.NO_BASE, said)
    folder.base("20260102T030000")
    found = folder.look()
    assert (found.verdict, found.base, found.detail) == (ArchiveVerdict.OK, "20260102T030000", said)


def test_where_the_newest_lacks_log_an_older_one_that_has_all_of_it_is_named(folder: Folder) -> None:
    for day, number in ((2, "1A"), (3, "2A"), (4, "3A"), (5, "4A")):
        segment = f"0000000200000007000000{number}"
        info = SILENT.replace(b"2026-01-02", b"2026-01-%02d" % day) + f"begin_wal={segment}\nend_wal={segment}\n".encode()
        folder.base(f"2026010{day}T030000", info)
    folder.put(f"wals/0000000200000007/{SEGMENT}")
    folder.put("wals/0000000200000007/00000002000000070000002A")
    found = folder.look()
    assert (found.verdict, found.base) == (ArchiveVerdict.NO_LOG, "20260105T030000")
    assert found.detail.endswith(
        "from 00000002000000070000004A to 00000002000000070000004A; base backup 20260103T030000 has all the log that it needs: "
        "recoveryTarget.backupID takes it"
    )
    for key in (SEGMENT, "00000002000000070000002A"):
        folder.delete(f"wals/0000000200000007/{key}")
    folder.put("wals/0000000200000007/00000002000000070000009A")
    assert folder.look().detail.endswith("; no other of the newest base backups has all of its log either")


@pytest.mark.parametrize(
    ("files", "info", "told"),
    [
        ({}, b"", "its data.tar is not there"),
        ({"data.tar.gz": b""}, b"", "its data.tar has no bytes"),
        ({"data.tar": b""}, b"", "its data.tar has no bytes"),
        ({"data.tar.snappy": b"x", "data_0002.tar.snappy": b"x"}, b"", "its data_0001.tar is not there"),
        ({"data.tar.gz": b"x"}, b"tablespaces=[('fast', 16387, '/fast')]\n", "its 16387.tar is not there"),
        ({"data.tar.gz": b"x", "16387.tar.gz": b""}, b"tablespaces=[('fast', 16387, '/fast')]\n", "its 16387.tar has no bytes"),
        ({"16387.tar": b"x"}, b"snapshots_info=None\n", "its data.tar is not there"),
    ],
)
def test_a_base_backup_without_its_data_is_none(folder: Folder, files: dict[str, bytes], info: bytes, told: str) -> None:
    folder.put("base/20260105T030000/backup.info", DONE.replace(b"2026-01-02", b"2026-01-05") + info)
    for name, content in files.items():
        folder.put(f"base/20260105T030000/{name}", content)
    folder.put(f"wals/0000000200000007/{SEGMENT}")
    found = folder.look()
    said = f"1 of the newest base backups cannot be restored: of 20260105T030000 {told}"
    assert (found.verdict, found.detail) == (ArchiveVerdict.NO_BASE, said)
    folder.base("20260102T030000")
    found = folder.look()
    assert (found.verdict, found.base, found.bases, found.detail) == (ArchiveVerdict.OK, "20260102T030000", 1, said)


@pytest.mark.parametrize(
    ("files", "info"),
    [
        (("data.tar",), b"tablespaces=None\n"), (("data.tar.gz", "data_0001.tar.gz"), b""),
        (("data.tar.zst", "16387.tar.zst"), b"tablespaces=[('fast', 16387, '/fast')]\n"),
        ((), b"snapshots_info={'provider': 'aws', 'snapshots': [{}]}\n"),
    ],
)  # fmt: skip
def test_a_base_backup_has_its_data_under_any_of_barman_s_names(folder: Folder, files: tuple[str, ...], info: bytes) -> None:
    folder.put("base/20260105T030000/backup.info", DONE + info)
    for name in files:
        folder.put(f"base/20260105T030000/{name}")
    folder.put(f"wals/0000000200000007/{SEGMENT}")
    assert folder.look().verdict is ArchiveVerdict.OK
