"""The journal: what is on the disk when, what is cut, what is refused, and who may write."""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.chain import Chain
from engine.entries import Begin, Damage, End, Header, Line, Note, decode, encode
from engine.errors import JournalBusy, JournalDamaged, JournalUnwritable
from engine.journal import Journal, SystemDisk, open_journal, read_state
from engine.secrets import Secret
from lab.ports.journal_disk import ArmedWrite, DiskFault, FencedDisk
from lab.world.fence import Fence

ENTRIES = (
    Note("", "run", "run-1"),
    Begin("toy.put/a", "v1"),
    Note("toy.put/a", "task", "UPID:pve-1"),
    End("toy.put/a", "changed", "on the shelf"),
    Begin("toy.put/b", "v1"),
)


def at_noon() -> float:
    return 1_750_000_000.0


def opened(folder: Path, run: str = "run-1", lineage: str = "house-1") -> Journal:
    return open_journal(folder, lineage=lineage, run=run, now=at_noon)


@pytest.fixture
def short(tmp_path: Path) -> Iterator[Path]:
    """A folder with a short journal in it."""
    folder = tmp_path / "state" / "house-1"
    with opened(folder) as journal:
        for entry in ENTRIES:
            journal.append(entry)
    yield folder


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


def test_torn_at_every_byte_only_whole_lines_count_and_only_the_lock_holder_cuts(short: Path) -> None:
    path = short / "journal"
    raw = path.read_bytes()
    for length in range(len(raw)):
        path.write_bytes(raw[:length])
        lines, whole = decode(raw[:length]).lines, decode(raw[:length]).whole
        state = read_state(short, lineage="house-1")
        assert state.lines == len(lines)
        assert path.read_bytes() == raw[:length], "reading cuts nothing"
        with opened(short, "run-2") as journal:
            assert journal.cut_bytes == length - whole
            journal.append(Note("", "run", "run-2"))
        again = decode(path.read_bytes()).lines
        assert again[: len(lines)] == lines and again[-1].entry == Note("", "run", "run-2")


def test_flipped_at_every_bit_it_is_refused(short: Path) -> None:
    path = short / "journal"
    raw = path.read_bytes()
    for flipped in every_flip(raw):
        with pytest.raises(Damage):
            decode(flipped)
    path.write_bytes(raw[:-1] + b"\x0b")
    with pytest.raises(JournalDamaged, match="damaged") as caught:
        read_state(short, lineage="house-1", now=at_noon)
    assert caught.value.next_command == f"mv {path} {path}.aside-20250615T150640Z"


@pytest.mark.parametrize("number", range(6))
def test_a_line_that_is_missing_in_the_middle_or_stands_twice_is_damage(short: Path, number: int) -> None:
    path = short / "journal"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:number], lines[number], *lines[number:]]))
    with pytest.raises(JournalDamaged):
        opened(short)
    if number < 5:
        path.write_bytes(b"".join(lines[:number] + lines[number + 1 :]))
        with pytest.raises(JournalDamaged):
            opened(short)


def test_the_command_that_moves_damage_aside_works_and_names_the_line(tmp_path: Path) -> None:
    folder = tmp_path / "it's a state folder"
    with opened(folder) as journal:
        journal.append(*ENTRIES)
    path = folder / "journal"
    path.write_bytes(path.read_bytes().replace(b"changed", b"CHANGED"))
    with pytest.raises(JournalDamaged) as caught:
        opened(folder)
    assert caught.value.exit_code == 12 and "line 5" in caught.value.evidence[0]
    subprocess.run(caught.value.next_command, shell=True, check=True)
    with opened(folder) as journal:
        assert journal.state.in_flight == {}
    assert len(list(folder.glob("journal.aside-*"))) == 1


def test_another_lineage_is_refused(short: Path) -> None:
    before = (short / "journal").read_bytes()
    with pytest.raises(JournalDamaged, match="another house") as caught:
        opened(short, lineage="house-2")
    assert caught.value.next_command.startswith("mv ")
    assert (short / "journal").read_bytes() == before
    with pytest.raises(JournalDamaged):
        read_state(short, lineage="house-2")


