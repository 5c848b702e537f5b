"""The reader's script, run by this machine's shell on real folders, and how its log is read."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from adapters.volsync.reader import Reading, Request, joined, read_log
from adapters.volsync.results import Snapshot
from adapters.volsync.script import SCRIPT

ODD = ["line\nbreak", "tab\there", "back\\slash", "cr\rhere", "esc\x1b[31m"]
TOOLS = ("sh", "find", "stat", "readlink", "sort", "sed", "grep", "tr", "xargs", "od", "head", "tail", "wc", "mkdir", "rm", "cat")
PLAIN = ["a", "with space", " leading", "ünïcode", "-dash", "*star", "quote'\"", "$(echo no)", "deep/er/file"]


def script_on(volume: Path) -> str:
    """The script with this folder where its pod has /data, and a folder beside it for /tmp."""
    return SCRIPT.replace("cd /data", f"cd '{volume}'").replace("t=/tmp/", f"t={volume.parent}/")


def logged(volume: Path, request: Request, **extra: str) -> bytes:
    done = subprocess.run(
        ["sh", "-c", script_on(volume)],
        env={"PATH": os.environ["PATH"], **request.environment(), **extra},
        capture_output=True,
        timeout=30,
    )
    assert done.stderr == b"", done.stderr
    return done.stdout


def run(volume: Path, request: Request, **extra: str) -> Reading:
    return read_log(logged(volume, request, **extra))


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A volume with every kind of name that has bitten somebody."""
    root = tmp_path / "volume"
    for name in (*PLAIN, *ODD):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {name}")
    (root / os.fsdecode(b"latin\xff1")).write_text("not UTF-8")
    (root / "other name").hardlink_to(root / "a")
    os.utime(root / "*star", ns=(1, -1_500_000_000))
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
    reading = run(volume, Request(hashed=True))
    assert reading.ended
    assert reading.problems == ()
    entries = joined([reading])
    assert {e.path for e in entries} == walked(volume)
    assert len(entries) == len(walked(volume))
    by_path = {e.path: e for e in entries}
    assert {path: e.sha256 for path, e in by_path.items() if e.kind == "file"} == {
        path: sha256(volume / path) for path, e in by_path.items() if e.kind == "file"
    }
    assert by_path["a"].mode == 0o4755
    assert by_path["a"].size == len("content of a")
    assert by_path["empty"].kind == "dir"
    assert by_path["empty"].size == 0
    assert by_path["link"].kind == by_path["dangling"].kind == "symlink"
    assert by_path["fifo"].kind == "fifo"


def test_every_entry_is_told_as_the_file_system_has_it(volume: Path) -> None:
    reading = run(volume, Request())
    for entry in joined([reading]):
        there = (volume / entry.path).lstat()
        assert (entry.mode, entry.uid, entry.gid, entry.mtime_ns) == (
            there.st_mode & 0o7777, there.st_uid, there.st_gid, there.st_mtime_ns,
        ), entry  # fmt: skip
        linked = entry.kind == "file" and there.st_nlink > 1
        assert entry.link == ((there.st_dev, there.st_ino) if linked else None)
        assert entry.target == (str((volume / entry.path).readlink()) if entry.kind == "symlink" else None)
    assert reading.sums == {}


TARGETS = ["nowhere", "/", "/a//b", "with space", "line\nbreak", "ends\n", "back\\slash", "\udcff\udcfe", "x" * 1000]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", ["plain", "odd\nname", "\udcff"])
def test_where_a_symlink_points_is_told_to_the_byte(tmp_path: Path, name: str, target: str) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    (volume / name).symlink_to(target)
    (entry,) = joined([run(volume, Request())])
    assert (entry.path, entry.target) == (name, target)


