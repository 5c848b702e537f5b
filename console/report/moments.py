"""What each step did when: looked, waited or worked, out of the events of a run. Decides nothing.

*Work* is an act, with what it awaits itself (a copy that a host makes). *Wait* is the time between looks: for a machine to boot,
for a lock, for another step. What is neither is *look*.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from engine.events import Event, StepBegun, StepEnded, StepRetrying, StepSeen, StepStarted, StepWaiting
from engine.probe import Condition
from engine.step import StepId


class Doing(Enum):
    """What a step is at."""

    LOOK = "look"
    WAIT = "wait"
    WORK = "work"


@dataclass(frozen=True)
class Span:
    """So long a step was at one thing: `start` from the step's own start, both in seconds. `what` it waited for, "" for none."""

    doing: Doing
    start: float
    seconds: float
    what: str = ""


@dataclass
class _Now:
    doing: Doing
    since: float
    zero: float
    what: str = ""


@dataclass
class Moments:
    """A sink that keeps no more than spans. `of` maps a step to its spans in their order."""

    of: dict[StepId, list[Span]] = field(default_factory=dict)
    _now: dict[StepId, _Now] = field(default_factory=dict)

    def __call__(self, event: Event) -> None:
        match event:
            case StepStarted(at=at, step=step):
                self._now[step] = _Now(Doing.LOOK, at, at)
            case StepBegun(at=at, step=step):
                self._turn(step, at, Doing.WORK)
            case StepWaiting(at=at, step=step, what=what):
                self._turn(step, at, Doing.WAIT, what)
            case StepRetrying(at=at, step=step, what=what):
                self._turn(step, at, Doing.WAIT, f"before it is tried again: {what}")
            case StepSeen(at=at, step=step, condition=condition, detail=detail):
                self._saw(step, at, condition, detail)
            case StepEnded(at=at, report=report):
                self._turn(report.id, at, None)

    def _saw(self, step: StepId, at: float, condition: Condition, detail: str) -> None:
        """After an act a look that is not satisfied begins a wait: it is told as one only where what is waited for is new."""
        now = self._now.get(step)
        if condition is Condition.SATISFIED:
            self._turn(step, at, Doing.LOOK)
        elif now is not None and now.doing is Doing.WORK:
            self._turn(step, at, Doing.WAIT, detail)

    def _turn(self, step: StepId, at: float, doing: Doing | None, what: str = "") -> None:
        now = self._now.get(step)
        if now is None:
            return  # blocked: it was never taken up
        if doing is now.doing and what == now.what:
            return
        if at > now.since:
            spans = self.of.setdefault(step, [])
            spans.append(Span(now.doing, round(now.since - now.zero, 3), round(at - now.since, 3), now.what))
        if doing is None:
            del self._now[step]
        else:
            self._now[step] = _Now(doing, at, now.zero, what)
