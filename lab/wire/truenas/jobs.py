"""Jobs of a box: begun by a call, ended a little later, or never. Knows no frame."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lab.world.nas import LabNas, LabUser

_TAKES_S = 0.05
Hear = Callable[[str, Any, dict[str, Any], str], None]


@dataclass
class Job:
    """One job; `ended` is None while it runs."""

    number: int
    method: str
    arguments: list[Any]
    owner: str
    began: float
    message_ids: list[Any] = field(default_factory=list)
    ended: float | None = None
    result: Any = None


class Jobs:
    """All jobs of one box, in memory: gone with its service."""

    def __init__(self, nas: LabNas, now: Callable[[], float]) -> None:
        self._nas, self._now = nas, now
        self._numbers = itertools.count(901)
        self._lock = threading.Lock()
        self._jobs: list[Job] = []
        self._timers: list[threading.Timer] = []
        self.listeners: list[Hear] = []

    def begin(
        self, method: str, arguments: list[Any], owner: str, message_id: Any, result: Callable[[], Any],
        ended: Callable[[Job], None],
    ) -> Job:  # fmt: skip
        """Begin one. It ends by itself unless the box is stuck."""
        job = Job(next(self._numbers), method, arguments, owner, self._now(), [message_id])

        def end() -> None:
            job.result, job.ended = result(), self._now()
            ended(job)

        with self._lock:
            self._jobs.append(job)
            if not self._nas.weather.stuck:
                timer = threading.Timer(_TAKES_S, end)
                timer.daemon = True
                self._timers.append(timer)
                timer.start()
        return job

    def of(self, user: LabUser) -> list[Job]:
        """The jobs that a user sees: all for a full admin, else its own."""
        with self._lock:
            return [job for job in self._jobs if user.may(()) or job.owner == user.name]

    def tell(self, number: int, row: dict[str, Any], owner: str) -> None:
        """Tell every connection that a job changed."""
        for hear in [*self.listeners]:
            hear("core.get_jobs", number, row, owner)

    def close(self) -> None:
        """No job ends any more."""
        with self._lock:
            for timer in self._timers:
                timer.cancel()
