"""A real clock for the World whose delays shall pass faster than they are written. Knows no World."""

from __future__ import annotations

import time


class FastClock:
    """Seconds of `monotonic` and `sleep` pass `speed` times as fast as real ones; `now` is the real time: certificates go by it."""

    def __init__(self, speed: float = 1.0) -> None:
        if speed <= 0:
            raise ValueError("time must pass")
        self.speed = speed

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds of the World."""
        return time.monotonic() * self.speed

    def sleep(self, seconds: float) -> None:
        """Let so many seconds of the World pass."""
        if seconds > 0:
            time.sleep(seconds / self.speed)
