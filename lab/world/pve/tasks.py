"""Tasks of the simulated Proxmox: they have an id, a log and an end that takes time. Knows no VM."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from lab.world.pve.access import Refusal
from lab.world.world import World

T = TypeVar("T")

LOCK_WAIT_S = 10.0


class TaskFailed(Exception):
    """The worker gives up; the text becomes the task's exit status."""


class FetchFailed(TaskFailed):
    """A download that failed. `why` ends the task, `answer` is what query-url-metadata would be told.

    `lines`: what wget writes between its first line and its end; a server's own refusal needs none, it is in the answer.
    """

    def __init__(self, why: str, answer: str, *lines: str) -> None:
        super().__init__(f"download failed: {why}")
        self.answer = answer
        self._lines = lines

    def log(self, where: str, stamp: str) -> list[str]:
        """wget's lines, which alone say what the server answered. `where`: name and port, `stamp`: date and time of day."""
        if str(self) != "download failed: exit code 8":
            return list(self._lines)
        status, _, reason = self.answer.partition(" ")
        return [
            f"Connecting to {where}... connected.",
            f"HTTP request sent, awaiting response... {self.answer}",
            f"{stamp} ERROR {status}: {reason}.",
        ]


class Busy(Exception):
    """Somebody holds a lock that this request waits for: `seconds` long at most, then the text is what it is refused with."""

    def __init__(self, seconds: float, text: str) -> None:
        super().__init__(text)
        self.seconds = seconds


def patiently(world: World, act: Callable[[], T]) -> T:
    """Do it with the World held still; who waits for a lock does so where others go on, and is refused when it takes too long."""
    since = world.clock.monotonic()
    while True:
        try:
            with world.looking():
                return act()
        except Busy as busy:
            if world.clock.monotonic() - since >= busy.seconds:
                raise Refusal(500, str(busy)) from None
        world.clock.sleep(0.5)


@dataclass
class LabTask:
    """One task. `ended` is None while it runs; times in seconds of the World's clock since the epoch."""

    upid: str
    host: str
    kind: str
    target: str
    user: str
    started: float
    pid: int
    pstart: int = 0
    ended: float | None = None
    exit_status: str = ""
    log: list[str] = field(default_factory=list)

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.ended is None

    def warn(self, text: str) -> None:
        """Write a warning into the log; the task will end with WARNINGS."""
        self.log.append(f"WARN: {text}")


class Tasks:
    """Starts tasks, and lets only one at a time hold what it locks."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pids = itertools.count(0x1ED0)
        self._tasks: dict[str, LabTask] = {}
        self._locks: dict[str, LabTask] = {}

    def start(
        self,
        host: str,
        kind: str,
        target: str,
        user: str,
        seconds: float,
        act: Callable[[LabTask], None],
        *,
        lock: str = "",
    ) -> LabTask:
        """Fork a worker that runs `act` after `seconds`; a TaskFailed from it is its exit status.

        With `lock` it first waits up to ten seconds for whoever holds that lock, as PVE's workers do.
        """
        task = self._new(host, kind, target, user)
        self._get_lock(task, lock, self._world.clock.monotonic() + LOCK_WAIT_S, seconds, act)
        return task

    def pretend(self, host: str, kind: str, target: str, user: str) -> LabTask:
        """A task that ended OK and did nothing: a lie."""
        task = self._new(host, kind, target, user)
        self._end(task, "OK")
        return task

    def find(self, upid: str) -> LabTask | None:
        """The task of this id."""
        return self._tasks.get(upid)

    def of(self, host: str) -> Iterator[LabTask]:
        """All tasks of a host, newest first."""
        return (task for task in reversed(self._tasks.values()) if task.host == host)

    def running(self) -> Iterator[LabTask]:
        """All tasks that have not ended, oldest first."""
        return (task for task in self._tasks.values() if task.running)

    def locked(self, lock: str) -> bool:
        """Whether a task holds this lock."""
        return lock in self._locks

    def need(self, lock: str, seconds: float, refused: str = "") -> None:
        """Raise Busy while somebody holds this lock; `refused` stands before the words of a refusal."""
        if lock in self._locks:
            raise Busy(seconds, f"{refused}can't lock file '{lock}' - got timeout")

    def hold(self, lock: str, seconds: float) -> None:
        """Somebody who is no task of the list takes this lock as soon as it is free, and keeps it so long."""
        if lock in self._locks:
            self._world.after(1.0, f"somebody waits for {lock}", lambda: self.hold(lock, seconds))
            return
        self._locks[lock] = LabTask("", "", "cleanup", "", "root@pam", self._world.clock.now(), 0)
        self._world.after(seconds, f"{lock} is free", lambda: self._free(lock))

    def _free(self, lock: str) -> None:
        self._locks.pop(lock, None)

    def break_off(self, host: str) -> None:
        """The host went down: its tasks end with no status of their own."""
        for task in list(self.of(host)):
            if task.running:
                self._end(task, "unexpected status")

    def stop(self, task: LabTask) -> None:
        """Somebody stopped it."""
        if task.running:
            self._end(task, "received interrupt")

    def _new(self, host: str, kind: str, target: str, user: str) -> LabTask:
        now, pid = self._world.clock.now(), next(self._pids)
        pstart = int(self._world.clock.monotonic() * 100) & 0xFFFFFFFF
        upid = f"UPID:{host}:{pid:08X}:{pstart:08X}:{int(now) & 0xFFFFFFFF:08X}:{kind}:{target}:{user}:"
        task = self._tasks[upid] = LabTask(upid, host, kind, target, user, now, pid, pstart)
        self._world.happened("proxmox", f"task {kind} {target} started on {host}")
        return task

    def _get_lock(self, task: LabTask, lock: str, until: float, seconds: float, act: Callable[[LabTask], None]) -> None:
        if not task.running:
            return
        if lock and lock in self._locks:
            if not task.log:
                task.log.append("trying to acquire lock...")
            if self._world.clock.monotonic() >= until:
                task.log.append(f"TASK ERROR: can't lock file '{lock}' - got timeout")
                self._end(task, f"can't lock file '{lock}' - got timeout")
                return
            self._world.after(
                1.0, f"{task.kind} waits for {lock}", lambda: self._get_lock(task, lock, until, seconds, act)
            )
            return
        if lock:
            self._locks[lock] = task
            task.log += [" OK"] if task.log else []
        self._world.after(seconds, f"{task.kind} {task.target}", lambda: self._run(task, act))

    def _run(self, task: LabTask, act: Callable[[LabTask], None]) -> None:
        if not task.running:
            return
        try:
            act(task)
        except (TaskFailed, Refusal) as failure:  # what a request is refused with ends a worker in the same words
            task.log.append(f"TASK ERROR: {failure}")
            self._end(task, str(failure))
            return
        warnings = sum(line.startswith("WARN: ") for line in task.log)
        self._end(task, f"WARNINGS: {warnings}" if warnings else "OK")
        task.log.append(f"TASK {task.exit_status}")

    def _end(self, task: LabTask, exit_status: str) -> None:
        task.ended, task.exit_status = self._world.clock.now(), exit_status
        for lock in [name for name, holder in self._locks.items() if holder is task]:
            del self._locks[lock]
        self._world.happened("proxmox", f"task {task.kind} {task.target} ended on {task.host}: {exit_status}")
