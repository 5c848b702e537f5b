"""A write-ahead log as it lies in an archive: how far a base backup can be taken with it, and where it breaks off. Asks nobody.

A segment's name is its timeline, its log and its number in that log, eight hex digits each. A later timeline goes on where an
earlier one was left, under the same log and number.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from adapters.archives.bases import Base

_SEGMENT = re.compile(r"([0-9A-F]{24})(?:\.(?:gz|bz2|xz|zst|snappy|sz|lz4))?")


@dataclass(frozen=True)
class Segment:
    """One file of the log: its bytes, and when it was written (epoch seconds)."""

    name: str
    size: int
    written: float


@dataclass(frozen=True)
class Reach:
    """`missing` is the first segment that the base backup needs and that is not there, or has no bytes (`hollow`); "" for none.

    `last` is the last one that can be reached from it without a gap; `beyond` is the first behind the first gap, "" without one.
    """

    missing: str = ""
    hollow: bool = False
    last: Segment | None = None
    beyond: str = ""


def segment_of(file: str, size: int, written: float) -> Segment | None:
    """The segment that a file of this name holds; None for histories, labels and those that were never finished (`.partial`)."""
    found = _SEGMENT.fullmatch(file)
    return Segment(found[1], size, written) if found else None


def reach(base: Base, segments: Iterable[Segment]) -> Reach:
    """How far the log takes this base backup, which names the segments that it needs."""
    each_log = max(1, (1 << 32) // base.segment_bytes)
    lines: defaultdict[int, dict[int, Segment]] = defaultdict(dict)
    hollow = set()
    for one in segments:
        timeline, at = _placed(one.name, each_log)
        if one.size:
            lines[timeline][at] = one
        else:
            hollow.add(one.name)
    timeline, begin = _placed(base.begin_wal, each_log)
    _, end = _placed(base.end_wal, each_log)
    for at in range(begin, end + 1):
        if at not in lines[timeline]:
            name = _named(timeline, at, each_log)
            return Reach(name, name in hollow)
    last = _run(lines[timeline], end)
    beyond = min((at for at in lines[timeline] if at > last), default=None)
    held, gap = lines[timeline][last], lines[timeline][beyond].name if beyond is not None else ""
    for later in sorted(line for line in lines if line > timeline):
        first = min((at for at in lines[later] if at >= begin), default=None)
        if first is None or first <= end:
            continue  # it left before the base backup was done: not this one's way
        if first > last + 1:
            return Reach(last=held, beyond=gap or lines[later][first].name)
        last = _run(lines[later], first)
        beyond = min((at for at in lines[later] if at > last), default=None)
        held, gap = lines[later][last], lines[later][beyond].name if beyond is not None else ""
    return Reach(last=held, beyond=gap)


def timeline_of(segment: str) -> int:
    """The timeline that a segment is of, by its name."""
    return int(segment[:8], 16)


def start_of(segment: str, segment_bytes: int) -> int:
    """Where in the log a segment begins, in bytes."""
    return _placed(segment, max(1, (1 << 32) // segment_bytes))[1] * segment_bytes


def _run(line: dict[int, Segment], at: int) -> int:
    while at + 1 in line:
        at += 1
    return at


def _placed(name: str, each_log: int) -> tuple[int, int]:
    """Timeline, and place in the log counted in segments."""
    return int(name[:8], 16), int(name[8:16], 16) * each_log + int(name[16:], 16)


def _named(timeline: int, at: int, each_log: int) -> str:
    return f"{timeline:08X}{at // each_log:08X}{at % each_log:08X}"
