"""What happens in a run, as frozen values for one sink. All views and metrics are fed by these; knows no view.

Every text in an event is redacted already. `at` is the Clock's monotonic reading, in seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.probe import Condition
from engine.report import Report, StepReport
from engine.step import Hazard, StepId


@dataclass(frozen=True)
class Event:
    """Base of all events."""

    at: float


@dataclass(frozen=True)
class RunStarted(Event):
    """A run begins: its id, all ids in order, bytes of a torn tail that were cut, whether an older version's journal goes on."""

    run: str
    steps: tuple[StepId, ...]
    cut_bytes: int
    older_journal: bool = False


@dataclass(frozen=True)
class OpenBegin(Event):
    """A step that an earlier run began and did not end. Emitted before anything runs.

    `gone`: no such step any more; `inputs_changed`: it would now do something else than was begun.
    """

    step: StepId
    run: str
    began: float
    gone: bool
    inputs_changed: bool


@dataclass(frozen=True)
class LeftoverEnded(Event):
    """A program of a dead run was found alive and ended before the first look."""

    program: str


@dataclass(frozen=True)
class StepStarted(Event):
    """A worker took up the step or check."""

    step: StepId
    title: str
    is_check: bool


@dataclass(frozen=True)
class StepSeen(Event):
    """A look answered something new."""

    step: StepId
    condition: Condition
    detail: str
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class StepWaiting(Event):
    """The step waits: for what, and for how long at most (None: for another step)."""

    step: StepId
    what: str
    limit_s: float | None


@dataclass(frozen=True)
class StepBegun(Event):
    """*begin* is on the disk; the act follows."""

    step: StepId
    hazard: Hazard
    attempt: int


@dataclass(frozen=True)
class StepNoted(Event):
    """A note is on the disk."""

    step: StepId
    key: str
    value: str


@dataclass(frozen=True)
class StepRetrying(Event):
    """The act ended in a transient error; the world is looked at before it is tried again."""

    step: StepId
    attempt: int
    what: str


@dataclass(frozen=True)
class StepEnded(Event):
    """The step or check has ended, and the journal knows."""

    report: StepReport


@dataclass(frozen=True)
class Stopping(Event):
    """Nothing new starts any more. `level` 2: leaving at once."""

    level: int
    reason: str


@dataclass(frozen=True)
class BugFound(Event):
    """Not one of our own errors: the run stops. `where` says where the traceback is."""

    step: str
    kind: str
    where: str


@dataclass(frozen=True)
class RunEnded(Event):
    """The last event."""

    report: Report


Sink = Callable[[Event], None]


def nowhere(event: Event) -> None:
    """A sink for those who do not watch."""


def tee(*sinks: Sink) -> Sink:
    """One sink that hands each event to all of these, in this order."""

    def each(event: Event) -> None:
        for sink in sinks:
            sink(event)

    return each
