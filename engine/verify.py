"""Does the world agree with the graph, now? Looks at everything at once; changes nothing, waits for nothing, writes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

from engine.errors import BlackstartError, CouldNotLook, NotReady, StillChanging
from engine.graph import Graph, is_check
from engine.probe import Condition, Probe
from engine.report import Outcome, Report, StepReport
from engine.running.endings import report_line
from engine.running.line import Result
from engine.running.survey import Found, find, survey
from engine.step import Check, Severity, Step, StepId
from engine.waiting import Clock, SystemClock
from engine.workers import Workers

Look = TypeVar("Look")
Act = TypeVar("Act")


def verify(
    graph: Graph[Look, Act], look: Look, *, workers: Workers | None = None, at_once: int = 16, clock: Clock | None = None
) -> Report:
    """One look at every step and check, needs or not, up to `at_once` at the same time when there are workers.

    What is not as it should be is *failed*, unless something that it needs is: then it is *blocked*, a consequence. What
    exists and differs is always a finding of its own. Exit code 3 for drift, 30 when all that went wrong is that we could
    not look.
    """
    clock = clock or SystemClock()
    zero = clock.monotonic()
    looks: dict[StepId, _Look] = {}

    def visit(name: StepId) -> _Look:
        start = clock.monotonic()
        found = find(graph[name], look)
        return _Look(found, start - zero, clock.monotonic() - start)

    survey(graph, visit, looks.__setitem__, workers=workers, at_once=at_once, in_order=False)
    lines: list[StepReport] = []
    causes = _Causes()
    for name in graph.ids:
        above = causes.above(graph.needs(name))
        line = _line(graph[name], looks[name], above)
        lines.append(line)
        causes.of[name] = (name,) if not line.done and line.outcome is not Outcome.BLOCKED else above
    return Report("verify", "", tuple(lines), clock.monotonic() - zero)


class _Causes:
    """The findings because of which something is a consequence. Whoever needs the same things shares one tuple with the others."""

    def __init__(self) -> None:
        self.of: dict[StepId, tuple[StepId, ...]] = {}
        self._joined: dict[tuple[int, ...], tuple[StepId, ...]] = {}

    def above(self, needs: Iterable[StepId]) -> tuple[StepId, ...]:
        """All findings in what is needed, each once. By identity: joining equal tuples again at each step would be quadratic."""
        parts = {id(part): part for part in map(self.of.__getitem__, needs) if part}
        if len(parts) <= 1:
            return next(iter(parts.values()), ())
        key = tuple(parts)
        if key not in self._joined:
            self._joined[key] = tuple(dict.fromkeys(chain.from_iterable(parts.values())))
        return self._joined[key]


@dataclass(frozen=True)
class _Look:
    """What a look came to, when it began (seconds since all of them did) and how many seconds it took."""

    found: Found
    started: float
    seconds: float


def _line(item: Step[Look, Act] | Check[Look], look: _Look, above: tuple[StepId, ...]) -> StepReport:
    """The line of one look; `above` are the findings in what it needs."""
    seen, error = look.found.seen, look.found.error
    if seen.condition is Condition.SATISFIED:
        outcome = Outcome.HELD if seen.held else Outcome.OK
    elif above and seen.condition is not Condition.DRIFTED:
        outcome = Outcome.BLOCKED
    else:
        outcome = Outcome.FAILED
        error = error or _finding(seen)
    return report_line(
        item,
        outcome,
        seen.detail,
        advisory=is_check(item) and item.severity_of(seen) is Severity.ADVISORY,
        started=look.started,
        seconds=look.seconds,
        error=error,
        result=Result(item.id, outcome, seen),
        blocked_by=above if outcome is Outcome.BLOCKED else (),
    )


def _finding(seen: Probe) -> BlackstartError:
    kind = {Condition.UNKNOWN: CouldNotLook, Condition.CHANGING: StillChanging}.get(seen.condition, NotReady)
    return kind(f"{seen.condition.value}: {seen.detail}", evidence=seen.evidence, hint=seen.hint)
