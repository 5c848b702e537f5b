"""Clock: every wait and every retry takes one, so that tests and the lab can hold time in their hands. Knows no step."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from engine.errors import Interrupted, WaitedTooLong

T = TypeVar("T")

_ROUNDING_S = 1e-6  # sums of floating-point seconds may end this much short


class Clock(Protocol):
    """Wall time, a monotonic reading and a sleep that a stop can end."""

    def now(self) -> float:
        """Seconds since the epoch: information for people, never used to order anything."""

    def monotonic(self) -> float:
        """Seconds that never run backwards."""

    def sleep(self, seconds: float) -> None:
        """Sleep; ends early (without an error) when the run was told to stop."""


class SystemClock:
    """The machine's own clock. `stop` is the event that ends every sleep, usually `Stop.event`."""

    def __init__(self, stop: threading.Event | None = None) -> None:
        self._stop = stop if stop is not None else threading.Event()

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since this machine's boot, those in which it was suspended included: the world went on meanwhile."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def sleep(self, seconds: float) -> None:
        """Sleep, at most until the stop."""
        if seconds > 0:
            self._stop.wait(seconds)


class WallTime:
    """What became of a Clock's time of day since this was made."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._apart = clock.now() - clock.monotonic()

    @property
    def set_by_s(self) -> float:
        """By how many seconds somebody has set it: it went so much further than time passed (less than 0: it was set back)."""
        return self._clock.now() - self._clock.monotonic() - self._apart


@dataclass(frozen=True)
class Pace:
    """How often to look again: a share of the time already waited, so that what is quick is seen at once and what is slow
    is seen at most that share too late. Seconds."""

    least_s: float = 0.1
    share: float = 0.2
    most_s: float = 5.0

    def after(self, waited_s: float) -> float:
        """Seconds until the next look when `waited_s` have passed since the first."""
        return min(self.most_s, max(self.least_s, self.share * waited_s))


CLOSE = Pace(share=0.05)
"""For what a whole recovery waits for, such as a pod that reads all of a volume."""


class Deadline:
    """A moment of a Clock that is so many seconds from now."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._start = clock.monotonic()
        self._end = self._start + seconds

    @property
    def left_s(self) -> float:
        """Seconds until the moment, 0 when it has passed."""
        left = self._end - self._clock.monotonic()
        return left if left > _ROUNDING_S else 0.0

    @property
    def passed(self) -> bool:
        """Whether the moment is here or gone."""
        return self.left_s == 0.0

    @property
    def waited_s(self) -> float:
        """Seconds since this was made."""
        return self._clock.monotonic() - self._start


def pause(clock: Clock, seconds: float) -> None:
    """Sleep for all of `seconds`. Raises Interrupted when the sleep ended early: the run was told to stop."""
    start = clock.monotonic()
    clock.sleep(seconds)
    short = seconds - (clock.monotonic() - start)
    if short > max(0.001, 0.01 * seconds):
        raise Interrupted("the wait was ended by a stop")


def wait_until(clock: Clock, ask: Callable[[], T | None], *, limit_s: float, what: str, pace: Pace | None = None) -> T:
    """Ask until the answer is not None and give it back. It is asked at least twice: now, and when the limit is reached.

    `what` says what is waited for, for the error. Raises WaitedTooLong (transient) after `limit_s` seconds, Interrupted when
    the run was told to stop, and whatever `ask` raises.
    """
    pace = pace if pace is not None else Pace()
    deadline = Deadline(clock, limit_s)
    while True:
        last_time = deadline.passed
        answer = ask()
        if answer is not None:
            return answer
        if last_time:
            raise WaitedTooLong(f"waited {limit_s:g} s for {what}")
        left = deadline.left_s
        if left > 0:
            pause(clock, min(pace.after(deadline.waited_s), left))
