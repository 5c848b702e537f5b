"""Clock: every wait and every retry takes one, so that tests and the lab can hold time in their hands."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Wall time, a monotonic reading and a sleep that a stop can end."""

    def now(self) -> float:
        """Seconds since the epoch: information for people, never used to order anything."""

    def monotonic(self) -> float:
        """Seconds that never run backwards."""

    def sleep(self, seconds: float) -> None:
        """Sleep; ends early (without an error) when the run was told to stop."""
