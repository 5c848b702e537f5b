"""What one look at the world answers. Knows only the five answers, never what was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Condition(Enum):
    """The five answers of a look. UNKNOWN comes first: whoever forgets to answer has not looked."""

    UNKNOWN = "unknown"
    SATISFIED = "satisfied"
    MISSING = "missing"
    DRIFTED = "drifted"
    CHANGING = "changing"


@dataclass(frozen=True)
class Probe:
    """One look: the answer, a sentence for people, and what was seen.

    Drift is told as key paths, never as values; nothing secret may stand in `detail`, `evidence` or `hint`. `detail` says what
    is and `evidence` what was seen; `hint` is what usually helps, for the problem that comes of it when nothing changes.
    `held` goes with SATISFIED only: the step or check has no more to do, and applications stay held until a person or
    another verb goes on. What needs it runs; the run then ends as *held* instead of *done*.
    """

    condition: Condition
    detail: str = ""
    evidence: tuple[str, ...] = ()
    held: bool = False
    hint: str = ""


def satisfied(detail: str = "", *evidence: str) -> Probe:
    """The world is as the step wants it."""
    return Probe(Condition.SATISFIED, detail, evidence)


def held(detail: str, *evidence: str) -> Probe:
    """Nothing is left to do here, and something is held on purpose: the run ends as held (exit code 6)."""
    return Probe(Condition.SATISFIED, detail, evidence, held=True)


def missing(detail: str, *evidence: str, hint: str = "") -> Probe:
    """The thing was looked for and is not there (not the same as: could not look)."""
    return Probe(Condition.MISSING, detail, evidence, hint=hint)


def drifted(detail: str, *evidence: str, hint: str = "") -> Probe:
    """The thing is there and differs; `evidence` holds the differing key paths."""
    return Probe(Condition.DRIFTED, detail, evidence, hint=hint)


def changing(detail: str, *evidence: str, hint: str = "") -> Probe:
    """Something or somebody is already at it: wait, do not act."""
    return Probe(Condition.CHANGING, detail, evidence, hint=hint)


def unknown(detail: str, *evidence: str, hint: str = "") -> Probe:
    """Could not look. Nothing is ever done on this answer."""
    return Probe(Condition.UNKNOWN, detail, evidence, hint=hint)
