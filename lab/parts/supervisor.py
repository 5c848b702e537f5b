"""Starts, watches and ends the lab's programs: own process group, pid file, log file, readiness by probe. Knows no program.

Every program carries the lab's mark in its environment, so that what a killed lab left behind is found again even when it died
between the start and the pid file.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

from lab.parts.errors import PartFailed

_MARK = "BLACKSTART_LAB"
_POLL_S = 0.02
_READY_S = 0.05


class Rank(IntEnum):
    """Order of stopping: clients first, for an API server that loses etcd, or keeps clients, takes ten seconds to end."""

    CLIENT = 0
    CONTROLLER = 1
    API = 2
    STORE = 3


@dataclass(frozen=True)
class Program:
    """What to start. `ready` is asked until it says true; it may answer False for as long as nothing listens yet."""

    name: str
    argv: tuple[str, ...]
    rank: Rank
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    ready: Callable[[], bool] | None = None
    ready_s: float = 60.0


@dataclass(frozen=True, order=True)
class ProcessId:
    """A process beyond doubt: pids are used again, a pid with its start time is not."""

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> ProcessId | None:
        """The process with this pid, or None when there is none (or only its unreaped remains)."""
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return None
        state, *rest = stat[stat.rindex(")") + 2 :].split()
        return None if state in "ZX" else cls(pid, int(rest[18]))

    def alive(self) -> bool:
        """Whether exactly this process still runs."""
        return ProcessId.of(self.pid) == self

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to its process group (it leads one); a process that is gone is no error."""
        if self.alive():
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def wait_gone(self, seconds: float) -> bool:
        """Wait until it is gone; False when it outlived `seconds`."""
        deadline = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
        return True


@dataclass(frozen=True)
class _Child:
    program: Program
    process: subprocess.Popen[bytes] | None
    identity: ProcessId

    def alive(self) -> bool:
        # Of a child of ours the number is nobody else's until it is reaped, which its poll does.
        return self.process.poll() is None if self.process is not None else self.identity.alive()


