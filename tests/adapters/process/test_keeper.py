"""The keeper with real programs: output, ends of every kind, and that nothing it started outlives it."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.process.groups import end_group, group_alive, start_of
from adapters.process.keeper import Keeper, wipe_leftovers
from adapters.process.results import (
    ProgramEnded,
    ProgramFailed,
    ProgramMissing,
    ProgramTimedOut,
    SecretInArgv,
)
from engine.errors import TransientError
from engine.secrets import Secret

ROOT = Path(__file__).resolve().parents[3]


class Started:
    """Keeps what `on_start` was told, and lets a test wait for it."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, str, str]] = []
        self.event = threading.Event()

    def __call__(self, group: int, start: str, shown: str) -> None:
        self.seen.append((group, start, shown))
        self.event.set()


@pytest.fixture
def started() -> Started:
    return Started()


@pytest.fixture
def keeper(tmp_path: Path, started: Started) -> Iterator[Keeper]:
    with Keeper(tmp_path / "state", on_start=started) as it:
        yield it


def wait_for(condition: object, seconds: float = 10.0) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.005)


def sh(script: str, *rest: str) -> list[str]:
    return ["sh", "-c", script, *rest]


def test_output_code_and_time_come_back(keeper: Keeper) -> None:
    done = keeper.run(sh("printf 'a\\000b'; echo grumble >&2; exit 3"), timeout_s=10, ok=(3,))
    assert (done.code, done.stdout, done.stderr_tail) == (3, b"a\0b", ("grumble",))
    assert 0 < done.seconds < 10


def test_a_code_that_is_not_ok_is_permanent_and_shows_the_last_25_lines(keeper: Keeper) -> None:
    with pytest.raises(ProgramFailed) as caught:
        keeper.run(sh("for i in $(seq 40); do echo line $i >&2; done; exit 7"), timeout_s=10)
    assert caught.value.finished.code == 7
    assert caught.value.evidence == tuple(f"line {n}" for n in range(16, 41))


def test_evidence_is_stdout_when_stderr_is_empty_and_secrets_are_redacted(keeper: Keeper) -> None:
    secret = Secret("hunter2-hunter2-hunter2")
    with pytest.raises(ProgramFailed) as caught:
        keeper.run(sh('echo "password $P is wrong"; exit 1'), env={"P": secret}, timeout_s=10)
    (line,) = caught.value.evidence
    assert line.startswith("password ") and line.endswith(" is wrong") and "hunter2" not in line


def test_death_by_signal_is_told_as_such(keeper: Keeper) -> None:
    with pytest.raises(ProgramFailed, match="ended by signal 11"):
        keeper.run(sh("kill -SEGV $$"), timeout_s=10)


