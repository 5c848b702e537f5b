"""A course: the checks and steps of one scenario, ready to be made a graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from adapters.context import ActContext, LookContext
from engine.graph import Graph
from engine.step import Check, Step

HouseStep = Step[LookContext, ActContext]
HouseCheck = Check[LookContext]
HouseGraph = Graph[LookContext, ActContext]


@dataclass(frozen=True)
class Course:
    """Checks and steps of one scenario in telling order; per system, the check that must say yes before it is disturbed."""

    checks: tuple[HouseCheck, ...]
    steps: tuple[HouseStep, ...]
    guards: Mapping[str, HouseCheck] = field(default_factory=dict)

    def with_checks(self, more: Iterable[HouseCheck]) -> Course:
        """The same with these checks besides."""
        return replace(self, checks=(*self.checks, *more))

    def checks_of(self, area: str) -> Course:
        """The checks of one area (`preflight`) alone, and no step."""
        return Course(tuple(check for check in self.checks if check.id.startswith(f"{area}.")), ())

    def graph(self) -> HouseGraph:
        """What waits for what. Raises GraphInvalid."""
        return Graph[LookContext, ActContext]([*self.checks, *self.steps])
