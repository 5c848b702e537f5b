"""What a program starts ends with it, whatever group or session it fled to; what the machine lacks ends no keeper."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.process.conversation import Conversation, ProgramEnd
from adapters.process.endings import judge
from adapters.process.groups import MARK, end_group, group_alive, mark_of, start_of
from adapters.process.keeper import Keeper
from adapters.process.kin import kin_of
from adapters.process.minding import Minders
from adapters.process.results import ProgramEnded, ProgramTimedOut
from engine.errors import BlackstartError, PermanentError, TransientError

FLEEING = {
    "timeout": ["timeout", "50", "sleep", "50"],
    "job control": ["bash", "-c", "set -m; sleep 50 & wait"],
    "setsid": ["sh", "-c", "setsid sleep 50 & wait"],
    "double fork": ["sh", "-c", "(setsid sh -c 'sleep 50 & exit' &); sleep 50"],
}
ALONE = {name: ["sh", "-c", '"$@" & sleep 0.3', "sh", *argv] for name, argv in FLEEING.items()}


class Starts:
    """Group and start time of each program, as a journal would note them."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, str]] = []

    def __call__(self, group: int, start: str, shown: str) -> None:
        self.seen.append((group, start))


@pytest.fixture
def started() -> Starts:
    return Starts()


@pytest.fixture
def keeper(tmp_path: Path, started: Starts) -> Iterator[Keeper]:
    with Keeper(tmp_path / "state", on_start=started) as keeper:
        yield keeper