def test_environment_home_and_tmpdir_are_private_and_there_is_no_terminal(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESTIC_REPOSITORY", "/somebody/elses")
    text = keeper.run(["env"], env={"GIVEN": Secret("s3cret-value"), "PLAIN": "x"}, timeout_s=10).stdout.decode()
    env = dict(line.split("=", 1) for line in text.splitlines())
    assert env["GIVEN"] == "s3cret-value" and env["PLAIN"] == "x" and "RESTIC_REPOSITORY" not in env
    assert env["HOME"] == str(keeper.directory / "home") and env["TMPDIR"] == str(keeper.directory / "tmp")
    assert keeper.directory.stat().st_mode & 0o777 == 0o700
    script = "test -t 0 || test -t 1 || test -t 2 || (exec </dev/tty) 2>/dev/null && echo tty; ls /proc/self/fd | wc -l; cat"
    said = keeper.run(sh(script), timeout_s=10).stdout
    assert said.split() == [b"4"], "no terminal, nothing on stdin, no descriptor but 0, 1, 2 and ls's own"


def test_stdin_of_any_size_passes_both_ways(keeper: Keeper) -> None:
    data = os.urandom(3_000_000)
    assert keeper.run(["cat"], stdin=data, timeout_s=30).stdout == data
    assert keeper.run(["cat"], stdin=Secret("pass phrase"), timeout_s=10).stdout == b"pass phrase"
    assert keeper.run(["true"], stdin=data, timeout_s=10).code == 0, "a program may leave its stdin unread"


def test_streaming_keeps_nothing(keeper: Keeper) -> None:
    pieces: list[int] = []
    done = keeper.stream(["head", "-c", "5000000", "/dev/zero"], lambda piece: pieces.append(len(piece)), timeout_s=30)
    assert sum(pieces) == 5_000_000 and len(pieces) > 1 and done.stdout == b""


def test_a_sink_that_raises_ends_the_program(keeper: Keeper, started: Started) -> None:
    def sink(piece: bytes) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        keeper.stream(["yes"], sink, timeout_s=30)
    group, start, _ = started.seen[0]
    wait_for(lambda: not group_alive(group, start))


def test_missing_program_and_missing_folder_are_named(keeper: Keeper, tmp_path: Path) -> None:
    with pytest.raises(ProgramMissing, match="no-such-program"):
        keeper.run(["no-such-program"], timeout_s=10)
    with pytest.raises(ProgramMissing, match="could not be started"):
        keeper.run(["true"], cwd=tmp_path / "nowhere", timeout_s=10)


def test_timeout_ends_the_whole_group_even_when_it_ignores_sigterm(keeper: Keeper, started: Started, tmp_path: Path) -> None:
    with pytest.raises(ProgramTimedOut, match=r"did not end in 0\.3 s"):
        keeper.run(sh("sleep 100 & echo ready; wait"), timeout_s=0.3)
    group, start, shown = started.seen[0]
    assert not group_alive(group, start)
    assert shown.startswith("sh -c")


def test_a_child_left_in_the_background_is_ended_and_does_not_hold_the_call(keeper: Keeper, started: Started) -> None:
    began = time.monotonic()
    done = keeper.run(sh("trap '' TERM HUP; sleep 100 & echo $!"), timeout_s=50)
    assert time.monotonic() - began < 30
    child = int(done.stdout)
    wait_for(lambda: not start_of(child) or not group_alive(*started.seen[0][:2]))


def test_shielded_is_never_sent_sigterm(keeper: Keeper, tmp_path: Path) -> None:
    mark = tmp_path / "told"
    script = f"trap 'echo term >> {mark}; exit 0' TERM; touch {mark}.up; while :; do sleep 0.02; done"
    for shielded in (True, False):
        with pytest.raises(ProgramTimedOut):
            keeper.run(sh(script), timeout_s=0.5, shielded=shielded)
        assert (tmp_path / "told.up").exists()
        assert mark.exists() is (not shielded)


def test_shielded_may_finish_within_the_grace_when_asked_to_end(keeper: Keeper, started: Started, tmp_path: Path) -> None:
    go = tmp_path / "go"
    answers: list[object] = []

    def call() -> None:
        script = f"touch {go}.up; while [ ! -e {go} ]; do sleep 0.02; done; echo done"
        answers.append(keeper.run(sh(script), timeout_s=50, shielded=True).stdout)

    thread = threading.Thread(target=call)
    thread.start()
    wait_for((tmp_path / "go.up").exists)
    keeper.end_all(30)
    go.touch()
    thread.join(20)
    assert answers == [b"done\n"]


def test_what_is_asked_to_end_before_it_started_never_starts(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    made: list[Keeper] = []
    with Keeper(tmp_path / "state", on_start=lambda *_: made[0].end_all(5)) as hasty:
        made.append(hasty)
        with pytest.raises(ProgramEnded):
            hasty.run(["touch", str(mark)], timeout_s=10)
    assert not mark.exists()


def test_end_all_ends_running_programs_and_starts_no_more(keeper: Keeper, started: Started) -> None:
    caught: list[BaseException] = []

    def call() -> None:
        try:
            keeper.run(["sleep", "100"], timeout_s=200)
        except ProgramEnded as error:
            caught.append(error)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(started.seen) == 4)
    keeper.end_all(5)
    for thread in threads:
        thread.join(10)
    assert len(caught) == 4
    with pytest.raises(ProgramEnded, match="stopping"):
        keeper.run(["true"], timeout_s=10)


def test_many_at_once_keep_their_own_output(keeper: Keeper) -> None:
    seen: dict[int, bytes] = {}

    def call(number: int) -> None:
        seen[number] = keeper.run(sh("sleep 0.1; echo $0", str(number)), timeout_s=30).stdout

    threads = [threading.Thread(target=call, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {n: f"{n}\n".encode() for n in range(12)}


def test_a_secret_in_an_argument_is_a_bug_and_nothing_starts(keeper: Keeper, started: Started) -> None:
    secret = Secret("correct-horse-battery")
    with pytest.raises(SecretInArgv) as caught:
        keeper.run(["echo", "--password=" + secret.reveal()], timeout_s=10)
    assert "horse" not in str(caught.value) and not started.seen


def test_every_argument_list_is_recorded(tmp_path: Path) -> None:
    record: list[tuple[str, ...]] = []
    with Keeper(tmp_path, on_argv=record.append) as keeper:
        keeper.run(["echo", "one two"], timeout_s=10)
    assert record == [("echo", "one two")]


def test_the_program_starts_only_after_on_start_returned(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    held: list[bool] = []

    def on_start(group: int, start: str, shown: str) -> None:
        assert start_of(group) == start and start
        held.append(mark.exists())
        raise PermissionError("the journal could not be synced")

    with Keeper(tmp_path / "state", on_start=on_start) as keeper, pytest.raises(PermissionError):
        keeper.run(["touch", str(mark)], timeout_s=10)
    assert held == [False] and not mark.exists()


def test_a_minder_killed_from_outside_takes_its_program_along(keeper: Keeper, started: Started) -> None:
    caught: list[str] = []

    def call() -> None:
        try:
            keeper.run(["sleep", "100"], timeout_s=200)
        except ProgramEnded as error:
            caught.append(str(error))

    thread = threading.Thread(target=call)
    thread.start()
    started.event.wait(10)
    group, start, _ = started.seen[0]
    os.kill(group, signal.SIGKILL)
    thread.join(10)
    assert len(caught) == 1 and "from outside" in caught[0]
    assert not group_alive(group, start)


def test_a_keeper_killed_before_it_starts_a_program_is_no_bug(keeper: Keeper, started: Started) -> None:
    caught: list[BaseException] = []

    def call() -> None:
        try:
            keeper.run(["true"], timeout_s=10)
        except TransientError as error:
            caught.append(error)

    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = open_files()
    os.kill(keeper.pid, signal.SIGSTOP)
    thread = threading.Thread(target=call)
    thread.start()
    wait_for(lambda: open_files() == before + 4)  # the other ends are handed over: somebody should say his name now
    os.kill(keeper.pid, signal.SIGKILL)
    thread.join(10)
    assert len(caught) == 1 and "keeps our programs is gone" in str(caught[0]) and not started.seen


def test_a_number_given_to_somebody_else_is_left_alone() -> None:
    with subprocess.Popen(["sleep", "100"], start_new_session=True) as other:
        try:
            boot, _, ticks = start_of(other.pid).partition(":")
            assert not end_group(other.pid, f"{boot}:{int(ticks) - 1}")
            assert not end_group(other.pid, f"another-boot:{ticks}")
            assert not end_group(other.pid, "")
            assert other.poll() is None
            assert end_group(other.pid, f"{boot}:{ticks}")
        finally:
            other.kill()
    assert other.returncode == -signal.SIGKILL


PARENT = """
import fcntl, os, sys, threading
from pathlib import Path
from adapters.process.keeper import Keeper
state = Path(sys.argv[1])
lock = open(state / "lock", "w")
fcntl.flock(lock, fcntl.LOCK_EX)
# One write a line: print() may put another thread's line between a text and its end.
keeper = Keeper(state, on_start=lambda g, s, a: os.write(1, f"{g} {s}\\n".encode()))
keeper.hold(lock.fileno())
print("keeper", keeper.pid, flush=True)
calls = [
    (["sh", "-c", "sleep 300 & sleep 300"], False),
    (["sh", "-c", "trap '' TERM INT HUP; while :; do sleep 0.05; done"], False),
    (["sh", "-c", "trap 'echo term >> " + sys.argv[1] + "/told; exit' TERM; while :; do sleep 0.05; done"], True),
]
for argv, shielded in calls:
    threading.Thread(target=keeper.run, args=(argv,), kwargs={"timeout_s": 600, "shielded": shielded}).start()
"""


@pytest.mark.parametrize("whole_group", [False, True], ids=["alone", "with-its-group"])
def test_when_the_parent_is_killed_no_child_survives_and_the_lock_is_held_until_then(tmp_path: Path, whole_group: bool) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True
    )
    assert parent.stdout is not None
    keeper_pid = int(parent.stdout.readline().split()[1])
    keeper_start = start_of(keeper_pid)
    lines = [parent.stdout.readline().split() for _ in range(3)]
    groups = [(int(group), start) for group, start in lines]
    assert all(group_alive(*group) for group in groups)

    (os.killpg if whole_group else os.kill)(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    with (tmp_path / "lock").open("w") as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(lock, fcntl.LOCK_EX)  # waits for the keeper, whose last minder ends in its few seconds of grace
        assert not any(group_alive(*group) for group in groups)
    wait_for(lambda: start_of(keeper_pid) != keeper_start)
    assert not (tmp_path / "told").exists(), "the shielded group was killed, never told"
    assert not list(tmp_path.glob("programs-*")), "the private folder went with the keeper"


def test_leftovers_of_a_dead_keeper_are_wiped_and_those_of_a_living_one_kept(tmp_path: Path, keeper: Keeper) -> None:
    dead = tmp_path / "state" / "programs-dead"
    (dead / "tmp").mkdir(parents=True)
    (dead / "tmp" / "values.yaml").write_text("rendered: secret")
    (dead / "owner").write_text(f"{os.getpid()} another-boot:1\n")
    wipe_leftovers(tmp_path / "state")
    assert not dead.exists() and keeper.directory.exists()


def test_a_young_folder_without_its_owner_s_name_is_left_to_the_run_that_makes_it(tmp_path: Path) -> None:
    young, old = tmp_path / "programs-young", tmp_path / "programs-old"
    for folder in (young, old):
        folder.mkdir()
        (folder / "owner").touch()
    os.utime(old, (1.0, 1.0))
    wipe_leftovers(tmp_path)
    assert young.exists() and not old.exists()


def test_closing_removes_the_private_folder_and_lets_go_of_the_lock(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as first, (tmp_path / "lock").open("w") as second:
        fcntl.flock(first, fcntl.LOCK_EX)
        with Keeper(tmp_path / "state") as keeper:
            keeper.hold(first.fileno())
            first.close()
            with pytest.raises(BlockingIOError):
                fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert not list((tmp_path / "state").iterdir())
