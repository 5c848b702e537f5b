"""A run's lines stand alone: any change of one, and any line that is missing or put in, is noticed without the rest."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from engine.journal import open_journal, read_lines
from engine.sealed.entries import Begin, End, Note
from engine.sealed.excerpt import Excerpt, excerpt
from engine.secrets import Secret


def journal(folder: Path, runs: tuple[str, ...] = ("one", "two", "three")) -> bytes:
    """A journal of several runs."""
    for run in runs:
        with open_journal(folder, lineage="house", run=run) as opened:
            opened.append(Begin("a.b/c", "inputs"), Note("a.b/c", "key", f"value of {run}"), End("a.b/c", "changed", "done"))
    return read_lines(folder, lineage="house")[1]


@pytest.mark.parametrize(("run", "lines"), [("one", 4), ("two", 3), ("three", 3)])
def test_it_holds_the_lines_of_one_run_and_fits(tmp_path: Path, run: str, lines: int) -> None:
    found = excerpt(journal(tmp_path), run)
    assert (len(found.lines), found.broken(), found.withheld) == (lines, 0, 0)
    assert (found.before == "") is (run == "one")


def test_runs_are_chained_to_each_other(tmp_path: Path) -> None:
    raw = journal(tmp_path)
    assert excerpt(raw, "two").before == excerpt(raw, "one").end
    assert excerpt(raw, "no such run") == Excerpt(excerpt(raw, "three").end)


def test_every_flipped_bit_is_noticed(tmp_path: Path) -> None:
    found = excerpt(journal(tmp_path), "two")
    for place, line in enumerate(found.lines):
        for at in range(len(line)):
            changed = line[:at] + bytes([line[at] ^ 1]) + line[at + 1 :]
            assert replace(found, lines=(*found.lines[:place], changed, *found.lines[place + 1 :])).broken() == place + 1


def test_a_line_that_is_missing_moved_or_put_in_is_noticed(tmp_path: Path) -> None:
    raw = journal(tmp_path)
    found, other = excerpt(raw, "two"), excerpt(raw, "three")
    first, second, third = found.lines
    for lines in ((second, third), (first, third), (second, first, third), (first, first, second, third), (first, *other.lines)):
        assert replace(found, lines=lines).broken()
    assert replace(found, before=other.before).broken() == 1


def test_what_has_become_a_secret_since_is_withheld_and_the_chain_goes_on(tmp_path: Path) -> None:
    raw = journal(tmp_path)
    Secret("value of two")
    found = excerpt(raw, "two")
    assert (found.withheld, found.broken(), len(found.lines)) == (1, 0, 3)
    assert b"value of two" not in b"\n".join(found.lines)
    assert found.end == excerpt(raw, "three").before


def old_line(body: str) -> bytes:
    """As the first version wrote one: a CRC of the line alone."""
    return b"%08x %s\n" % (zlib.crc32(body.encode()), body.encode())


def test_a_run_behind_a_journal_of_the_first_version(tmp_path: Path) -> None:
    lines = [
        '{"seq":0,"run":"old","at":1.0,"kind":"journal","lineage":"house","schema":1}',
        '{"seq":1,"run":"old","at":2.0,"kind":"begin","step":"a.b/c","inputs":"x"}',
    ]
    (tmp_path / "journal").write_bytes(b"".join(map(old_line, lines)))
    found = excerpt(journal(tmp_path, ("new",)), "new")
    assert (found.broken(), len(found.lines)) == (0, 4)
    assert found.before