def test_a_newer_schema_is_refused_whatever_else_it_holds(tmp_path: Path) -> None:
    (tmp_path / "journal").write_bytes(
        encode(Line(0, "run-1", 1.0, Header("house-1", 3)), Chain()) + b"something that only the newer version can read\n"
    )
    with pytest.raises(JournalDamaged, match="newer version"):
        opened(tmp_path)


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


def test_the_lock_says_who_holds_it(short: Path) -> None:
    with opened(short, "run-first"):
        with pytest.raises(JournalBusy) as caught:
            opened(short, "run-second")
        assert caught.value.exit_code == 11
        assert "run-first" in caught.value.evidence[0] and str(os.getpid()) in caught.value.evidence[0]
        assert read_state(short, lineage="house-1").lines == 6, "reading takes no lock"
    opened(short).close()


def test_the_lock_outlives_us_in_whoever_keeps_a_duplicate(short: Path) -> None:
    journal = opened(short)
    kept = os.dup(journal.lock_fileno())
    journal.close()
    with pytest.raises(JournalBusy):
        opened(short)
    os.close(kept)
    opened(short).close()


def test_a_refused_open_leaves_the_lock_free(short: Path) -> None:
    for _ in range(2):
        with pytest.raises(JournalDamaged):
            opened(short, lineage="house-2")
    opened(short).close()


_HOLD = """
import sys; from pathlib import Path; from engine.journal import open_journal
open_journal(Path(sys.argv[1]), lineage="house-1", run="the-other"); print("held", flush=True); sys.stdin.read()
"""


def test_two_processes_at_once_the_second_is_told_and_a_killed_one_holds_nothing(short: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(short)], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == b"held\n"
        with pytest.raises(JournalBusy) as caught:
            opened(short)
        assert "the-other" in caught.value.evidence[0] and str(other.pid) in caught.value.evidence[0]
        other.kill()
        other.wait()
        opened(short).close()


_WORDS = st.text(max_size=20)
_ENTRY = st.one_of(
    st.builds(Begin, _WORDS, _WORDS), st.builds(Note, _WORDS, _WORDS, _WORDS), st.builds(End, _WORDS, _WORDS, _WORDS, st.booleans())
)


@settings(deadline=None)
@given(st.lists(_ENTRY, max_size=8), st.data())
def test_any_entries_come_back_and_any_tear_leaves_a_prefix(entries: list[Begin | Note | End], data: st.DataObject) -> None:
    lines = [Line(0, "r", 1.0, Header("h"))] + [Line(at + 1, "r", 1.0, entry) for at, entry in enumerate(entries)]
    chain = Chain()
    raw = b"".join(encode(line, chain) for line in lines)
    assert decode(raw).lines == lines and decode(raw).whole == len(raw)
    cut = data.draw(st.integers(0, len(raw)))
    found = decode(raw[:cut])
    assert found.lines == lines[: len(found.lines)] and found.whole <= cut and raw[:cut].count(b"\n") == len(found.lines)


