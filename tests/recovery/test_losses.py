"""What of a list of files is lost in a later one, and what an application may change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.volsync.results import FileEntry
from lab.world.store import a_file
from recovery.losses import losses

FILES = tuple(a_file(f"notes/{n:03}.md", "x" * 100) for n in range(200))
FOLDER = FileEntry("notes", "dir", 0, 0o755, 0, 0)


def test_the_same_list_loses_nothing() -> None:
    seen = losses((FOLDER, *FILES), (*FILES, FOLDER))
    assert (seen.paths, seen.size, seen.lost, seen.evidence, seen.words) == (201, 20_000, 0, (), "unchanged")
    assert not seen.above(0.0)


def test_what_an_application_writes_is_told_and_is_no_loss() -> None:
    grown = replace(FILES[0], size=5000)
    logs = (a_file("log", "started"), *(a_file(f"log.{n}", "") for n in range(1, 4)))
    seen = losses(FILES, (grown, *FILES[1:], *logs))
    assert not seen.above(0.0)
    assert seen.words == "1 of another size (notes/000.md), 4 new (log, log.1, log.2, and 1 more)"


@pytest.mark.parametrize(
    "after",
    [
        (),
        (a_file("settings.ini", "default" * 9000),),
        FILES[:197],
        tuple(replace(f, size=0) for f in FILES),
        tuple(replace(f, size=f.size // 2) for f in FILES),
        (replace(FILES[0], kind="symlink", size=0), *FILES[3:]),
        tuple(replace(f, path=f.path.replace("notes", "old")) for f in FILES),
    ],
    ids=["empty", "another volume", "some gone", "emptied", "halved", "another kind", "renamed"],
)
def test_a_loss_is_above_what_is_let_pass(after: tuple[FileEntry, ...]) -> None:
    assert losses(FILES, after).above(0.01)


def test_the_share_is_of_paths_and_of_bytes() -> None:
    few = losses(FILES, FILES[2:])
    assert (few.evidence, few.above(0.01), few.above(0.009)) == (("gone: notes/000.md", "gone: notes/001.md"), False, True)
    large = replace(FILES[0], size=1_000_000)
    assert losses((large, *FILES[1:]), FILES[1:]).above(0.01), "one path of 200, and nearly all the bytes"


def test_one_of_a_few_is_too_much() -> None:
    assert losses(FILES[:20], FILES[:19]).above(0.01)


@pytest.mark.parametrize("end", ["-wal", "-shm", "-journal"])
def test_a_database_s_journal_may_go_while_the_database_is_there(end: str) -> None:
    database, journal = a_file("app.db", "d" * 100), a_file(f"app.db{end}", "j" * 1000)
    seen = losses((database, journal), (database,))
    assert (seen.above(0.0), seen.words) == (False, f"1 gone that hold no data (app.db{end})")
    assert not losses((database, journal), (database, replace(journal, size=0))).above(0.0)
    assert losses((database, journal), ()).above(0.01)
    assert losses((database, journal), (replace(database, size=0),)).above(0.01)


def test_what_only_a_process_needs_may_go() -> None:
    passing = (a_file("postmaster.pid", "17"), a_file(".ha_run.lock", "1"), FileEntry("run/sock", "socket", 0, 0o755, 0, 0))
    seen = losses((*FILES, *passing), FILES)
    assert (seen.above(0.0), len(seen.passing)) == (False, 3)


def test_a_list_of_versions_is_data_though_it_is_called_a_lock() -> None:
    assert losses((*FILES[:20], a_file("flake.lock", "{" * 257)), FILES[:20]).above(0.01)


def test_lost_and_found_is_nobody_s_data() -> None:
    assert not losses((*FILES, a_file("lost+found/1", "x")), FILES).above(0.0)
