"""What came of a run or of a verify: one line per step, root causes first, and the exit code. Knows no terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from engine.errors import (
    EXIT_BUG,
    EXIT_DRIFT,
    EXIT_HELD,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_STEP_FAILED,
    BlackstartError,
    OurError,
    PreflightRefused,
)
from engine.probe import Condition
from engine.step import StepId


class Outcome(Enum):
    """How a step or check ended."""

    OK = "ok"  # found satisfied, nothing was done
    CHANGED = "changed"  # acted, and then seen satisfied
    HELD = "held"  # satisfied, and something is held on purpose
    FAILED = "failed"
    BLOCKED = "blocked"  # what it needs failed
    INTERRUPTED = "interrupted"  # told to stop before it ended, or before it started


NAMED_CAUSES = 10
"""How many root causes a blocked line names: all of them in each would make a report grow with the square of what is wrong."""
DONE = frozenset({Outcome.OK, Outcome.CHANGED, Outcome.HELD})
"""Outcomes after which what needs the step may go on."""


@dataclass(frozen=True)
class StepReport:
    """One step or check. `started` and `seconds` count from the run's start, 0 for what never started.

    `error` is set when it failed; `blocked_by` names root causes, NAMED_CAUSES at most; `resumed` says that an earlier run had
    begun it; `tries` counts the acts of this run; `advisory` marks a check that stops nothing.
    """

    id: StepId
    title: str
    outcome: Outcome
    detail: str = ""
    evidence: tuple[str, ...] = ()
    error: OurError | None = None
    condition: Condition | None = None
    blocked_by: tuple[StepId, ...] = ()
    started: float = 0.0
    seconds: float = 0.0
    tries: int = 0
    resumed: bool = False
    advisory: bool = False

    @property
    def done(self) -> bool:
        """Whether what needs this may go on."""
        return self.outcome in DONE or (self.advisory and self.outcome is Outcome.FAILED)


@dataclass(frozen=True)
class Bug:
    """Something that is not one of our own errors: which step, the kind of error, its traceback (redacted), and where that
    was written ("" when nobody wrote it)."""

    step: str
    kind: str
    where: str
    traceback: str = ""


@dataclass(frozen=True)
class Report:
    """All steps in the graph's order. `failure` ended the run as a whole (the journal could not be written)."""

    verb: str
    run: str
    steps: tuple[StepReport, ...]
    seconds: float
    interrupted: bool = False
    bug: Bug | None = None
    failure: BlackstartError | None = None

    def __getitem__(self, name: str) -> StepReport:
        """The line of one step. KeyError when there is none."""
        for step in self.steps:
            if step.id == name:
                return step
        raise KeyError(name)

    @property
    def root_causes(self) -> tuple[StepReport, ...]:
        """What failed by itself, in the graph's order; what only waited for it is not among them."""
        return tuple(step for step in self.steps if step.outcome is Outcome.FAILED and not step.advisory)

    @property
    def warnings(self) -> tuple[StepReport, ...]:
        """Advisory checks that did not say yes."""
        return tuple(step for step in self.steps if step.outcome is Outcome.FAILED and step.advisory)

    @property
    def held(self) -> tuple[StepReport, ...]:
        """What says that something is held."""
        return tuple(step for step in self.steps if step.outcome is Outcome.HELD)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many steps ended how: a key for every outcome's value, and `warning` for an advisory check that said no."""
        found = Counter(step.outcome for step in self.steps)
        warnings = len(self.warnings)
        failures = {Outcome.FAILED.value: found[Outcome.FAILED] - warnings, "warning": warnings}
        return {outcome.value: found[outcome] for outcome in Outcome} | failures

    @property
    def converged(self) -> bool:
        """Whether everything is as wanted (held included)."""
        return self.exit_code in (EXIT_OK, EXIT_HELD)

    @property
    def exit_code(self) -> int:
        """What the process ends with. The worst thing wins: bug, journal, interruption, failure, held."""
        if self.bug is not None:
            return EXIT_BUG
        if self.failure is not None:
            return self.failure.exit_code
        if self.interrupted:
            return EXIT_INTERRUPTED
        if self.root_causes:
            return self._failed_code()
        if not all(step.done for step in self.steps):
            return EXIT_INTERRUPTED  # nothing failed, and yet not all is done: whatever the reason, that is no success
        return EXIT_HELD if self.held else EXIT_OK

    def _failed_code(self) -> int:
        if self.verb == "verify":
            seen = {step.condition for step in self.root_causes}
            return EXIT_DRIFT if seen - {None, Condition.UNKNOWN} else EXIT_STEP_FAILED
        codes = {step.error.exit_code if step.error is not None else EXIT_STEP_FAILED for step in self.root_causes}
        refused = codes == {PreflightRefused.exit_code}
        if len(codes) > 1 or (refused and any(step.tries for step in self.steps)):
            return EXIT_STEP_FAILED  # a part was refused, and the rest was done: not "before anything was changed"
        return codes.pop()
