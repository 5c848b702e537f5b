"""Whether an archive holds the history of one database alone, by its base backups' words and by when its log was written.

Asks nobody.

A database that was made empty, or again, and archives under the old one's name spoils both: the next restore takes whichever made
the newest base backup, or the line of the log that was begun last.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from adapters.archives.bases import Base
from adapters.archives.log import Segment
from engine.text.words import number

_LATE_S = 3600.0
"""Several segments are uploaded at once, and one that failed is tried again: so much out of order is no second writer."""
_FOR_S = 3600.0
"""A primary that was cut off uploads its rest in one go, whenever it comes back; a second database goes on and on."""


@dataclass(frozen=True)
class Owner:
    """One database (PostgreSQL's system identifier), how many of the base backups that were asked are its own, and the newest."""

    system_id: str
    bases: int
    newest: Base


def owners(bases: Iterable[Base]) -> tuple[Owner, ...]:
    """Whose base backups these are, whoever made the last one last; one that does not say whose it is counts for nobody."""
    by_system: defaultdict[str, list[Base]] = defaultdict(list)
    for base in bases:
        if base.system_id:
            by_system[base.system_id].append(base)
    found = (Owner(name, len(own), max(own, key=lambda one: one.ended)) for name, own in by_system.items())
    return tuple(sorted(found, key=lambda owner: owner.newest.ended))


def owners_words(found: Sequence[Owner]) -> str:
    """Those of more than one database, for a person; "" for one or none."""
    if len(found) < 2:
        return ""
    return f"base backups of {number(len(found), 'database')}: " + "; ".join(owner_words(one) for one in found)


def owner_words(one: Owner) -> str:
    """One of them, for a person."""
    return f"system {one.system_id} with {number(one.bases, 'base backup')}, the last {one.newest.name}"


def two_lines(segments: Iterable[Segment]) -> str:
    """How the log shows that two databases write it, "" where it does not.

    On one timeline later segments are written later; and once a timeline was left for the next one, nobody writes it any more.
    """
    lines: defaultdict[int, list[Segment]] = defaultdict(list)
    for one in segments:
        lines[int(one.name[:8], 16)].append(one)
    for line in lines.values():
        line.sort(key=lambda one: one.name)
        if told := _begun_again(line):
            return told
    for left, line in lines.items():
        for later in (lines[other] for other in sorted(lines) if other > left):
            if told := _gone_on(line, later):
                return told
    return ""


def _begun_again(line: Sequence[Segment]) -> str:
    """Segments of one timeline (in its order) that were written long after some that come behind them."""
    late, earliest = [], line[-1]
    for one in reversed(line):
        earliest = min(one, earliest, key=lambda each: each.written)
        if one.written > earliest.written + _LATE_S:
            late.append((one, earliest))
    if not late or not _lasting([one for one, _ in late]):
        return ""
    one, behind = late[-1]
    later = f"{behind.name} ({_utc(behind.written)}), which comes behind it in the log"
    return f"segment {one.name} was written {_utc(one.written)}, after {later}"


def _gone_on(left: Sequence[Segment], later: Sequence[Segment]) -> str:
    """Segments of a timeline that were written long after a later one had branched off before them."""
    since, fork = min(one.written for one in later), later[0].name[8:]
    late = [one for one in left if one.name[8:] >= fork and one.written > since + _LATE_S]
    if not _lasting(late):
        return ""
    last = max(late, key=lambda one: one.written)
    names = [str(int(line[0].name[:8], 16)) for line in (left, later)]
    return f"timeline {names[0]} was still written to at {_utc(last.written)}, and timeline {names[1]} since {_utc(since)}"


def _lasting(late: Sequence[Segment]) -> bool:
    times = [one.written for one in late]
    return bool(times) and max(times) - min(times) >= _FOR_S


def _utc(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(seconds)))
