"""The keeper's own process, and the minder it forks for each program. Knows no engine, no secret register, no journal.

The keeper is single-threaded, so that forking is safe. Each minder leads a session and process group of its own, starts one
program in it, and ends all that came of it when the program is done, late, unwanted, or when the socket to our parent closes
because that was killed. Both are subreapers: what a program starts stays their descendant, in whatever group or
session it hides, the minder's while that lives and else the keeper's. The keeper ends, and lets go of the lock, after its
last minder and after the last of what those left.
"""

from __future__ import annotations

import errno
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from adapters.process.groups import MARK, mark_of, start_of
from adapters.process.kin import become_subreaper, end_kin, tell_kin

ABANDONED_GRACE_S = 2.0
_BROUGHT = ("run", "stdin", "stdout", "stderr")
"""What comes with a message `run`."""


def keep(control: socket.socket, directory: Path) -> None:
    """Serve the parent until its end of `control` closes, then wait for every minder and remove the private folder.

    A message `run` brings four descriptors (socket, stdin, stdout, stderr); `hold` brings locks that we keep open so that
    nobody else gets them while a program of ours still runs.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    become_subreaper()
    minders = Minders()
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(minders.bell, select.POLLIN)
    while True:
        ready = {number for number, _ in poll.poll()}
        if minders.bell.fileno() in ready:
            minders.tidy()
        if control.fileno() not in ready:
            continue
        message, descriptors, _, _ = socket.recv_fds(control, 16, 8)
        if not message:
            break
        if message == b"hold":
            # The descriptors just stay open, here and in every minder forked from now on. Without room for them none came.
            control.send(b"held" if descriptors else b"full")
            continue
        minders.fork(control, descriptors)
    minders.await_all()
    shutil.rmtree(directory, ignore_errors=True)


class Minders:
    """The minders that live. `bell` has something to read when a child of ours has ended."""

    def __init__(self) -> None:
        self._living: set[int] = set()
        self.bell, ring = socket.socketpair()
        self.bell.setblocking(False)
        ring.setblocking(False)
        self._ring = ring
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(ring.fileno(), warn_on_full_buffer=False)

    def fork(self, control: socket.socket, descriptors: list[int]) -> None:
        """One minder for this run; where the machine has no room for one, the run is told so and we go on."""
        try:
            if len(descriptors) < len(_BROUGHT):
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                for ours in (control, self.bell, self._ring):
                    ours.close()
                _mind_to_the_end(descriptors)
            self._living.add(pid)
        except OSError as error:
            if descriptors:  # else whoever waits sees its end close
                with socket.socket(fileno=descriptors.pop(0)) as run:
                    _say(run, failed=error.strerror or str(error), errno=error.errno)
        for descriptor in descriptors:
            os.close(descriptor)

    def tidy(self) -> None:
        """Bury who has ended; what a minder left behind that was killed from outside ends now."""
        with suppress(BlockingIOError):
            self.bell.recv(1 << 12)
        with suppress(ChildProcessError):
            while (pid := os.waitpid(-1, os.WNOHANG)[0]) > 0:
                self._living.discard(pid)
        end_kin(os.getpid(), self._living)

    def await_all(self) -> None:
        """Return when no minder is left, nor anything that came of one."""
        while True:
            self.tidy()
            try:
                pid, _ = os.waitpid(-1, 0)
            except ChildProcessError:
                return
            self._living.discard(pid)


def _mind_to_the_end(descriptors: list[int]) -> None:
    """Never returns: the last act is to kill all that the program started, and its whole group, so that nothing outlives it."""
    try:
        os.setsid()
        become_subreaper()
        run = socket.socket(fileno=descriptors[0])
        last = _mind(run, descriptors[1:])
        end_kin(os.getpid())
        if last:
            _say(run, **last)
    finally:
        os.killpg(0, signal.SIGKILL)


def _mind(run: socket.socket, streams: list[int]) -> dict[str, object]:
    """Start what is ordered, see it to its end, and answer our last word on it."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        # A handler, not SIG_IGN: an ignored signal would stay ignored in the program.
        signal.signal(number, lambda _number, _frame: None)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    group, start = os.getpid(), start_of(os.getpid())
    _say(run, group=group, start=start)
    ear = Ear(run)
    order = ear.hear()
    if order is None:
        return {}
    try:
        program = subprocess.Popen(
            order["argv"], env=order["env"] | {MARK: mark_of(group, start)}, cwd=order["cwd"],
            stdin=streams[0], stdout=streams[1], stderr=streams[2],
        )  # fmt: skip
    except (OSError, ValueError) as error:  # ValueError: a zero byte among the words
        code = error.errno if isinstance(error, OSError) else None
        return {"failed": str(error), "errno": code}
    for descriptor in streams:
        os.close(descriptor)
    reason, over = _watch(ear, program.pid, order)
    return {"reason": reason, "code": program.wait() if over else -int(signal.SIGKILL)}


def _watch(ear: Ear, pid: int, order: dict[str, Any]) -> tuple[str, bool]:
    """Wait until the program ended, or its time is over; answer why and whether it did end.

    Why is `exit`, `timeout`, `asked` or `abandoned`. A grace that was given is never made longer.
    """
    ended = os.pidfd_open(pid)
    reason, deadline = "exit", time.monotonic() + order["timeout_s"]
    poll = select.poll()
    poll.register(ended, select.POLLIN)
    poll.register(ear.run, select.POLLIN)
    while True:
        left = 0.0 if ear.waiting else max(0.0, deadline - time.monotonic())
        ready = {number for number, _ in poll.poll(left * 1000)}
        if ended in ready:
            return ("exit" if order["shielded"] else reason), True  # a shielded one was only waited for: its end is its own
        ending = reason != "exit"
        if ear.waiting or ear.run.fileno() in ready:
            wish = ear.hear()
            if wish is None:
                poll.unregister(ear.run)
            reason, grace = ("asked", float(wish["end"])) if wish else ("abandoned", ABANDONED_GRACE_S)
            if order["shielded"] and wish is None:
                grace = 0.0
        elif ending:
            grace = 0.0
        else:
            reason, grace = "timeout", 0.0 if order["shielded"] else float(order["grace_s"])
        until = time.monotonic() + grace
        deadline = min(until, deadline) if ending else until
        if deadline <= time.monotonic():
            return reason, False
        if not order["shielded"]:
            tell_kin(signal.SIGTERM, os.getpid())


def _say(run: socket.socket, **words: object) -> None:
    try:
        run.sendall(json.dumps(words).encode() + b"\n")
    except (BrokenPipeError, ConnectionResetError):
        return  # the parent is gone; ending the group is all that is left to do


class Ear:
    """What the parent says, one word after the other: an order, then ends with ever less grace."""

    def __init__(self, run: socket.socket) -> None:
        self.run = run
        self._heard = b""

    @property
    def waiting(self) -> bool:
        """Whether a word is here that was not asked for yet: it came together with the one before."""
        return b"\n" in self._heard

    def hear(self) -> dict[str, Any] | None:
        """The next word, or None when the parent is gone."""
        while not self.waiting:
            try:
                piece = self.run.recv(1 << 16)
            except ConnectionResetError:
                return None
            if not piece:
                return None
            self._heard += piece
        line, _, self._heard = self._heard.partition(b"\n")
        words: dict[str, Any] = json.loads(line)
        return words


if __name__ == "__main__":
    keep(socket.socket(fileno=int(sys.argv[1])), Path(sys.argv[2]))
