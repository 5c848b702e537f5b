"""What is known of each step while a run goes on: when it started, how it ended. Becomes the Report. Writes and emits nothing."""

from __future__ import annotations

from typing import Generic, TypeVar

from engine.errors import BlackstartError, OurError
from engine.graph import Graph
from engine.report import Bug, Outcome, Report, StepReport
from engine.running.endings import report_line, stops_nothing
from engine.running.line import Result
from engine.step import StepId
from engine.waiting import Clock

Look = TypeVar("Look")
Act = TypeVar("Act")


class Ledger(Generic[Look, Act]):
    """One line per step. Times count from when this was made."""

    def __init__(self, graph: Graph[Look, Act], clock: Clock) -> None:
        self._graph = graph
        self._clock = clock
        self._zero = clock.monotonic()
        self._started: dict[StepId, float] = {}
        self._lines: dict[StepId, StepReport] = {}

    def start(self, name: StepId) -> None:
        """The step's worker was started now."""
        self._started[name] = self._clock.monotonic()

    def line(
        self,
        name: StepId,
        outcome: Outcome,
        detail: str,
        *,
        error: OurError | None = None,
        result: Result | None = None,
        blocked_by: tuple[StepId, ...] = (),
    ) -> StepReport:
        """The step's line if it ended now; `enter` keeps it."""
        now = self._clock.monotonic()
        started = self._started.get(name, now)
        return report_line(
            self._graph[name],
            outcome,
            detail,
            advisory=stops_nothing(self._graph[name], result),
            started=started - self._zero if name in self._started else 0.0,
            seconds=now - started,
            error=error,
            result=result,
            blocked_by=blocked_by,
        )

    def enter(self, line: StepReport) -> None:
        """The step has ended like this."""
        self._lines[line.id] = line

    def failed(self, name: StepId) -> bool:
        """Whether an ended step failed."""
        return self._lines[name].outcome is Outcome.FAILED

    def report(self, run: str, *, interrupted: bool, bug: Bug | None, failure: BlackstartError | None) -> Report:
        """Everything; what has not ended is interrupted."""
        for name in self._graph.ids:
            if name not in self._lines:
                was = "left while it was running" if name in self._started else "never started"
                self.enter(self.line(name, Outcome.INTERRUPTED, was))
        lines = tuple(self._lines[name] for name in self._graph.ids)
        return Report("apply", run, lines, self._clock.monotonic() - self._zero, interrupted, bug, failure)
