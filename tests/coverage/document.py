"""docs/coverage.md, made of the systems. Knows no house."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lab.troubles.seen import WITHIN_S
from tests.coverage.systems import Fault, System

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "coverage.md"
_HEAD = """# What is looked at

Made by `python -m tests.coverage --write`; do not edit it. `python -m tests.coverage` arms each fault below in the modelled house,
reads `cluster.verify --json` and exits 1 on any row that is red too much or too little. `python -m tests.coverage.day` lets them
begin and end at random through a day of lab time: each must be named within a minute, or within what stands beside it (those that
age alone tells of), and nothing else may ever be red; `python -m tests.coverage.hour` does so for an hour of wall time with the
real programs, with those that a running lab has, which `invoke lab.fault --list` names. The others are in
`tests/scenario/faults/named_faults.py` and `lab/troubles/component.py`.

| system | looked at by | fault | test | in the lab |
|---|---|---|---|---|
"""
NO_FAULT = "none"


def page(found: Iterable[System]) -> str:
    """The whole page."""
    return _HEAD + "".join(f"| {' | '.join(cells(one))} |\n" for one in found)


def cells(one: System) -> tuple[str, ...]:
    """The cells of one system's line."""
    faults = ", ".join(map(_told, one.faults)) or NO_FAULT
    return one.name, one.looked_at_by, faults, one.test, one.lab


def _told(fault: Fault) -> str:
    minutes = round(fault.seen_within_s / 60)
    days, hours = minutes // 1440, minutes // 60
    slow = f"{days} days" if days > 1 else f"{hours} h" if hours > 1 else f"{minutes} min"
    return fault.name if fault.seen_within_s <= WITHIN_S else f"{fault.name} ({slow})"
