"""Where steps run: threads and the channels between them, behind a Protocol so that the lab can run them one at a time.

Knows nothing of steps: it runs callables.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, Protocol, TypeVar

A = TypeVar("A")
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
    """Real threads, made when there is work and no idle one, kept for the next work, and gone after `idle_s` seconds without any.

    They are daemons: when a person asks twice to leave, no running call may hold the process. That idle ones go matters to
    whoever makes many of these: nothing else would ever end them.
    """

    def __init__(self, idle_s: float = 5.0) -> None:
        self._idle_s = idle_s
        # No SimpleQueue: a `get` with a timeout that is woken for nothing as it ends may wait for ever (CPython 3.11).
        self._jobs: deque[Callable[[], None]] = deque()
        self._ready = threading.Condition()
        self._idle = 0
        self._count = 0

    def start(self, work: Callable[[], None]) -> None:
        """Run `work` on an idle thread, or on a new one."""
        with self._ready:
            self._jobs.append(work)
            if len(self._jobs) <= self._idle:
                self._ready.notify()
                return
            self._count += 1
            name = f"worker-{self._count}"
        threading.Thread(target=self._serve, name=name, daemon=True).start()

    def channel(self) -> Channel[T]:
        """A new, empty channel."""
        return QueueChannel()

    def _serve(self) -> None:
        while True:
            with self._ready:
                self._idle += 1
                there = self._ready.wait_for(lambda: self._jobs, self._idle_s)
                self._idle -= 1
                if not there:
                    return
                job = self._jobs.popleft()
            job()
            del job  # what it holds is not kept alive by waiting for the next


def each(workers: Workers, ask: Callable[[A], T], about: Sequence[A], *, at_once: int) -> list[T]:
    """`ask` about each, at most `at_once` at the same time; the answers in the order of `about`.

    What one `ask` raises is raised here, and nothing more is asked then. Nobody waits for those that are under way, neither
    then nor when this wait is interrupted: a store that hangs must not hold the person who pressed Ctrl-C.
    """
    inbox: Channel[tuple[int, list[T], BaseException | None]] = workers.channel()

    def work(place: int) -> None:
        try:
            inbox.put((place, [ask(about[place])], None))
        except BaseException as error:  # noqa: BLE001 - carried to the caller's thread and raised there
            inbox.put((place, [], error))

    answers: dict[int, T] = {}
    for place in range(min(at_once, len(about))):
        workers.start(partial(work, place))
    for following in range(at_once, at_once + len(about)):
        heard = inbox.get()
        assert heard is not None  # there is no timeout
        place, answer, error = heard
        if error is not None:
            raise error
        answers[place] = answer[0]
        if following < len(about):
            workers.start(partial(work, following))
    return [answers[place] for place in range(len(about))]
