"""The keeper's own process, and the minder it forks for each program. Knows no engine, no secret register, no journal.

The keeper is single-threaded, so that forking is safe. Each minder leads a session and process group of its own, starts one
program in it through `sh`, and ends the whole group, itself included, when the program is done, late, unwanted, or when the
socket to our parent closes because that was killed. The keeper ends, and lets go of the lock, after its last minder.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

import sh

from adapters.process.groups import start_of

ABANDONED_GRACE_S = 2.0
_ANY_CODE = tuple(range(-64, 256))


def keep(control: socket.socket, directory: Path) -> None:
    """Serve the parent until its end of `control` closes, then wait for every minder and remove the private folder.

    A message `run` brings four descriptors (socket, stdin, stdout, stderr); `hold` brings locks that we keep open so that
    nobody else gets them while a program of ours still runs.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_IGN)  # SIGCHLD ignored: the kernel reaps minders for us
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 16, 8)
        if not message:
            break
        if message == b"hold":
            control.send(b"held")  # the descriptors just stay open, here and in every minder forked from now on
            continue
        if os.fork() == 0:
            control.close()
            _mind_to_the_end(descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
    _await_minders()
    shutil.rmtree(directory, ignore_errors=True)


def _await_minders() -> None:
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


def _mind_to_the_end(descriptors: list[int]) -> None:
    """Never returns: the last act is to kill the whole group, so that nothing the program started outlives it."""
    os.setsid()
    try:
        _mind(socket.socket(fileno=descriptors[0]), descriptors[1:])
    finally:
        os.killpg(0, signal.SIGKILL)


def _mind(run: socket.socket, streams: list[int]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        # A handler, not SIG_IGN: an ignored signal would stay ignored in the program.
        signal.signal(number, lambda _number, _frame: None)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _say(run, group=os.getpid(), start=start_of(os.getpid()))
    order = _hear(run)
    if order is None:
        return
    stdin = os.fdopen(streams[0], "rb")
    try:
        program = sh.Command(order["argv"][0])(
            *order["argv"][1:],
            _env=order["env"],
            _cwd=order["cwd"],
            _in=stdin,
            _out=streams[1],
            _err=streams[2],
            _tty_out=False,
            _bg=True,
            _bg_exc=False,
            _ok_code=_ANY_CODE,
        )
    except (sh.CommandNotFound, sh.ForkException, TypeError, OSError) as error:
        _say(run, failed=str(error).strip().splitlines()[-1])
        return
    stdin.close()
    for descriptor in streams[1:]:
        os.close(descriptor)
    reason = _watch(run, program.pid, order)
    program.wait()
    _say(run, reason=reason, code=program.exit_code)


def _watch(run: socket.socket, pid: int, order: dict[str, Any]) -> str:
    """Wait until the program ended and say why: `exit`, `timeout`, `asked`, `abandoned`. Kills all, us too, when grace is over."""
    try:
        ended = os.pidfd_open(pid)
    except ProcessLookupError:
        return "exit"
    reason, deadline = "exit", time.monotonic() + order["timeout_s"]
    poll = select.poll()
    poll.register(ended, select.POLLIN)
    poll.register(run, select.POLLIN)
    while True:
        ready = {number for number, _ in poll.poll(max(0.0, deadline - time.monotonic()) * 1000)}
        if ended in ready:
            return "exit" if order["shielded"] else reason  # a shielded one was only waited for: its end is its own
        if run.fileno() in ready:
            wish = _hear(run)
            if wish is None:
                poll.unregister(run)
            reason, grace = ("asked", float(wish["end"])) if wish else ("abandoned", ABANDONED_GRACE_S)
            if order["shielded"] and wish is None:
                grace = 0.0
        elif reason == "exit":
            reason, grace = "timeout", 0.0 if order["shielded"] else float(order["grace_s"])
        else:
            grace = 0.0
        if grace <= 0:
            _say(run, reason=reason, code=-int(signal.SIGKILL))
            os.killpg(0, signal.SIGKILL)
        if not order["shielded"]:
            os.killpg(0, signal.SIGTERM)
        deadline = time.monotonic() + grace


def _say(run: socket.socket, **words: object) -> None:
    try:
        run.sendall(json.dumps(words).encode() + b"\n")
    except (BrokenPipeError, ConnectionResetError):
        return  # the parent is gone; ending the group is all that is left to do


def _hear(run: socket.socket) -> dict[str, Any] | None:
    """One line from the parent, or None when it is gone."""
    line = bytearray()
    while not line.endswith(b"\n"):
        try:
            piece = run.recv(1 << 16)
        except ConnectionResetError:
            return None
        if not piece:
            return None
        line += piece
    # Only `end` can be said twice in a row (a shorter grace); the last word counts.
    words: dict[str, Any] = json.loads(line.splitlines()[-1])
    return words


if __name__ == "__main__":
    keep(socket.socket(fileno=int(sys.argv[1])), Path(sys.argv[2]))
