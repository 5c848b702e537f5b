"""Does the world agree with the graph, now? Looks at everything at once; changes nothing, waits for nothing, writes nothing."""

from __future__ import annotations

from typing import TypeVar

from engine.errors import BlackstartError, CouldNotLook, Interrupted, NotReady, StillChanging
from engine.graph import Graph, is_check
from engine.probe import Condition, Probe, unknown
from engine.report import Outcome, Report, StepReport
from engine.step import Severity, StepId
from engine.survey import look_once, survey
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
    seen: dict[StepId, tuple[Probe, BlackstartError | None, float, float]] = {}

    def visit(name: StepId) -> tuple[Probe, BlackstartError | None, float, float]:
        start = clock.monotonic()
        try:
            error: BlackstartError | None = None
            answer = look_once(graph[name], look)
        except Interrupted:
            raise
        except BlackstartError as problem:
            error = problem.as_told()
            answer = unknown(error.what, *error.evidence)
        return answer, error, start - zero, clock.monotonic() - start

    survey(graph, visit, seen.__setitem__, workers=workers, at_once=at_once, in_order=False)
    lines: dict[StepId, StepReport] = {}
    causes: dict[StepId, tuple[StepId, ...]] = {}
    for name in graph.ids:
        probe, error, started, seconds = seen[name]
        above = tuple(dict.fromkeys(cause for need in graph.needs(name) for cause in causes.get(need, ())))
        line = _line(graph, name, probe, error, above, started, seconds)
        lines[name] = line
        if not line.done:
            causes[name] = above if line.outcome is Outcome.BLOCKED else (name,)
        elif above:
            causes[name] = above
    return Report("verify", "", tuple(lines.values()), clock.monotonic() - zero)


def _line(
    graph: Graph[Look, Act],
    name: StepId,
    seen: Probe,
    error: BlackstartError | None,
    above: tuple[StepId, ...],
    started: float,
    seconds: float,
) -> StepReport:
    item = graph[name]
    if seen.condition is Condition.SATISFIED:
        outcome = Outcome.HELD if seen.held else Outcome.OK
    elif above and seen.condition is not Condition.DRIFTED:
        outcome = Outcome.BLOCKED
    else:
        outcome = Outcome.FAILED
        error = error or _finding(seen)
    return StepReport(
        name,
        item.title,
        outcome,
        seen.detail,
        seen.evidence,
        error if outcome is Outcome.FAILED else None,
        condition=seen.condition,
        blocked_by=above if outcome is Outcome.BLOCKED else (),
        started=started,
        seconds=seconds,
        advisory=is_check(item) and item.severity_of(seen) is Severity.ADVISORY,
    )


def _finding(seen: Probe) -> BlackstartError:
    kind = {Condition.UNKNOWN: CouldNotLook, Condition.CHANGING: StillChanging}.get(seen.condition, NotReady)
    return kind(f"{seen.condition.value}: {seen.detail}", evidence=seen.evidence, hint=seen.hint)
