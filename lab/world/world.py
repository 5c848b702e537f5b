"""The simulated house: one lock, one clock, one list of things to come, and one part per system. Knows no protocol.

Time passes only through the clock: `tick()` runs what is due. In-process doors tick before every look and act (the clock is
virtual, so a sleep is what moves it); the wire servers run `tick()` from one thread of their own.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

from engine.waiting import Clock
from lab.world.faults import Faults


@dataclass(frozen=True)
class Happening:
    """One change of the World, for tests and for people: when (seconds of the World's clock), where, what."""

    at: float
    system: str
    what: str


@dataclass(order=True)
class _Due:
    at: float
    order: int
    act: Callable[[], None] = field(compare=False)
    what: str = field(compare=False)
    cancelled: bool = field(default=False, compare=False)


class Timer:
    """A thing to come that can be called off (a VM that is stopped never finishes booting)."""

    def __init__(self, due: _Due) -> None:
        self._due = due

    def cancel(self) -> None:
        """Call it off; calling off what has happened does nothing."""
        self._due.cancelled = True


class World:
    """State of everything outside the tool. Parts (`proxmox`, `talos`, …) are attached by lab/scenarios."""

    def __init__(self, clock: Clock, seed: int = 0) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.faults = Faults()
        self.random = Random(seed)  # noqa: S311 - a simulation must be repeatable, not secret
        self.happenings: list[Happening] = []
        # Called with the mutation's name where a wire server plays a death: whoever started the tool kills it there.
        self.on_death: Callable[[str], None] | None = None
        self._due: list[_Due] = []
        self._order = itertools.count()

    def after(self, seconds: float, what: str, act: Callable[[], None]) -> Timer:
        """Let `act` happen in `seconds` of the World's clock. It runs under the lock."""
        with self.lock:
            due = _Due(self.clock.monotonic() + seconds, next(self._order), act, what)
            heapq.heappush(self._due, due)
            return Timer(due)

    def happened(self, system: str, what: str) -> None:
        """Write one line of the World's own history."""
        with self.lock:
            self.happenings.append(Happening(self.clock.monotonic(), system, what))

    def tick(self) -> None:
        """Run everything that is due by now, in order of its time."""
        with self.lock:
            while self._due and self._due[0].at <= self.clock.monotonic():
                due = heapq.heappop(self._due)
                if not due.cancelled:
                    due.act()

    def next_due(self) -> float | None:
        """Monotonic time of the next thing to come, or None when nothing is on its way."""
        with self.lock:
            while self._due and self._due[0].cancelled:
                heapq.heappop(self._due)
            return self._due[0].at if self._due else None

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Hold the World still for one look or one act, after everything due has happened."""
        with self.lock:
            self.tick()
            yield
