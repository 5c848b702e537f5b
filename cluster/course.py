"""A course: the checks and steps of one scenario, ready to be made a graph."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from engine.step import Check, Step

HouseStep = Step[LookContext, ActContext]
HouseCheck = Check[LookContext]


@dataclass(frozen=True)
class Course:
    """Checks and steps of one scenario in telling order."""

    checks: tuple[HouseCheck, ...]
    steps: tuple[HouseStep, ...]
