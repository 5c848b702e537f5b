"""The critical path of a run: which chain of steps took as long as the whole. Pure; knows no screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from console.report.moments import Doing, Span
from engine.report import Outcome, StepReport
from engine.step import StepId

Needs = Callable[[StepId], Iterable[StepId]]


def after(step: StepReport, ended: Mapping[StepId, float], needs: Needs) -> StepId | None:
    """What of its needs ended last, None where none of them ran."""
    ran = [name for name in needs(step.id) if name in ended]
    return max(ran, key=lambda name: (ended[name], name), default=None)


def ends(steps: Iterable[StepReport]) -> dict[StepId, float]:
    """When each step that ran ended, in seconds from the run's start."""
    return {step.id: step.started + step.seconds for step in steps if ran(step)}


def ran(step: StepReport) -> bool:
    """Whether a worker took it up."""
    return step.outcome is not Outcome.BLOCKED and step.condition is not None


def critical(steps: tuple[StepReport, ...], needs: Needs) -> tuple[StepId, ...]:
    """From the first to the one that ended last, each the one that the next had to wait for."""
    by_id = {step.id: step for step in steps}
    ended = ends(steps)
    path: list[StepId] = []
    name = max(ended, key=lambda one: ended[one], default=None)
    while name is not None:
        path.append(name)
        name = after(by_id[name], ended, needs)
    return tuple(reversed(path))


def shares(path: Iterable[StepId], spans: Mapping[StepId, list[Span]], seconds: float) -> dict[str, float]:
    """Seconds that the path looked, waited and worked, and the rest (`other`): before, between and after its steps."""
    told = {doing.value: 0.0 for doing in Doing}
    for name in path:
        for span in spans.get(name, ()):
            told[span.doing.value] += span.seconds
    told["other"] = max(0.0, seconds - sum(told.values()))
    return {word: round(value, 3) for word, value in told.items()}
