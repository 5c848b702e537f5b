"""What of a list of files is lost in a later one, and what an application may change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.volsync.results import FileEntry
from lab.world.store import a_file
from recovery.points.losses import losses

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


def test_new_bytes_never_pay_for_lost_ones() -> None:
    database, cache = replace(FILES[0], size=10**9), replace(FILES[1], path="cache/metadata.bin", size=1_200_000_000)
    beside = losses((database, *FILES[1:]), (replace(database, size=4096), *FILES[1:], cache))
    assert (beside.lost, beside.above(0.01)) == (10**9 - 4096, True), "a new file"
    grown = replace(FILES[1], size=2 * 10**9)
    another = losses((database, *FILES[1:]), (replace(database, size=4096), grown, *FILES[2:]))
    assert (another.lost, another.above(0.01)) == (10**9 - 4096, True), "a file that has grown"
    gone = losses((database, *FILES[1:]), (*(replace(f, size=50) for f in FILES[1:]), cache))
    assert gone.lost == 10**9 + 199 * 50, "what is gone, and what has shrunk"


def test_what_is_of_another_kind_now_has_lost_all_its_bytes() -> None:
    large = replace(FILES[0], size=10**9)
    assert losses((large, *FILES[1:]), (replace(large, kind="dir"), *FILES[1:])).lost == 10**9


DATABASE = replace(a_file("app.db", "d" * 100), mtime_ns=5)
JOURNALS = ("-wal", "-journal")


@pytest.mark.parametrize("end", ["-wal", "-shm", "-journal"])
def test_a_database_s_journal_may_go_when_the_database_took_it_in(end: str) -> None:
    journal = replace(a_file(f"app.db{end}", "j" * 1000), mtime_ns=5)
    for taken in (replace(DATABASE, mtime_ns=6), replace(DATABASE, size=200)):
        seen = losses((DATABASE, journal), (taken,))
        assert (seen.above(0.0), seen.lost, seen.passing) == (False, 0, (f"app.db{end}",))
        for size in (0, 10):
            assert not losses((DATABASE, journal), (taken, replace(journal, size=size))).above(0.0)
    assert losses((DATABASE, journal), ()).above(0.01)
    assert losses((DATABASE, journal), (replace(DATABASE, size=0, mtime_ns=6),)).above(0.01)
    assert losses((DATABASE, journal), (replace(DATABASE, kind="dir", mtime_ns=6),)).above(0.01)


@pytest.mark.parametrize("end", JOURNALS)
@pytest.mark.parametrize("times", [(5, 5), (None, 5), (5, None), (None, None)])
def test_beside_a_database_that_nobody_touched_its_journal_was_data(end: str, times: tuple[int | None, int | None]) -> None:
    journal = a_file(f"app.db{end}", "j" * 1000)
    before, after = (replace(DATABASE, mtime_ns=at) for at in times)
    seen = losses((before, journal), (after,))
    assert (seen.gone, seen.lost, seen.above(0.01)) == ((journal.path,), 1000, True)
    emptied = losses((before, journal), (after, replace(journal, size=0)))
    assert (emptied.emptied, emptied.lost) == ((journal.path,), 1000)
    assert losses((before, journal), (after, replace(journal, size=10))).lost == 990


@pytest.mark.parametrize("end", JOURNALS)
def test_a_journal_that_holds_no_change_may_go_beside_any_database(end: str) -> None:
    for size in (0, 28):
        journal = replace(a_file(f"app.db{end}", ""), size=size)
        assert not losses((DATABASE, journal), (DATABASE,)).above(0.0)
    assert not losses((DATABASE, a_file("app.db-shm", "s" * 32768)), (DATABASE,)).above(0.0), "an index is made again"


def test_what_only_a_process_needs_may_go() -> None:
    passing = (a_file("postmaster.pid", "17"), a_file(".ha_run.lock", "1"), FileEntry("run/sock", "socket", 0, 0o755, 0, 0))
    seen = losses((*FILES, *passing), FILES)
    assert (seen.above(0.0), len(seen.passing)) == (False, 3)


def test_a_list_of_versions_is_data_though_it_is_called_a_lock() -> None:
    assert losses((*FILES[:20], a_file("flake.lock", "{" * 257)), FILES[:20]).above(0.01)


def test_lost_and_found_is_nobody_s_data() -> None:
    assert not losses((*FILES, a_file("lost+found/1", "x")), FILES).above(0.0)
