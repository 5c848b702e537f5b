"""How long a run like this one took before, and so what is left of this one: a guess, told as one. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.runs import oldest_first
from engine.report import Outcome
from engine.step import StepId
from engine.text.jsontext import read
from engine.text.lengths import about

LOOKED_AT = 20
"""So many runs back are looked at."""
ALIKE = 0.9
"""A run is like ours when it had this share of our steps."""
MOST_BYTES = 1 << 24


@dataclass(frozen=True)
class Pace:
    """When each step of one earlier run was taken up and how long it took, both in seconds, the first from that run's start."""

    run: str
    steps: Mapping[StepId, tuple[float, float]]

    def left(self, open_: Iterable[StepId], running: Mapping[StepId, float], of: Iterable[StepId]) -> float:
        """Seconds until the steps `of` have all ended, if this run goes on at that run's pace.

        `open_` has not ended, `running` maps those at work to their seconds. Where this run is, is the earliest moment of the
        earlier one at which one of the open steps was as far as it is here.
        """
        ends = [sum(self.steps[step]) for step in of if step in self.steps]
        at = [
            began + min(running.get(step, 0.0), took)
            for step in open_ if step in self.steps
            for began, took in (self.steps[step],)
        ]  # fmt: skip
        return max(0.0, max(ends) - min(at)) if ends and at else 0.0


def pace_of(runs: Path, steps: Iterable[StepId]) -> Pace | None:
    """That of the run, among the last ones, that was like ours, went well, and changed most; None when there is none.

    `runs` holds a folder a run, each with `events.jsonl`. A file that is not what a run leaves is passed over.
    """
    ours = set(steps)
    best: tuple[int, Pace] | None = None
    for folder in _last(runs) if ours else ():
        found = _ended(folder / "events.jsonl")
        if found is None or len(ours & set(found[1].steps)) < ALIKE * len(ours):
            continue
        if best is None or found[0] > best[0]:
            best = found
    return best[1] if best is not None else None


def _last(runs: Path) -> list[Path]:
    with suppress(OSError):
        return oldest_first(runs)[: -LOOKED_AT - 1 : -1]
    return []


def _ended(events: Path) -> tuple[int, Pace] | None:
    """How many steps a run changed, and its pace; None for one that did not end well."""
    try:
        if events.stat().st_size > MOST_BYTES:
            return None
        last = events.read_text(encoding="utf-8").rstrip().rpartition("\n")[2]
        return read(last, lambda told: _paced(events.parent.name, told["report"]), ours=True)
    except (OSError, ValueError):
        return None


def _paced(run: str, report: dict[str, Any]) -> tuple[int, Pace] | None:
    outcomes = [step["outcome"] for step in report["steps"]]
    steps = {StepId(str(step["id"])): (float(step["started"]), float(step["seconds"])) for step in report["steps"]}
    if report.get("interrupted") or {Outcome.BLOCKED.value, Outcome.INTERRUPTED.value} & set(outcomes):
        return None
    return outcomes.count(Outcome.CHANGED.value), Pace(run, steps)


def left_in_words(seconds: float) -> str:
    """A guess at what is left."""
    return "about done" if seconds < 1 else f"{about(seconds)} left"
