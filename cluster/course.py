"""A course: the checks and steps of one scenario, ready to be made a graph."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from engine.graph import Graph
from engine.step import Check, Step

HouseStep = Step[LookContext, ActContext]
HouseCheck = Check[LookContext]
HouseGraph = Graph[LookContext, ActContext]


@dataclass(frozen=True)
class Course:
    """Checks and steps of one scenario in telling order."""

    checks: tuple[HouseCheck, ...]
    steps: tuple[HouseStep, ...]

    def graph(self) -> HouseGraph:
        """What waits for what. Raises GraphInvalid."""
        return Graph[LookContext, ActContext]([*self.checks, *self.steps])
