"""Which part of a repository's data is read next, so that all of it is read in turn, and what is covered since when.

Kept in the state folder: the file shortens the way and decides nothing. Without it reading begins anew; a part in which
something was wrong is never kept as read, so it comes first the next time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path

from adapters.backups.results import Part
from adapters.backups.snapshots import pin_of
from engine.errors import SettingsInvalid
from engine.files.whole import write_whole
from engine.text.ages import to_come
from engine.text.jsontext import Malformed, read_file

FILE = "read-coverage.json"
MOST_PARTS = 256
"""restic divides by the first byte of a pack's name: it knows no finer part."""


@dataclass(frozen=True)
class Coverage:
    """Of one repository, divided into `of` parts: when each was read with nothing wrong (epoch seconds), by its number."""

    of: int = 1
    read: Mapping[int, float] = field(default_factory=dict)

    def next(self, of: int) -> Part:
        """The part to read now: one that was never read, else the one that was read longest ago."""
        known = self.read if of == self.of else {}
        return Part(min(range(1, of + 1), key=lambda number: (known.get(number, 0.0), number)), of)

    def since(self, part: Part) -> float:
        """When this part was read last (epoch seconds), 0.0 for never."""
        return self.read.get(part.number, 0.0) if part.of == self.of else 0.0

    def with_read(self, part: Part, at: float) -> Coverage:
        """After this part was read. Parts of another division say nothing any more."""
        known = self.read if part.of == self.of else {}
        return Coverage(part.of, {**known, part.number: at})

    def __str__(self) -> str:
        if not self.read:
            return "none of its data was read yet"
        since = pin_of(min(self.read.values()))
        if len(self.read) == self.of:
            return f"all of its data was read since {since}"
        return f"{len(self.read)} of {self.of} parts of its data were read since {since}"


def parts_for(stored: int, budget: int) -> int:
    """Into how many parts `stored` bytes are divided so that one of each repository fits the budget, in bytes."""
    return max(1, min(MOST_PARTS, ceil(stored / budget)))


def turns(stored: Mapping[str, int], covered: Mapping[str, Coverage], budget: int) -> dict[str, Part]:
    """Whose turn it is, and which part: by repository id, out of what each takes (bytes), at most `budget` bytes in all.

    Where even the finest parts of all are more than that, those are read whose part waits the longest, as many as fit. Raises
    SettingsInvalid when not one fits: nothing would ever be read.
    """
    of = parts_for(sum(stored.values()), budget)
    parts = {name: covered.get(name, Coverage()).next(of) for name in stored}
    taken: dict[str, Part] = {}
    left = float(budget)
    for name in sorted(stored, key=lambda name: (covered.get(name, Coverage()).since(parts[name]), name)):
        if stored[name] / of <= left:
            taken[name] = parts[name]
            left -= stored[name] / of
    if stored and not taken:
        least = ceil(min(stored.values()) / of)
        raise SettingsInvalid(
            f"--read-budget of {budget} bytes reads nothing: the smallest part of any repository has {least} bytes "
            f"(1/{of} of it); right would be that or more"
        )
    return taken


def read_coverage(state: Path, now: float) -> dict[str, Coverage]:
    """What is kept, by repository id; nothing when the file is not there or is not ours. What is dated later than `now` (epoch
    seconds) was not read: it would never come again."""
    try:
        return read_file(
            state / FILE, lambda told: {str(key): _coverage(int(one["of"]), one["read"], now) for key, one in told.items()}
        )
    except (OSError, Malformed):
        return {}


def _coverage(of: int, read: Mapping[str, float], now: float) -> Coverage:
    past = {int(number): float(at) for number, at in read.items() if float(at) > 0 and not to_come(float(at), now)}
    return Coverage(of, {number: at for number, at in past.items() if 1 <= number <= of})


def keep_coverage(state: Path, covered: Mapping[str, Coverage]) -> None:
    """Write it in one piece. A folder that cannot be written is no reason to fail: reading begins anew then."""
    text = json.dumps({key: {"of": one.of, "read": one.read} for key, one in sorted(covered.items())}, indent=1)
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(state / FILE, text)
    except OSError:
        return
