"""The reader's script, run by this machine's shell on real folders, and how its log is read."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from pathlib import Path

import pytest

from adapters.volsync import reader
from adapters.volsync.reader import Reading, Request, first_requests, read_log

ODD = ["line\nbreak", "tab\there", "back\\slash", "cr\rhere", "esc\x1b[31m"]
PLAIN = ["a", "with space", " leading", "ünïcode", "-dash", "*star", "quote'\"", "$(echo no)", "deep/er/file"]


def script_on(volume: Path) -> str:
    """The script with this folder where its pod has /data, and a folder beside it for /tmp."""
    return reader.SCRIPT.replace("cd /data", f"cd '{volume}'").replace("t=/tmp/", f"t={volume.parent}/")


def run(volume: Path, request: Request, **extra: str) -> Reading:
    script = script_on(volume)
    done = subprocess.run(
        ["sh", "-c", script],
        env={"PATH": os.environ["PATH"], **request.environment(), **extra},
        capture_output=True,
        timeout=30,
    )
    assert done.stderr == b"", done.stderr
    return read_log(done.stdout)


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A volume with every kind of name that has bitten somebody."""
    root = tmp_path / "volume"
    for name in (*PLAIN, *ODD):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {name}")
    (root / os.fsdecode(b"latin\xff1")).write_text("not UTF-8")
    (root / "empty").mkdir()
    (root / "empty file").touch()
    (root / "link").symlink_to("a")
    (root / "dangling").symlink_to("nowhere")
    os.mkfifo(root / "fifo")
    (root / "a").chmod(0o4755)
    (root / "lost+found").mkdir()
    (root / "lost+found" / "x").touch()
    (root / "empty" / "lost+found").mkdir()
    return root


def walked(volume: Path) -> set[str]:
    found = {str(path.relative_to(volume)) for path in volume.rglob("*")}
    return {path for path in found if path.split("/")[0] != "lost+found"}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_everything_is_listed_and_hashed(volume: Path) -> None:
    reading = run(volume, Request(0, 1000, None))
    assert reading.ended
    assert reading.problems == ()
    assert {e.path for e in reading.entries} == walked(volume)
    assert len(reading.entries) == len(walked(volume))
    files = {e.path for e in reading.entries if e.kind == "file"}
    assert reading.sums == {path: sha256(volume / path) for path in files}
    by_path = {e.path: e for e in reading.entries}
    assert by_path["a"].mode == 0o4755
    assert by_path["a"].size == len("content of a")
    assert (by_path["a"].uid, by_path["a"].gid) == (os.getuid(), os.getgid())
    assert by_path["empty"].kind == "dir"
    assert by_path["empty"].size == 0
    assert by_path["link"].kind == by_path["dangling"].kind == "symlink"
    assert by_path["fifo"].kind == "fifo"


def test_only_the_named_files_are_hashed(volume: Path) -> None:
    named = (
        "with space",
        "line\nbreak",
        "back\\slash",
        os.fsdecode(b"latin\xff1"),
        "link",
        "empty",
        "gone",
        "deep/er/file",
    )
    (first,) = first_requests(named)
    reading = run(volume, first)
    files = ["with space", "line\nbreak", "back\\slash", os.fsdecode(b"latin\xff1"), "deep/er/file"]
    assert reading.sums == {path: sha256(volume / path) for path in files}
    assert {e.path for e in reading.entries} == walked(volume)


def test_no_hashes(volume: Path) -> None:
    (request,) = first_requests(())
    assert run(volume, request).sums == {}


def test_a_long_list_comes_in_stretches_without_gap_or_overlap(tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    names = [f"file {n}" for n in range(25)]
    for name in names:
        (volume / name).write_text(name)
    found: list[str] = []
    sums: dict[str, str] = {}
    for skip in (0, 10, 20):
        reading = run(volume, Request(skip, 10, None))
        assert reading.total == 25
        assert reading.shown == len(reading.entries)
        found += [e.path for e in reading.entries]
        sums |= reading.sums
    assert found == sorted(names)
    assert len(sums) == 25


def test_an_empty_volume_is_an_empty_list_that_ended(tmp_path: Path) -> None:
    (tmp_path / "volume").mkdir()
    reading = run(tmp_path / "volume", Request(0, 10, None))
    assert (reading.entries, reading.ended, reading.total) == ((), True, 0)


def test_what_cannot_be_read_is_a_problem_and_not_nothing(tmp_path: Path) -> None:
    # Root reads everything, so a file that vanishes between list and hash stands for an unreadable one.
    volume = tmp_path / "volume"
    volume.mkdir()
    (volume / "a").touch()
    script = script_on(volume).replace('case "$HASH" in\n  all)', 'rm a\ncase "$HASH" in\n  all)')
    environment = {"PATH": os.environ["PATH"], **Request(0, 10, None).environment()}
    done = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, timeout=30)
    reading = read_log(done.stdout)
    assert done.returncode != 0
    assert reading.ended
    assert any("a" in problem for problem in reading.problems)


def test_owners_are_called_unknown_where_they_are(volume: Path) -> None:
    assert run(volume, Request(0, 10, ())).ownership_known
    assert not run(volume, Request(0, 10, ()), OWNERSHIP="unknown").ownership_known


@pytest.mark.parametrize("length", range(len(b"o known\ne 81a4 0 0 5 a\nend 1 1\n")))
def test_a_log_that_breaks_off_did_not_end(length: int) -> None:
    whole = b"o known\ne 81a4 0 0 5 a\nend 1 1\n"
    assert read_log(whole).ended
    assert not read_log(whole[:length]).ended


@pytest.mark.parametrize("line", [b"e 81a4 0 0", b"h abc a", b"e 1ffff 0 0 0 a", b"something else", b"x 81a4 0 0 5 zz"])
def test_a_line_of_another_contract_is_no_reading(line: bytes) -> None:
    with pytest.raises((ValueError, KeyError)):
        read_log(line + b"\n")


def test_many_paths_are_asked_in_lots_that_fit_an_environment() -> None:
    paths = tuple(f"{n:06d}" * 10 for n in range(5000))
    requests = first_requests(paths)
    assert len(requests) > 1
    assert [p for r in requests for p in r.hashes or ()] == list(paths)
    assert all(len(r.environment()["PATHS"]) < 100_000 for r in requests)
    assert [r.take > 0 for r in requests] == [True] + [False] * (len(requests) - 1)


def test_the_script_uses_only_what_busybox_has() -> None:
    assert not re.search(r"\[\[ |<\(|\blocal\b|--[a-z]{3}", reader.SCRIPT)