def wait_for(said: object, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not said():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize("argv", FLEEING.values(), ids=FLEEING.keys())
def test_at_a_timeout_all_that_fled_ends_too(keeper: Keeper, argv: list[str]) -> None:
    with pytest.raises(ProgramTimedOut):
        keeper.run(argv, timeout_s=0.5)
    assert kin_of(keeper.pid) == ()


@pytest.mark.parametrize("argv", ALONE.values(), ids=ALONE.keys())
def test_when_the_program_ends_by_itself_nothing_of_it_is_left(keeper: Keeper, argv: list[str]) -> None:
    keeper.run(argv, timeout_s=10)
    assert kin_of(keeper.pid) == ()


@pytest.mark.parametrize("argv", FLEEING.values(), ids=FLEEING.keys())
def test_when_a_minder_is_killed_the_keeper_ends_what_it_left(keeper: Keeper, started: Starts, argv: list[str]) -> None:
    def call() -> None:
        with pytest.raises(ProgramEnded):
            keeper.run(argv, timeout_s=60)

    thread = threading.Thread(target=call)
    thread.start()
    wait_for(lambda: len(kin_of(keeper.pid)) > 1)
    os.kill(started.seen[0][0], signal.SIGKILL)
    thread.join(10)
    wait_for(lambda: kin_of(keeper.pid) == ())
    assert keeper.run(["echo", "fine"], timeout_s=10).stdout == b"fine\n"


def test_what_outlived_all_of_us_is_found_by_its_mark_and_ended() -> None:
    """Parent, keeper and minder killed at once: the journalled number and start still find what left the group."""
    leader = subprocess.Popen(["sleep", "50"], start_new_session=True)
    start = start_of(leader.pid)
    marked = {**os.environ, MARK: mark_of(leader.pid, start)}
    fled = subprocess.Popen(["sh", "-c", "sleep 50"], start_new_session=True, env=marked)
    other = subprocess.Popen(["sleep", "50"], start_new_session=True, env={**marked, MARK: mark_of(leader.pid, "other")})
    try:
        leader.kill()
        leader.wait()
        assert not group_alive(leader.pid, start)
        threading.Thread(target=fled.wait, daemon=True).start()
        assert end_group(leader.pid, start)
        assert not end_group(leader.pid, start), "and there is nothing left to end"
        assert other.poll() is None
    finally:
        for process in (fled, other):
            process.kill()
            process.wait()


def test_grace_only_shrinks(keeper: Keeper, tmp_path: Path) -> None:
    """Told to end now and then to end in five seconds, it ends now, and is told so by nothing but SIGKILL."""
    script = f"trap 'echo term >> {tmp_path}/term' TERM; touch {tmp_path}/up; while :; do sleep 0.05; done"

    def call() -> None:
        with pytest.raises(ProgramEnded):
            keeper.run(["sh", "-c", script], timeout_s=60)

    thread = threading.Thread(target=call)
    thread.start()
    wait_for((tmp_path / "up").exists)
    keeper.end_all(0.0)
    keeper.end_all(5.0)
    thread.join(3)
    assert not thread.is_alive() and not (tmp_path / "term").exists()


def test_an_order_and_an_end_that_arrive_together_are_both_heard(tmp_path: Path) -> None:
    groups: list[int] = []

    def slow(group: int, start: str, shown: str) -> None:
        groups.append(group)
        os.kill(group, signal.SIGSTOP)

    with Keeper(tmp_path / "state", on_start=slow) as keeper:
        ended: list[BlackstartError] = []

        def call() -> None:
            try:
                keeper.run(["sleep", "50"], timeout_s=60)
            except BlackstartError as error:
                ended.append(error)

        thread = threading.Thread(target=call)
        thread.start()
        wait_for(lambda: groups)
        conversation = next(iter(keeper._running))
        wait_for(lambda: conversation._ordered)
        keeper.end_all(5.0)
        os.kill(groups[0], signal.SIGCONT)
        thread.join(10)
        assert len(ended) == 1 and isinstance(ended[0], ProgramEnded) and "this run is stopping" in str(ended[0])


def test_all_are_told_to_end_while_others_come_to_theirs(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that is over takes itself out of the list that is being gone through."""
    real = Conversation.end

    def slow(self: Conversation, grace_s: float) -> None:
        real(self, grace_s)
        time.sleep(0.05)

    monkeypatch.setattr(Conversation, "end", slow)

    def call() -> None:
        with pytest.raises(ProgramEnded):
            keeper.run(["sh", "-c", "trap '' TERM; sleep 50"], timeout_s=60)

    threads = [threading.Thread(target=call) for _ in range(6)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(keeper._running) == 6 and all(c._ordered for c in tuple(keeper._running)))
    keeper.end_all(0.0)
    for thread in threads:
        thread.join(10)
    assert not keeper._running


def test_a_parent_without_descriptors_says_so_and_goes_on_when_it_has_some_again(keeper: Keeper) -> None:
    keeper.run(["true"], timeout_s=10)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = len(list(Path("/proc/self/fd").iterdir()))
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before + 3, hard))
        with pytest.raises(TransientError, match="has no room") as caught:
            keeper.run(["true"], timeout_s=10)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert not isinstance(caught.value, PermanentError)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
    assert keeper.run(["true"], timeout_s=10).code == 0


def test_a_keeper_without_descriptors_is_not_said_to_be_gone_nor_to_hold_a_lock(keeper: Keeper, tmp_path: Path) -> None:
    keeper.run(["true"], timeout_s=10)
    taken = {int(path.name) for path in Path(f"/proc/{keeper.pid}/fd").iterdir()}
    free = [number for number in range(max(taken) + 8) if number not in taken]
    soft, hard = resource.prlimit(keeper.pid, resource.RLIMIT_NOFILE)
    with (tmp_path / "lock").open("w") as lock:
        try:
            for room in (0, 1, 3):  # of four that come with a program
                resource.prlimit(keeper.pid, resource.RLIMIT_NOFILE, (free[room], hard))
                with pytest.raises(TransientError, match="true could not be started: the machine has no room for it"):
                    keeper.run(["true"], timeout_s=10)
            resource.prlimit(keeper.pid, resource.RLIMIT_NOFILE, (free[0], hard))
            with pytest.raises(TransientError, match="no room"):
                keeper.hold(lock.fileno())
        finally:
            resource.prlimit(keeper.pid, resource.RLIMIT_NOFILE, (soft, hard))
        keeper.hold(lock.fileno())
    assert keeper.run(["true"], timeout_s=10).code == 0


def test_a_keeper_that_cannot_fork_says_so_to_the_run_and_lives_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_fork() -> int:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    handler = signal.getsignal(signal.SIGCHLD)
    control, _other = socket.socketpair()
    try:
        minders = Minders()
        monkeypatch.setattr(os, "fork", no_fork)
        ours, theirs = socket.socketpair()
        descriptors = [theirs.detach(), *os.pipe(), os.dup(0)]
        minders.fork(control, descriptors)
        assert json.loads(ours.recv(1000)) == {"failed": "Resource temporarily unavailable", "errno": errno.EAGAIN}
        assert ours.recv(1) == b"", "its descriptors are let go"
        minders.tidy()
    finally:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, handler)
        for one in (control, _other, ours, minders.bell, minders._ring):
            one.close()


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOMEM, errno.EMFILE])
def test_a_program_that_the_machine_has_no_room_for_is_not_missing(number: int) -> None:
    with pytest.raises(TransientError, match="has no room"):
        judge(ProgramEnd("failed", 0, os.strerror(number), b"", number), "helm", 10.0, ())
