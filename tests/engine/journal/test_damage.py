"""What is cut, and what is refused: a torn line, a turned bit, what is no file, and what another hand or version wrote."""

from __future__ import annotations

import os
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import JournalDamaged
from engine.journal import read_state
from engine.sealed.chain import Chain
from engine.sealed.entries import Begin, Damage, End, Header, Line, Note, decode, encode
from tests.engine.journal.written import ENTRIES, at_noon, every_flip, opened


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


NO_FILES: dict[str, Callable[[Path], object]] = {
    "Is a directory": Path.mkdir, "it is a named pipe": os.mkfifo, "it is a device": lambda path: path.symlink_to("/dev/zero"),
    "it is a link that leads nowhere": lambda path: path.symlink_to("gone"),
}  # fmt: skip


@pytest.mark.parametrize("told", list(NO_FILES))
def test_what_is_no_file_is_neither_waited_for_nor_read_for_ever(tmp_path: Path, told: str) -> None:
    NO_FILES[told](tmp_path / "journal")
    for look in (opened, lambda folder: read_state(folder, lineage="house-1")):
        with pytest.raises(JournalDamaged, match="damaged") as caught:
            look(tmp_path)
        assert caught.value.evidence[0].endswith(told)
    subprocess.run(caught.value.next_command, shell=True, check=True)
    with opened(tmp_path) as journal:
        assert journal.state.in_flight == {}


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
