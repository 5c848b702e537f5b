"""`invoke` as often as one likes without paying for its imports each time: every run is a copy (fork) of one process that has them.

What a run is otherwise stays: a process in a session of its own, with its own files, environment and folder, that can be killed
and waited for as one that was started. What its user has, a start from nothing, is what a bench does that is not warm.
"""

from __future__ import annotations

import gc
import json
import os
import pkgutil
import select
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

_MOST = 1 << 18
"""Bytes of one order: its words and its environment."""
LIMIT_S = 120.0
"""Seconds for an answer; the first one waits for all imports."""
LATE = ("console.opened.real_doors", "adapters.archives.adapter", "adapters.versions.adapter", "invoke.main")
"""What verbs import only as they run."""


class Copy:
    """One run, used as a `subprocess.Popen` is; by several threads, too."""

    def __init__(self, warm: Warm, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._warm = warm
        self._taking = threading.Lock()
        self._watched = os.pidfd_open(pid)
        weakref.finalize(self, os.close, self._watched)  # not once it has ended: another thread may be watching it

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""
        return self._until(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code once it has ended; TimeoutExpired after so many seconds."""
        if (code := self._until(timeout)) is None:
            raise subprocess.TimeoutExpired("invoke", timeout or 0.0)
        return code

    def _until(self, seconds: float | None) -> int | None:
        if self.returncode is None and select.select([self._watched], [], [], seconds)[0]:
            with self._taking:
                if self.returncode is None:  # until now it is a zombie, and no other process has its number
                    self.returncode = int(self._warm.ask({"ended": self.pid})["code"])
        return self.returncode


class Warm:
    """The process that copies itself. `before` are the words before its command, as `Bench.covered` has them.

    `bare`: it has imported nothing, for who looks at the copying alone.
    """

    def __init__(self, before: Sequence[str], folder: Path, *, bare: bool = False) -> None:
        self._asking = threading.Lock()
        self._door, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        argv = [*before, sys.executable, "-m", "tests.crash.wire.warm", str(theirs.fileno()), *(["bare"] if bare else [])]
        with theirs:
            self._process = subprocess.Popen(
                argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        """Of the process that is copied."""
        return self._process.pid

    def begin(self, argv: Sequence[str], folder: Path, environment: Mapping[str, str], out: int, err: int) -> Copy:
        """Run `invoke` with these words in a session of its own."""
        told = {"argv": list(argv), "folder": str(folder), "environment": dict(environment)}
        return Copy(self, int(self.ask(told, out, err)["pid"]))

    def ask(self, order: dict[str, Any], *files: int) -> dict[str, Any]:
        """One order and its answer, which no other thread can get. ConnectionError when the process is gone, TimeoutError when it
        says nothing for LIMIT_S; it is asked nothing more then, for what it says next would be the answer to this order."""
        with self._asking:
            self._door.settimeout(LIMIT_S)
            try:
                socket.send_fds(self._door, [json.dumps(order).encode()], files)
                answer = self._door.recv(_MOST)
            except TimeoutError:
                self._door.shutdown(socket.SHUT_RDWR)
                raise
        if not answer:
            raise ConnectionError(f"the process that is copied is gone: {self._process.poll()}")
        found: dict[str, Any] = json.loads(answer)
        return found

    def close(self) -> None:
        """End it; runs that live on are nobody's any more."""
        self._door.close()
        self._process.wait()


def serve(door: socket.socket) -> int:
    """Copy ourselves for each order until nobody gives any. In a copy: its exit code."""
    while True:
        words, files, _, _ = socket.recv_fds(door, _MOST, 2)
        if not words:
            return 0
        order = json.loads(words)
        if "ended" in order:
            code = os.waitstatus_to_exitcode(os.waitpid(order["ended"], 0)[1])
            door.send(json.dumps({"code": code}).encode())
            continue
        if os.fork() == 0:
            os.setsid()
            # Told by the copy: before it leads its group, who kills that group would find none.
            door.send(json.dumps({"pid": os.getpid()}).encode())
            door.close()
            return become(order, *files)
        for file in files:
            os.close(file)


def become(order: dict[str, Any], out: int, err: int) -> int:
    """Be the `invoke` that was ordered, in the session that is ours by now."""
    for file, standard in ((out, 1), (err, 2)):
        os.dup2(file, standard)
        os.close(file)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.argv = order["argv"]
    sys.path[0] = str(Path(sys.argv[0]).parent)
    code: int | None = import_module("invoke.main").program.run()
    return code or 0


def verbs() -> list[str]:
    """Every module that has the body of a verb, in whichever room."""
    package = import_module("console.verbs")
    return [module.name for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]


def get_warm() -> None:
    """Have all that a verb imports, but for tasks.py, which reads the words of its own command line."""
    for name in (*verbs(), *LATE):
        import_module(name)
    gc.freeze()


if __name__ == "__main__":
    if sys.argv[2:] != ["bare"]:
        get_warm()
    with socket.socket(fileno=int(sys.argv[1])) as orders:
        sys.exit(serve(orders))
