"""The steps of a run as a picture: where each bar begins and how long it is, in shares of the whole. Knows no colour.

Widths are percentages, so that the picture fits any screen and its letters stay as large as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.text.lengths import duration

LINE, BAR, GAP, TOP = 16, 12, 12, 22
"""Pixels: a line of a label, a bar, what is between two rows, the scale on top."""
ROOM = 42
"""Characters of a label that fit on the narrowest screen."""
LEAST = 0.004
"""A step that is not on the critical path and took less than this share of the run has no row."""
NARROWEST = 0.4
MOST_ROWS = 150


@dataclass(frozen=True)
class Bar:
    """One thing that a step was at; `left` and `width` in percent, `seconds` as they were."""

    doing: str
    left: float
    width: float
    seconds: float
    what: str


@dataclass(frozen=True)
class Row:
    """One step: its label in lines, where it stands, and its bars."""

    lines: tuple[str, ...]
    name: str
    outcome: str
    critical: bool
    seconds: float
    top: int
    bar_top: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Tick:
    """One mark of the scale: where, in percent, and what it says."""

    left: float
    told: str


@dataclass(frozen=True)
class Timeline:
    """The whole picture: `height` in pixels, how many rows were `left_out` because they took next to nothing."""

    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]
    height: int
    left_out: int


def timeline(evidence: Mapping[str, Any]) -> Timeline:
    """The picture of an evidence document's steps, in the order in which they began."""
    steps, whole = list(evidence["steps"]), max(float(evidence["seconds"]), 0.001)
    ran = [step for step in steps if step["spans"]]
    kept = [step for step in ran if _worth_a_row(step, whole)]
    kept = sorted(kept, key=lambda step: (not step["critical"], -step["seconds"]))[:MOST_ROWS]
    rows, top = [], TOP
    for step in sorted(kept, key=lambda step: (step["started"], step["started"] + step["seconds"])):
        lines = folded(step["id"])
        bars = tuple(_bars(step, whole))
        rows.append(Row(lines, step["id"], step["outcome"], step["critical"], step["seconds"], top, top + len(lines) * LINE, bars))
        top += len(lines) * LINE + BAR + GAP
    return Timeline(tuple(rows), tuple(_ticks(whole)), top, len(ran) - len(rows))


def _worth_a_row(step: Mapping[str, Any], whole: float) -> bool:
    return bool(step["critical"] or step["tries"] or step["outcome"] == "failed" or step["seconds"] >= LEAST * whole)


def _bars(step: Mapping[str, Any], whole: float) -> Iterable[Bar]:
    for span in step["spans"]:
        left = min(100.0, 100 * (step["started"] + span["start"]) / whole)
        width = max(NARROWEST, min(100.0 - left, 100 * span["seconds"] / whole))
        yield Bar(span["doing"], round(min(left, 100 - width), 3), round(width, 3), span["seconds"], span["what"])


def _ticks(whole: float) -> Iterable[Tick]:
    """At most four marks at round numbers, and 0."""
    step = next(size for size in _sizes() if whole / size <= 4)
    at = 0.0
    while at <= whole:
        yield Tick(round(100 * at / whole, 3), duration(at))
        at += step


def _sizes() -> Iterable[float]:
    for unit in (0.001, 0.01, 0.1, 1.0):
        yield from (unit, 2 * unit, 5 * unit)
    yield from (10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
    hours = 2
    while True:
        yield 3600.0 * hours
        hours *= 2


def folded(name: str) -> tuple[str, ...]:
    """A name in lines that fit, none of it left out; broken behind a slash where there is one."""
    lines = []
    while len(name) > ROOM:
        at = name.rfind("/", 1, ROOM) + 1 or ROOM
        lines.append(name[:at])
        name = name[at:]
    return (*lines, name)
