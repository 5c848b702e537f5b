"""docs/coverage.md, made of the systems. Knows no house."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.coverage.systems import System

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "coverage.md"
_HEAD = """# What is looked at

Made by `python -m tests.coverage --write`; do not edit it. `python -m tests.coverage` arms each fault below in the modelled house,
reads `cluster.verify --json` and exits 1 on any row that is red too much or too little. What a running lab has of these faults
`invoke lab.fault --list` names; the others are in `tests/scenario/named_faults.py` and `lab/component_troubles.py`.

| system | looked at by | fault | test | in the lab |
|---|---|---|---|---|
"""
NO_FAULT = "none"


def page(found: Iterable[System]) -> str:
    """The whole page."""
    return _HEAD + "".join(f"| {' | '.join(cells(one))} |\n" for one in found)


def cells(one: System) -> tuple[str, ...]:
    """The cells of one system's line."""
    faults = ", ".join(fault.name for fault in one.faults) or NO_FAULT
    return one.name, one.looked_at_by, faults, one.test, one.lab