def test_a_folder_that_cannot_be_used_is_an_answer_not_a_bug(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(JournalUnwritable, match="cannot be opened"):
        opened(tmp_path / "file" / "house-1")
    with pytest.raises(JournalDamaged, match="cannot be read"):
        read_state(tmp_path / "file", lineage="house-1")


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_file_is_neither_waited_for_nor_read_for_ever(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "journal")
    for look in (opened, lambda folder: read_state(folder, lineage="house-1")):
        with pytest.raises(JournalDamaged, match="damaged") as caught:
            look(tmp_path)
        assert caught.value.evidence[0].endswith(("it is no regular file", "Is a directory"))
    subprocess.run(caught.value.next_command, shell=True, check=True)
    with opened(tmp_path) as journal:
        assert journal.state.in_flight == {}


# What another hand, or another version, wrote.


def old_line(text: str) -> bytes:
    """As the first version wrote it: a CRC of the line alone."""
    return b"%08x %s\n" % (zlib.crc32(text.encode()), text.encode())


OLD = b"".join(
    old_line(text)
    for text in (
        '{"seq":0,"run":"run-0","at":1.0,"kind":"journal","lineage":"house-1","schema":1}',
        '{"seq":1,"run":"run-0","at":2.0,"kind":"begin","step":"toy.put/a","inputs":"v1"}',
    )
)


def test_an_older_versions_journal_goes_on_and_is_sealed_by_what_follows(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_bytes(OLD)
    assert set(read_state(tmp_path, lineage="house-1").in_flight) == {"toy.put/a"}
    assert path.read_bytes() == OLD, "reading changes nothing"
    with opened(tmp_path) as journal:
        assert journal.older and set(journal.state.in_flight) == {"toy.put/a"}
        journal.append(End("toy.put/a", "changed"))
    with opened(tmp_path, "run-2") as journal:
        assert not journal.older and journal.state.in_flight == {} and journal.state.lines == 4
    sealed = path.read_bytes()
    for flipped in every_flip(sealed):
        with pytest.raises(Damage):
            decode(flipped)
    for length in range(len(OLD), len(sealed)):
        assert decode(sealed[:length]).whole <= length


def every_flip(raw: bytes) -> Iterator[bytes]:
    """The bytes with one bit turned over, for each bit."""
    for place in range(len(raw)):
        for bit in range(8):
            yield raw[:place] + bytes([raw[place] ^ (1 << bit)]) + raw[place + 1 :]


def test_lines_of_another_houses_journal_do_not_fit_behind_ours(tmp_path: Path) -> None:
    for house in ("house-1", "house-2"):
        with opened(tmp_path / house, lineage=house) as journal:
            journal.append(*ENTRIES)
    ours, theirs = (tmp_path / house / "journal" for house in ("house-1", "house-2"))
    mine, others = ours.read_bytes().splitlines(keepends=True), theirs.read_bytes().splitlines(keepends=True)
    for place in range(1, len(mine)):
        with pytest.raises(Damage):
            decode(b"".join(mine[:place] + others[place:]))
        with pytest.raises(Damage):
            decode(b"".join(mine[: place + 1] + others[place:]))
    with pytest.raises(Damage):
        decode(OLD + b"".join(others))


@pytest.mark.parametrize("change", [
    '"seq":"1"', '"seq":true', '"seq":1.0', '"seq":1e999', '"seq":null', '"run":7', '"at":"noon"', '"at":NaN', '"at":Infinity',
    '"at":1e999', '"at":1e30', '"step":null', '"step":["a"]', '"inputs":{"a":1}', '"kind":"other"', '"kind":["begin"]',
    '"kind":{}', '"more":1',
    '"inputs":' + "[" * 5000 + "]" * 5000,
])  # fmt: skip
def test_a_line_whose_sum_fits_and_whose_content_does_not_is_damage(tmp_path: Path, change: str) -> None:
    name = change.split(":", 1)[0]
    body = {'"seq"': "1", '"run"': '"r"', '"at"': "2.0", '"kind"': '"begin"', '"step"': '"toy.put/a"', '"inputs"': '"v1"'}
    text = "{" + ",".join(f"{key}:{value}" for key, value in (body | {name: change.split(":", 1)[1]}).items()) + "}"
    chain = Chain()
    raw = encode(Line(0, "run-1", 1.0, Header("house-1")), chain) + chain.seal(text.encode())
    (tmp_path / "journal").write_bytes(raw)
    with pytest.raises(JournalDamaged, match="damaged"):
        opened(tmp_path)
    old = OLD.splitlines(keepends=True)[0] + old_line(text)
    with pytest.raises(Damage):
        decode(old)


@pytest.mark.parametrize("lineage", ["7", "null", "[]"])
def test_a_header_of_the_wrong_type_is_damage_not_a_bug(tmp_path: Path, lineage: str) -> None:
    text = f'{{"seq":0,"run":"r","at":1.0,"kind":"journal","lineage":{lineage},"schema":2}}'
    (tmp_path / "journal").write_bytes(Chain().seal(text.encode()))
    with pytest.raises(JournalDamaged, match="damaged"):
        opened(tmp_path)
