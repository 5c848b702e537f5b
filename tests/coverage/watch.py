"""Whether each fault was named in its time, and nothing else was ever called wrong. Pure: knows no house, only what looks said."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

GONE_WITHIN_S = 300.0
"""So long after its end a fault may still be told: what was off boots, what was asked is asked again."""


@dataclass
class Watched:
    """One fault that began: the rows that must tell of it, when it began (epoch) and by when it must be told at the latest.

    `aftermath` are patterns of what may be red for a while once it has `ended`.
    """

    name: str
    rows: tuple[str, ...]
    began: float
    within_s: float
    aftermath: tuple[str, ...] = ()
    named: float | None = None
    ended: float | None = None

    @property
    def took_s(self) -> float | None:
        """Seconds until it was named; None while it is not."""
        return None if self.named is None else self.named - self.began

    def explains(self, row: str) -> bool:
        """Whether the row may be red for it."""
        return row in self.rows or (self.ended is not None and any(fnmatchcase(row, pattern) for pattern in self.aftermath))


@dataclass
class Watch:
    """All that began, what was wrong with what looks told of it, and how many looks came when there was nothing to be told."""

    faults: list[Watched] = field(default_factory=list)
    wrongs: list[str] = field(default_factory=list)
    looks: int = 0
    quiet: int = 0

    def begins(self, one: Watched) -> Watched:
        """A fault begins."""
        self.faults.append(one)
        return one

    def looked(self, now: float, red: Mapping[str, str], blocked: Collection[str] = ()) -> None:
        """A look told these rows red, each with its words, and that those `blocked` wait for others that are red."""
        self.looks += 1
        for one in self.faults:
            if one.ended is None:
                self._held(one, now, red, blocked)
        lasting = list(self._lasting(now))
        self.quiet += all(one.named is None for one in lasting)
        for row in sorted(red):
            if not any(one.explains(row) for one in lasting):
                self.wrongs.append(f"false alarm {at(now)}: {row}: {red[row]}")

    def _held(self, one: Watched, now: float, red: Mapping[str, str], blocked: Collection[str]) -> None:
        """Whether a fault that lasts is told: a row that waits for another red one has its word from there."""
        lacking = [row for row in one.rows if row not in red and not (red and row in blocked)]
        if not lacking:
            one.named = now if one.named is None else one.named
        elif one.named is not None:
            self.wrongs.append(f"{one.name}: {', '.join(lacking)} told it, and tells it no more {at(now)}, though it lasts")
        elif now >= one.began + one.within_s:
            self.wrongs.append(f"{one.name}: {', '.join(lacking)} does not tell it {at(now)}, {one.within_s:.0f} s after it began")

    def _lasting(self, now: float) -> Iterator[Watched]:
        return (one for one in self.faults if one.ended is None or now - one.ended < GONE_WITHIN_S)


def at(now: float) -> str:
    """A time (epoch) as the hour of its day."""
    minutes = int(now % 86400 // 60)
    return f"at {minutes // 60:02}:{minutes % 60:02}"