class Supervisor:
    """All programs of one lab. `root` is the lab's folder; pid files, logs and homes live below it."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.logs = self.root / "logs"
        self._pids = self.root / "pids"
        self._home = self.root / "home"
        self._children: dict[str, _Child] = {}
        self._lock = threading.RLock()
        for folder in (self.logs, self._pids, self._home):
            folder.mkdir(parents=True, exist_ok=True)

    def start(self, program: Program) -> ProcessId:
        """Start the program and wait until it is ready. PartFailed when it dies before, or is not ready in time."""
        identity = self.launch(program)
        if program.ready is not None:
            self.wait_ready(program.name, program.ready, program.ready_s)
        return identity

    def launch(self, program: Program) -> ProcessId:
        """Start the program without waiting for it to be ready. PartFailed when one of this name runs already."""
        with self._lock:
            if self.alive(program.name):
                raise PartFailed(f"{program.name} runs already")
            with self.log(program.name).open("ab") as log:
                process = subprocess.Popen(
                    program.argv,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=program.folder or self._home,
                    env=self.environment(program.environment),
                    start_new_session=True,
                )
            identity = ProcessId.of(process.pid) or ProcessId(process.pid, 0)
            self._children[program.name] = _Child(program, process, identity)
            self._pid_file(program.name).write_text(f"{identity.pid} {identity.started} {program.rank.value}\n")
            return identity

    def adopt(self, program: Program) -> bool:
        """Take over a program that an earlier life of this lab left running; False when it does not run any more."""
        with self._lock:
            if self.alive(program.name):
                return True  # it is ours still: only who watches it has changed
            identity = self._recorded(program.name)
            if identity is None or not identity.alive():
                return False
            self._children[program.name] = _Child(program, None, identity)
            return True

    def alive(self, name: str) -> bool:
        """Whether the program runs."""
        with self._lock:
            child = self._children.get(name)
            return child is not None and child.alive()

    def running(self) -> dict[str, int]:
        """Name and pid of every program that runs."""
        with self._lock:
            return {name: child.identity.pid for name, child in self._children.items() if child.alive()}

    def stop(self, name: str, grace_s: float = 5.0) -> None:
        """SIGTERM to the program's group, SIGKILL after `grace_s` (0: at once, as a power cut does); waits until it is gone."""
        with self._lock:
            child = self._children.pop(name, None)
        if child is not None:
            _end(child.identity, grace_s)
            if child.process is not None:
                if child.process.returncode is None:  # not reaped, so its number still names its group: nobody stays behind
                    with suppress(ProcessLookupError):
                        os.killpg(child.identity.pid, signal.SIGKILL)
                child.process.wait()
        self._pid_file(name).unlink(missing_ok=True)

    def terminate(self, name: str) -> None:
        """Send SIGTERM and return at once."""
        with self._lock:
            child = self._children.get(name)
        if child is not None:
            child.identity.signal_group(signal.SIGTERM)

    def exit_code(self, name: str) -> int | None:
        """What the program ended with (128 + signal for a death by signal); None while it runs and for an adopted one."""
        with self._lock:
            child = self._children.get(name)
        code = child.process.poll() if child is not None and child.process is not None else None
        return 128 - code if code is not None and code < 0 else code

    def pause(self, name: str) -> None:
        """Freeze the program (SIGSTOP): it holds its ports and answers nothing."""
        self._children[name].identity.signal_group(signal.SIGSTOP)

    def go_on(self, name: str) -> None:
        """Let a frozen program go on."""
        self._children[name].identity.signal_group(signal.SIGCONT)

    def down(self) -> None:
        """End everything, clients first; nothing of this lab is left running afterwards."""
        for rank in Rank:
            with self._lock:
                children = [c for c in self._children.values() if c.program.rank is rank]
            # etcd's data and the API server's state are disposable or synced: no reason to wait for their long farewell.
            grace_s = 3.0 if rank is Rank.CLIENT else 0.0
            for child in children:
                child.identity.signal_group(signal.SIGCONT)
                child.identity.signal_group(signal.SIGTERM if grace_s else signal.SIGKILL)
            deadline = time.monotonic() + grace_s
            for child in children:
                # Told once: many a program takes a second SIGTERM for impatience and leaves its work undone.
                child.identity.wait_gone(max(0.0, deadline - time.monotonic()))
                self.stop(child.program.name, grace_s=0.0)
        self.sweep()

    def sweep(self) -> tuple[int, ...]:
        """End what an earlier, killed life of this lab left running (by pid file, then by the mark); their pids come back."""
        ended = []
        recorded = sorted(
            (rank, i) for path in self._pids.glob("*.pid") if (i := _read(path)) for rank in [_rank(path)]
        )
        for identity in [i for _, i in recorded if i.alive()] + list(self._marked()):
            if identity.alive() and identity.pid != os.getpid():
                ended.append(identity.pid)
                _end(identity, 0.0)
        with self._lock:
            for path in self._pids.glob("*.pid"):
                if path.stem not in self._children:
                    path.unlink(missing_ok=True)
        return tuple(ended)

    def environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        """A clean environment: own home, no keys or proxies of the developer's, the lab's mark."""
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": str(self._home),
            "TMPDIR": str(self._home),
            "LC_ALL": "C.UTF-8",
            # A quarter of what an API server computes is its collector's: below the limit it may use more room, and collect less.
            "GOGC": "300",
            "GOMEMLIMIT": "500MiB",
            **self.marked(extra),
        }

    def marked(self, environment: Mapping[str, str]) -> dict[str, str]:
        """With the lab's mark: a process that has it is ended with the lab, whoever started it."""
        return {_MARK: str(self.root), **environment}

    def log(self, name: str) -> Path:
        """The program's log file (stdout and stderr)."""
        return self.logs / f"{name}.log"

    def wait_ready(self, name: str, ready: Callable[[], bool], seconds: float) -> None:
        """Ask `ready` until it says true. PartFailed with the log's last lines when the program dies first, or time is up."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.alive(name):
                raise PartFailed(f"{name} ended while starting", evidence=self._tail(name))
            if time.monotonic() > deadline:
                raise PartFailed(f"{name} was not ready in {seconds:.0f} s", evidence=self._tail(name))
            time.sleep(_READY_S)

    def _tail(self, name: str) -> tuple[str, ...]:
        log = self.log(name)
        return tuple(log.read_text(errors="replace").splitlines()[-12:]) if log.exists() else ()

    def _pid_file(self, name: str) -> Path:
        return self._pids / f"{name}.pid"

    def _recorded(self, name: str) -> ProcessId | None:
        return _read(self._pid_file(name))

    def _marked(self) -> Iterable[ProcessId]:
        mark = f"{_MARK}={self.root}\0".encode()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and (identity := ProcessId.of(int(entry.name))):
                try:
                    if mark in (entry / "environ").read_bytes() + b"\0":
                        yield identity
                except (FileNotFoundError, ProcessLookupError, PermissionError):
                    continue  # gone, or not ours


def _end(identity: ProcessId, grace_s: float) -> None:
    """End a process and the group it leads (one that leads none is ended alone)."""
    identity.signal_group(signal.SIGCONT)
    if grace_s:
        identity.signal_group(signal.SIGTERM)
        if identity.wait_gone(grace_s):
            return
    try:
        if identity.alive():
            leads = os.getpgid(identity.pid) == identity.pid
            (os.killpg if leads else os.kill)(identity.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    if not identity.wait_gone(20.0):
        raise PartFailed(f"process {identity.pid} does not end, not even by SIGKILL")


def _read(path: Path) -> ProcessId | None:
    try:
        pid, started, _ = path.read_text().split()
        return ProcessId(int(pid), int(started))
    except (FileNotFoundError, ValueError):
        return None  # torn by the death of its writer: the mark finds the process


def _rank(path: Path) -> int:
    return int(path.read_text().split()[2])
