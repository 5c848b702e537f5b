"""How much may run at once and how often an act is tried. Knows no step and no system by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.waiting import Pace


@dataclass(frozen=True)
class Limits:
    """`at_once` steps in all and `per_system` (or `per_other_system`) in one system; `tries` acts of one step in one run.

    After a transient error the next try waits `first_retry_s`, doubled each time, up to `most_retry_s`.
    """

    at_once: int = 8
    per_other_system: int = 4
    per_system: Mapping[str, int] = field(default_factory=dict)
    tries: int = 4
    first_retry_s: float = 0.5
    most_retry_s: float = 10.0
    pace: Pace = field(default_factory=Pace)

    def of(self, system: str) -> int:
        """How many steps may be at work in this system at once."""
        return self.per_system.get(system, self.per_other_system)

    def retry_s(self, attempt: int) -> float:
        """Seconds to wait after try number `attempt` (from 1) failed."""
        return min(self.most_retry_s, self.first_retry_s * 2.0 ** (attempt - 1))
