"""The backups port keeps its word behind all three doors: in process, restic on a local path, restic on the S3 door."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from adapters.backups.results import Verdict
from engine.errors import BlackstartError, PermanentError, TransientError
from lab.wire.s3.damage import break_off_newest, lose_packs
from tests.contract.stores import backup_benches
from tests.contract.stores.backup_benches import (
    BIN,
    FIRST,
    FIRST_AT,
    GARBAGE,
    PASSWORD,
    SECOND,
    SECOND_AT,
    SECRET_KEY,
    Bench,
    entries,
)

REAL = pytest.mark.programs


@pytest.fixture(
    scope="module", params=["modelled", pytest.param("local", marks=REAL), pytest.param("s3", marks=REAL)]
)
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    if request.param == "modelled":
        yield backup_benches.modelled()
        return
    if not (BIN / "restic").exists():
        pytest.skip("restic is not built")
    make = backup_benches.local if request.param == "local" else backup_benches.s3
    with make(tmp_path_factory.mktemp(request.param)) as made:
        yield made


@pytest.fixture
def snapshots(bench: Bench) -> tuple[str, str]:
    """Ids of the first and the second snapshot of `notes`."""
    newest, oldest = bench.backups.look(bench.at("notes")).points
    return oldest.snapshot_id, newest.snapshot_id


def test_a_good_repository_shows_its_restore_points_newest_first(bench: Bench) -> None:
    seen = bench.backups.look(bench.at("notes"))
    assert seen.verdict is Verdict.OK and len(seen.repository_id) == 64
    newest, oldest = seen.points
    assert (oldest.time, newest.time) == (FIRST_AT, SECOND_AT)
    assert (oldest.pin, newest.pin) == ("2026-09-21T14:13:20Z", "2026-09-22T14:13:20Z")
    assert (newest.files, newest.size) == (3, sum(len(text.encode()) for text in SECOND.values()))
    assert newest.complete and oldest.complete
    assert {newest.repository_id, oldest.repository_id} == {seen.repository_id}
    assert len({newest.snapshot_id, oldest.snapshot_id}) == 2 and len(newest.snapshot_id) == 64
    assert newest.hostname == "volsync"


@pytest.mark.parametrize(
    ("place", "verdict"),
    [
        ("missing", Verdict.MISSING),
        ("empty", Verdict.EMPTY),
        ("damaged", Verdict.UNREADABLE),
        ("keyless", Verdict.UNREADABLE),
        ("beheaded", Verdict.UNREADABLE),
        ("foreign", Verdict.FOREIGN),
    ],
)
def test_each_trouble_has_its_own_verdict_and_no_restore_points(bench: Bench, place: str, verdict: Verdict) -> None:
    seen = bench.backups.look(bench.at(place))
    assert (seen.verdict, seen.points) == (verdict, ())
    assert seen.detail


def test_a_wrong_password_is_refused_and_not_taken_for_damage(bench: Bench) -> None:
    seen = bench.backups.look(bench.wrong_password(bench.at("notes")))
    assert (seen.verdict, seen.points) == (Verdict.REFUSED, ())


def test_a_store_that_does_not_answer_is_unreachable_and_not_missing(bench: Bench) -> None:
    seen = bench.backups.look(bench.unreachable())
    assert (seen.verdict, seen.points) == (Verdict.UNREACHABLE, ())
    assert seen.detail


def test_a_list_holds_every_entry_with_size_mode_and_owner_and_no_hash(bench: Bench, snapshots: tuple[str, str]) -> None:
    for snapshot_id, content in zip(snapshots, (FIRST, SECOND), strict=True):
        listing = bench.backups.listing(bench.at("notes"), snapshot_id)
        assert listing.complete
        told = tuple(replace(entry, mtime_ns=None, xattrs=None) for entry in listing.entries)
        assert told == tuple(replace(entry, sha256="") for entry in entries(content))


def test_hashes_are_of_every_file_in_the_order_of_the_list(bench: Bench, snapshots: tuple[str, str]) -> None:
    for snapshot_id, content in zip(snapshots, (FIRST, SECOND), strict=True):
        found = bench.backups.hashes(bench.at("notes"), snapshot_id)
        assert found.values == tuple((path, hashlib.sha256(content[path].encode()).hexdigest()) for path in sorted(content))
        assert found.downloaded == sum(len(text.encode()) for text in content.values())


def test_a_snapshot_that_is_not_there_is_permanent(bench: Bench) -> None:
    with pytest.raises(PermanentError):
        bench.backups.listing(bench.at("notes"), "12" * 32)


def test_looking_writes_nothing_and_waits_for_no_lock(bench: Bench) -> None:
    before = bench.state()
    seen = bench.backups.look(bench.at("locked"))
    assert seen.verdict is Verdict.OK and len(seen.points) == 2
    bench.backups.listing(bench.at("locked"), seen.points[0].snapshot_id)
    bench.backups.look(bench.at("missing"))
    assert bench.state() == before
    asked = [argv for argv in bench.argv if argv[1] in ("cat", "snapshots", "ls", "dump")]
    assert all("--no-lock" in argv for argv in asked)
    outside = [argv for argv in bench.argv if argv not in asked]
    assert {argv[1] for argv in outside} <= {"init", "backup"}, "made by the bench, never by the port"


def test_no_argument_holds_a_secret(bench: Bench) -> None:
    text = "\n".join(" ".join(argv) for argv in bench.argv)
    assert PASSWORD not in text and SECRET_KEY not in text


@REAL
@pytest.mark.parametrize("bench", ["s3"], indirect=True)
def test_a_backup_that_broke_off_leaves_the_one_before_it(bench: Bench) -> None:
    assert bench.objects is not None
    _, oldest = bench.backups.look(bench.at("broken-off")).points
    gone = break_off_newest(bench.objects, "backups", "broken-off")
    assert [key.split("/")[1] for key in gone] == ["snapshots", "index"]
    seen = bench.backups.look(bench.at("broken-off"))
    assert seen.verdict is Verdict.OK and seen.points == (oldest,)
    listing = bench.backups.listing(bench.at("broken-off"), oldest.snapshot_id)
    assert [entry.path for entry in listing.entries] == list(FIRST) and listing.complete


@REAL
@pytest.mark.parametrize("bench", ["s3"], indirect=True)
def test_lost_packs_break_the_list_off_and_no_hash_is_made_up(bench: Bench) -> None:
    assert bench.objects is not None
    newest = bench.backups.look(bench.at("packless")).points[0].snapshot_id
    assert lose_packs(bench.objects, "backups", "packless") > 0
    seen = bench.backups.look(bench.at("packless"))
    assert (seen.verdict, seen.points) == (Verdict.UNREADABLE, ())
    assert seen.detail == "2 snapshots are listed, and not one file of their data is left"
    listing = bench.backups.listing(bench.at("packless"), newest)
    assert not listing.complete and listing.detail
    with pytest.raises(PermanentError):
        bench.backups.hashes(bench.at("packless"), newest)


def test_one_path_is_found_in_each_snapshot_with_what_lies_in_it(bench: Bench, snapshots: tuple[str, str]) -> None:
    place = bench.at("notes")
    first, second = snapshots
    old, new = bench.backups.find(place, snapshots, "settings.ini")
    assert (old.snapshot_id, new.snapshot_id, old.broken, new.below) == (first, second, "", ())
    assert old.entry is not None and new.entry is not None
    assert (old.entry.size, new.entry.size) == (len(FIRST["settings.ini"]), len(SECOND["settings.ini"]))
    nothing, folder = bench.backups.find(place, snapshots, "notes")
    assert nothing.entry is None and not nothing.broken
    assert folder.entry is not None and folder.entry.kind == "dir"
    assert [entry.path for entry in folder.below] == ["notes/one two.txt", "notes/ümläut.txt"]
    (top,) = bench.backups.find(place, (second,), "")
    assert [entry.path for entry in top.below] == ["notes", "settings.ini"]
    assert [one.entry for one in bench.backups.find(place, snapshots, "settings.ini/none")] == [None, None]


def test_what_cannot_be_looked_up_is_never_nothing(bench: Bench) -> None:
    with pytest.raises(BlackstartError):
        bench.backups.find(bench.unreachable(), ("0" * 64,), "settings.ini")
    with pytest.raises(PermanentError):
        bench.backups.find(bench.wrong_password(bench.at("notes")), ("0" * 64,), "settings.ini")


def test_a_lock_is_taken_away_by_its_name_and_nothing_else_with_it(bench: Bench) -> None:
    (lock,) = bench.locks.locks(bench.at("locked"))
    assert (lock.lock_id, lock.garbage) == (GARBAGE, True) and abs(time.time() - lock.written) < 3600
    before = bench.backups.look(bench.at("locked")).points
    bench.locks.remove(bench.at("locked"), "cd" * 32)
    assert bench.locks.locks(bench.at("locked")) == (lock,)
    for _ in range(2):
        bench.locks.remove(bench.at("locked"), GARBAGE)
        assert bench.locks.locks(bench.at("locked")) == ()
    assert bench.backups.look(bench.at("locked")).points == before


@pytest.mark.parametrize("place", ["missing", "keyless"])
def test_locks_that_cannot_be_looked_at_are_never_none(bench: Bench, place: str) -> None:
    with pytest.raises(PermanentError):
        bench.locks.locks(bench.at(place))
    with pytest.raises(TransientError):
        bench.locks.locks(bench.unreachable())


def test_the_lock_of_a_restic_that_was_killed_tells_whose_it_was(bench: Bench) -> None:
    if bench.name != "local":
        return  # a lock's form is the same wherever it lies
    repository = bench.at("notes")
    env = {"RESTIC_PASSWORD": PASSWORD, "PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    argv = [BIN / "restic", "-r", repository.address, "--no-cache", "backup", "--stdin"]
    began = int(time.time())
    with subprocess.Popen(argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as restic:
        until = time.monotonic() + 90
        while not (found := bench.locks.locks(repository)) and time.monotonic() < until:
            time.sleep(0.05)
        restic.kill()
    (lock,) = bench.locks.locks(repository)
    assert found == (lock,)
    assert (lock.exclusive, lock.garbage, lock.host) == (False, False, socket.gethostname())
    assert f"process {restic.pid}" in lock.who and began <= lock.since <= time.time() and began <= lock.written
    bench.locks.remove(repository, lock.lock_id)
    assert bench.locks.locks(repository) == ()
