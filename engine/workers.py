"""Where steps run: threads and the channels between them, behind a Protocol so that the lab can run them one at a time.

Knows nothing of steps: it runs callables.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")


class Channel(Protocol[T]):
    """A queue of messages from any thread to the one that gets."""

    def put(self, item: T) -> None:
        """Leave an item; never blocks, and is safe in a signal handler."""

    def get(self, timeout: float | None = None) -> T | None:
        """The oldest item; waits up to `timeout` seconds (None: for ever, 0: not at all) and answers None when none came."""


class Workers(Protocol):
    """Runs work on threads of its own."""

    def start(self, work: Callable[[], None]) -> None:
        """Run `work` on a worker, now or as soon as one is free. `work` raises nothing."""

    def channel(self) -> Channel[T]:
        """A new, empty channel."""


class QueueChannel(Generic[T]):
    """A channel of real threads."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[T] = queue.SimpleQueue()

    def put(self, item: T) -> None:
        """Leave an item (SimpleQueue's put is reentrant, hence safe in a signal handler)."""
        self._queue.put(item)

    def get(self, timeout: float | None = None) -> T | None:
        """The oldest item, or None when none came in time."""
        try:
            if timeout == 0:
                return self._queue.get_nowait()
            return self._queue.get(timeout=timeout)
        except queue.Empty:
            return None


class Threads:
    """Real threads, made when there is work and no idle one, kept for the next work.

    They are daemons: when a person asks twice to leave, no running call may hold the process.
    """

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0
        self._count = 0

    def start(self, work: Callable[[], None]) -> None:
        """Run `work` on an idle thread, or on a new one."""
        with self._lock:
            if self._idle > 0:
                self._idle -= 1
            else:
                self._count += 1
                name = f"worker-{self._count}"
                threading.Thread(target=self._serve, name=name, daemon=True).start()
        self._jobs.put(work)

    def channel(self) -> Channel[T]:
        """A new, empty channel."""
        return QueueChannel()

    def _serve(self) -> None:
        while True:
            self._jobs.get()()
            with self._lock:
                self._idle += 1