def test_device_numbers_are_told(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make a device")
    volume = tmp_path / "volume"
    volume.mkdir()
    os.mknod(volume / "c", 0o020600, os.makedev(1, 3))
    os.mknod(volume / "b", 0o060600, os.makedev(259, 70000))
    told = {e.path: (e.kind, e.device) for e in joined([run(volume, Request())])}
    assert told == {"c": ("chardev", (1, 3)), "b": ("dev", (259, 70000))}


def test_extended_attributes_are_told_where_the_image_can_read_them(volume: Path, tmp_path: Path) -> None:
    try:
        os.setxattr(volume / "a", "user.k", b"v\0\xff")
    except OSError:
        pytest.skip("this file system keeps no attributes")
    os.setxattr(volume / "a", "user.a=b", b"")
    os.setxattr(volume / "line\nbreak", "user.k", b"1")
    reading = run(volume, Request())
    by_path = {e.path: e.xattrs for e in joined([reading])}
    assert by_path["a"] == by_path["other name"] == (("user.a=b", b""), ("user.k", b"v\0\xff"))
    assert by_path["line\nbreak"] == (("user.k", b"1"),) and by_path["link"] == ()
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found
        (tools / tool).symlink_to(found)
    without = run(volume, Request(), PATH=str(tools))
    assert without.ended and {e.xattrs for e in joined([without])} == {None}, "not known is not none"


def test_a_long_list_comes_in_stretches_without_gap_or_overlap(tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    names = [f"file {n}" for n in range(25)]
    for name in names:
        (volume / name).write_text(name)
    readings = [run(volume, Request(skip, 10, hashed=True)) for skip in (0, 10, 20)]
    assert [(r.shown, r.total) for r in readings] == [(10, 25), (10, 25), (5, 25)]
    entries = joined(readings)
    assert sorted(e.path for e in entries) == sorted(names)
    assert all(e.sha256 for e in entries)


def test_a_stretch_is_no_longer_than_what_a_kubelet_keeps_of_a_log(tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    deep = volume / ("d" * 200)
    deep.mkdir(parents=True)
    for n in range(40):
        (deep / f"{n:02}{'n' * 200}").touch()
    limited = {**Request().environment(), "LIST_BYTES": "5000"}
    seen, found = 0, []
    while True:
        log = logged(volume, Request(), **limited | {"LIST_SKIP": str(seen)})
        reading = read_log(log)
        assert reading.ended and reading.shown > 0 and len(log) < 5200
        found.append(reading)
        seen += reading.shown
        if seen == reading.total:
            break
    assert len(joined(found)) == 41


def test_an_empty_volume_is_an_empty_list_that_ended(tmp_path: Path) -> None:
    (tmp_path / "volume").mkdir()
    reading = run(tmp_path / "volume", Request(take=10, hashed=True))
    assert (reading.entries, reading.ended, reading.total) == ((), True, 0)


def test_what_cannot_be_read_is_a_problem_and_not_nothing(tmp_path: Path) -> None:
    # Root reads everything, so a file that vanishes between list and hash stands for an unreadable one.
    volume = tmp_path / "volume"
    volume.mkdir()
    (volume / "a").touch()
    script = script_on(volume).replace('cat "$t/shown"', 'cat "$t/shown"; rm a')
    environment = {"PATH": os.environ["PATH"], **Request(take=10, hashed=True).environment()}
    done = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, timeout=30)
    reading = read_log(done.stdout)
    assert done.returncode != 0
    assert reading.ended
    assert any("a" in problem for problem in reading.problems)


def test_owners_are_called_unknown_where_they_are(volume: Path) -> None:
    assert run(volume, Request(take=10)).ownership_known
    assert not run(volume, Request(take=10), OWNERSHIP="unknown").ownership_known


LINE = b"81a4 0 0 5 1 2 3 0 0 1700000000 2023-11-14 22:13:20.000000000 +0000 ./"
WHOLE = b"o known\na known\ne " + LINE + b"a\ne " + LINE + b"b\nend 2 2\n"


@pytest.mark.parametrize("length", range(len(WHOLE)))
def test_a_log_that_breaks_off_did_not_end(length: int) -> None:
    assert read_log(WHOLE).ended
    assert not read_log(WHOLE[:length]).ended


@pytest.mark.parametrize("lost", range(1, 5))
def test_a_log_that_lost_its_head_did_not_end_either(lost: int) -> None:
    assert not read_log(b"".join(WHOLE.splitlines(keepends=True)[lost:])).ended


def test_a_log_that_lost_a_line_of_its_middle_did_not_end() -> None:
    lines = WHOLE.splitlines(keepends=True)
    assert not read_log(b"".join(lines[:3] + lines[4:])).ended


WRONG = [b"e 81a4 0 0", b"h abc a", b"e 1" + LINE + b"a", b"something else", b"x " + LINE + b"zz", b"r ok"]


@pytest.mark.parametrize("line", WRONG)
def test_a_line_of_another_contract_is_no_reading(line: bytes) -> None:
    with pytest.raises((ValueError, KeyError)):
        read_log(b"o known\n" + line + b"\n")


def test_times_are_read_as_coreutils_and_as_busybox_print_them() -> None:
    for when in (b"22:13:20.000000007 +0000", b"22:13:20.000000007"):
        (entry,) = read_log(b"o known\ne 81a4 0 0 5 1 2 3 0 0 -9 1969-12-31 " + when + b" ./a\nend 1 1\n").entries
        assert entry.mtime_ns == -9 * 10**9 + 7


def test_the_script_uses_only_what_busybox_has() -> None:
    shell = re.sub(r"python3 -I -c '.*?'", "python3", SCRIPT, flags=re.DOTALL)
    assert not re.search(r"\[\[ |<\(|\blocal\b", shell)
    of_restic = {"--no-lock", "--cacert", "--target", "--dry-run", "--overwrite", "--delete", "--json"}
    of_restic |= {"--include-file", "--exclude-file"}  # each of two restics holds a half
    assert set(re.findall(r"--[a-z][a-z-]+", shell)) == of_restic


def expanded(text: str, environment: dict[str, str]) -> str:
    """What a kubelet makes of a command: `$(NAME)` of its environment, and two dollars into one."""
    return re.sub(r"\$\$|\$\(([^)]*)\)", lambda m: "$" if m[0] == "$$" else environment.get(m[1], m[0]), text)


def test_a_kubelet_leaves_the_script_as_it_is() -> None:
    environment = Request(against=Snapshot("r", "s")).environment()
    assert expanded(SCRIPT, environment) == SCRIPT
    assert expanded("a$$b $(HASH)", environment) == "a$b none"


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_list_whose_making_was_killed_is_not_whole(volume: Path, tmp_path: Path, shell: str) -> None:
    """It is made beside restic, in a process of its own: that may be the one that memory ends."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "find").write_text("#!/bin/sh\nkill -9 $PPID\n")
    (tools / "find").chmod(0o755)
    environment = {"PATH": f"{tools}:{os.environ['PATH']}", **Request(take=100).environment()}
    done = subprocess.run([shell, "-c", script_on(volume)], env=environment, capture_output=True, timeout=30, check=False)
    reading = read_log(done.stdout + done.stderr)  # a container's log has both
    assert done.returncode != 0 and any("broke off" in problem for problem in reading.problems)


@pytest.mark.parametrize("mode", ["1ff", "d1ff", "0", "101ff", "fffff"])
def test_an_entry_of_a_kind_that_there_is_none_of_is_no_line_of_the_contract(mode: str) -> None:
    line = f"e {mode} 0 0 5 1 57 34 0 0 1700000000 2023-11-14 22:13:20.5 +0000 ./a"
    with pytest.raises(ValueError, match="no kind of entry"):
        read_log(f"o known\n{line}\nend 1 1\n".encode())
