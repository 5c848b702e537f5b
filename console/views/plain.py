"""Events as plain lines, for a log or a pipe. Decides nothing."""

from __future__ import annotations

from typing import TextIO

from console.views.problem import step_problem
from console.views.screen import NotShown
from engine.events import (
    BugFound,
    Event,
    LeftoverEnded,
    OpenBegin,
    RunStarted,
    StepBegun,
    StepEnded,
    StepNoted,
    StepRetrying,
    StepWaiting,
    Stopping,
)
from engine.report import Outcome
from engine.step import WARNING_NOTE
from engine.text.words import number

MARKS = {
    Outcome.OK: "ok", Outcome.CHANGED: "changed", Outcome.HELD: "held", Outcome.FAILED: "FAILED",
    Outcome.BLOCKED: "blocked", Outcome.INTERRUPTED: "stopped",
}  # fmt: skip


MARK_WIDTH = 10
"""Columns before what a mark is of."""


class PlainLines:
    """A sink that tells each event in one line: seconds since the start, what, which step. `settings` completes the commands
    of problems.
    """

    def __init__(self, out: TextIO, settings: str = "") -> None:
        self._out = out
        self._settings = settings
        self._start: float | None = None

    def __call__(self, event: Event) -> None:
        if self._start is None:
            self._start = event.at
        for line in tell(event, self._settings):
            self._out.write(f"{event.at - self._start:7.1f}s  {line}\n")
        self._out.flush()


def tell(event: Event, settings: str = "") -> list[str]:
    """The lines of one event; none for what a log need not hold."""
    if isinstance(event, RunStarted):
        cut = f"; {number(event.cut_bytes, 'byte')} of a torn last line were cut from the journal" if event.cut_bytes else ""
        older = "; the journal of an older version goes on" if event.older_journal else ""
        return [f"run {event.run}: {number(len(event.steps), 'check or step', 'checks and steps')}{cut}{older}"]
    if isinstance(event, OpenBegin):
        why = "it is no step of this verb" if event.gone else "it would now do something else" if event.inputs_changed else ""
        return [f"resume    {event.step}  begun by run {event.run}, not ended; looking at the world{': ' + why if why else ''}"]
    if isinstance(event, NotShown):
        missing = number(event.count, "event")
        return [f"... {missing} not shown: the screen did not take them; events.jsonl in the run's folder has them"]
    if isinstance(event, LeftoverEnded):
        return [f"ended a program of a dead run: {event.program}"]
    if isinstance(event, StepBegun):
        return [f"begin     {event.step}" + (f"  (try {event.attempt})" if event.attempt > 1 else "")]
    if isinstance(event, StepWaiting):
        limit = f", at most {event.limit_s:.0f} s" if event.limit_s else ""
        return [f"wait      {event.step}  {event.what}{limit}"]
    if isinstance(event, StepNoted) and event.key == WARNING_NOTE:
        return [f"warning   {event.step}  {event.value}"]
    if isinstance(event, StepRetrying):
        return [f"again     {event.step}  {event.what}"]
    if isinstance(event, StepEnded):
        report = event.report
        if report.outcome is Outcome.BLOCKED:
            return []
        mark = "warning" if report.advisory and report.outcome is Outcome.FAILED else MARKS[report.outcome]
        lines = [f"{mark:<{MARK_WIDTH}}{report.id}  {report.detail}  ({report.seconds:.1f} s)"]
        if report.outcome is Outcome.FAILED and not report.advisory:
            lines += step_problem(report, settings)
        return lines
    if isinstance(event, Stopping):
        return [f"stopping: {event.reason}" + ("; leaving at once" if event.level > 1 else "; running calls get their grace")]
    if isinstance(event, BugFound):
        return [f"a bug of Blackstart's in {event.step}: {event.kind}; its traceback is in {event.where}"]
    return []
