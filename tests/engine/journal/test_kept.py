"""What is on the disk when, and what the next run knows by it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.errors import JournalDamaged, JournalUnwritable
from engine.journal import SystemDisk, open_journal, read_state
from engine.sealed.entries import Begin, End, Header, Note, decode
from engine.secrets import Secret
from lab.ports.journal_disk import ArmedWrite, DiskFault, FencedDisk
from lab.world.fence import Fence
from tests.engine.journal.written import ENTRIES, at_noon, opened


def test_what_was_appended_is_folded_by_the_next_run(short: Path) -> None:
    with opened(short, "run-2") as journal:
        state = journal.state
    assert set(state.in_flight) == {"toy.put/b"} and state.in_flight["toy.put/b"].inputs == "v1"
    assert state.last["toy.put/a"].outcome == "changed" and state.last["toy.put/a"].run == "run-1"
    assert state.notes_of("toy.put/a") == {"task": "UPID:pve-1"}
    assert state.lines == 1 + len(ENTRIES) and state.last_run == "run-1"
    assert read_state(short, lineage="house-1") == state


def test_lines_are_chained_sums_and_json_with_sequence_lineage_and_schema(short: Path) -> None:
    found = decode((short / "journal").read_bytes())
    assert found.whole == (short / "journal").stat().st_size
    assert [line.seq for line in found.lines] == list(range(6))
    assert found.lines[0].entry == Header("house-1", 2)
    assert (short / "journal").read_text().splitlines()[0][32] == " "


def test_files_are_for_the_owner_alone(short: Path) -> None:
    assert (short / "journal").stat().st_mode & 0o777 == 0o600
    assert short.stat().st_mode & 0o777 == 0o700


def test_no_journal_and_an_empty_one_remember_nothing(tmp_path: Path) -> None:
    assert read_state(tmp_path / "none", lineage="house-1").lines == 0
    assert not (tmp_path / "none").exists()
    (tmp_path / "journal").touch()
    with opened(tmp_path) as journal:
        assert journal.state.lines == 0


def test_wall_time_orders_nothing(tmp_path: Path) -> None:
    times = iter([500.0, 400.0, 300.0, 200.0, 100.0, 50.0, 20.0])
    with open_journal(tmp_path, lineage="house-1", run="run-1", now=lambda: next(times)) as journal:
        journal.append(Begin("toy.put/a", "v1"))
        journal.append(End("toy.put/a", "changed"))
    assert read_state(tmp_path, lineage="house-1").in_flight == {}


def test_free_texts_are_redacted_and_ids_are_not(tmp_path: Path) -> None:
    Secret("odd.step")
    secret = Secret("hunter2-hunter2")
    with opened(tmp_path) as journal:
        journal.append(Begin("odd.step/a", f"digest {secret.reveal()}"), Note("odd.step/a", "task", f"x {secret.reveal()}"))
        journal.append(End("odd.step/a", "failed", f"could not log in with {secret.reveal()}"))
    assert secret.reveal() not in (tmp_path / "journal").read_text()
    assert "odd.step/a" in read_state(tmp_path, lineage="house-1").last


@pytest.mark.parametrize("fault", [DiskFault.NO_SPACE, DiskFault.SYNC_FAILS])
def test_after_a_failed_write_or_sync_nothing_is_written_any_more(tmp_path: Path, fault: DiskFault) -> None:
    disk = FencedDisk(Fence(), ArmedWrite(3, fault))
    with open_journal(tmp_path, lineage="house-1", run="run-1", disk=disk, now=at_noon) as journal:
        journal.append(Begin("toy.put/a", "v1"))
        with pytest.raises(JournalUnwritable) as caught:
            journal.append(Begin("toy.put/b", "v1"))
        assert caught.value.exit_code == 12
        size = (tmp_path / "journal").stat().st_size
        with pytest.raises(JournalUnwritable):
            journal.append(Begin("toy.put/c", "v1"))
        assert (tmp_path / "journal").stat().st_size == size
    with opened(tmp_path, "run-2") as journal:
        assert "toy.put/a" in journal.state.in_flight and "toy.put/c" not in journal.state.in_flight


class Recording:
    """The system's disk, with what it was asked to do."""

    def __init__(self, most: int = 1 << 20) -> None:
        self.calls: list[str] = []
        self._most = most

    def write(self, fd: int, data: bytes) -> int:
        self.calls.append("write")
        return os.write(fd, data[: self._most])

    def sync(self, fd: int) -> None:
        self.calls.append("sync")
        os.fdatasync(fd)


def test_the_systems_disk_syncs_and_says_when_it_cannot() -> None:
    """A pipe can be written and cannot be synced: whoever did not ask the kernel would not learn that."""
    reading, writing = os.pipe()
    try:
        assert SystemDisk().write(writing, b"x") == 1
        with pytest.raises(OSError, match="Invalid argument"):
            SystemDisk().sync(writing)
    finally:
        os.close(reading)
        os.close(writing)


def test_append_returns_after_one_sync_for_all_its_entries(tmp_path: Path) -> None:
    disk = Recording()
    with open_journal(tmp_path, lineage="house-1", run="run-1", disk=disk) as journal:
        disk.calls.clear()
        journal.append(*ENTRIES)
        assert disk.calls == ["write", "sync"]
        journal.append()
        assert disk.calls == ["write", "sync"]


def test_short_writes_are_continued(tmp_path: Path) -> None:
    with open_journal(tmp_path, lineage="house-1", run="run-1", disk=Recording(most=7)) as journal:
        journal.append(*ENTRIES)
    assert read_state(tmp_path, lineage="house-1").lines == 1 + len(ENTRIES)


def test_a_folder_that_cannot_be_used_is_an_answer_not_a_bug(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(JournalUnwritable, match="cannot be opened"):
        opened(tmp_path / "file" / "house-1")
    with pytest.raises(JournalDamaged, match="cannot be read"):
        read_state(tmp_path / "file", lineage="house-1")
