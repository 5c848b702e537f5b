"""From how a step's life ended to what the journal and the report say about it. Pure: writes nothing itself."""

from __future__ import annotations

from typing import TypeVar

from engine.errors import OurError, PermanentError, PreflightRefused
from engine.graph import is_check, is_step
from engine.report import DONE, NAMED_CAUSES, Outcome, StepReport
from engine.running.line import Result
from engine.sealed.entries import End
from engine.secrets import all_told, redact, told
from engine.state import LastOutcome
from engine.step import Check, Severity, Step, StepId
from engine.text.digest import digest

Look = TypeVar("Look")
Act = TypeVar("Act")


def why(item: Step[Look, Act] | Check[Look], result: Result, *, refuses: bool) -> OurError | None:
    """The error of a result, redacted. `refuses`: nothing was begun yet, and this check says no to what would be."""
    error = result.error
    if result.outcome is Outcome.FAILED and is_check(item):
        seen = result.seen
        error = error or PermanentError(
            f"{item.title}: {seen.condition.value}, {seen.detail}", evidence=seen.evidence, hint=seen.hint
        )
        if refuses:
            error = PreflightRefused(
                error.what, evidence=error.evidence, hint=error.hint, next_command=error.next_command
            )
    return None if error is None else error.as_told()


def end_entry(result: Result, detail: str, before: LastOutcome | None) -> End | None:
    """What the journal should say: nothing about an interruption, nor about what was found as it was last time."""
    usual = before.outcome if before is not None and before.outcome != Outcome.CHANGED.value else Outcome.OK.value
    begun = result.tries > 0 or result.resumed
    news = result.outcome in DONE and (begun or result.outcome.value != usual)
    if news or result.outcome is Outcome.FAILED:
        return End(result.step, result.outcome.value, detail, result.in_flight)
    return None


def after(causes: tuple[StepId, ...]) -> str:
    """Why a step is not begun, in words that do not grow with the house: each cause has a line of its own anyway."""
    more = len(causes) - NAMED_CAUSES
    return f"after {', '.join(causes[:NAMED_CAUSES])}" + (f" and {more:,} more" if more > 0 else "")


def report_line(
    item: Step[Look, Act] | Check[Look],
    outcome: Outcome,
    detail: str,
    *,
    advisory: bool,
    started: float = 0.0,
    seconds: float = 0.0,
    error: OurError | None = None,
    result: Result | None = None,
    blocked_by: tuple[StepId, ...] = (),
) -> StepReport:
    """One line of the report, its texts as told. An error's evidence goes before that of the last look."""
    evidence = error.evidence if error is not None else result.seen.evidence if result is not None else ()
    return StepReport(
        item.id,
        item.title,
        outcome,
        told(detail),
        all_told(evidence),
        error if outcome is Outcome.FAILED else None,
        condition=result.seen.condition if result is not None else None,
        blocked_by=blocked_by[:NAMED_CAUSES],
        started=started,
        seconds=seconds,
        tries=result.tries if result is not None else 0,
        resumed=result.resumed if result is not None else False,
        advisory=advisory,
    )


def stops_nothing(item: Step[Look, Act] | Check[Look], result: Result | None) -> bool:
    """Whether this answer of a check stops no run. What the world answered with an error of ours weighs as the check does."""
    if not is_check(item):
        return False
    if result is None or result.error is not None:
        return item.severity is not Severity.BLOCKING
    return item.severity_of(result.seen) is not Severity.BLOCKING


def inputs_of(item: Step[Look, Act] | Check[Look]) -> str:
    """The digest of a step's inputs, as the journal holds it; a check has none.

    A digest, for they are compared: a text would have to be redacted, and differ once a word of it has become a secret.
    """
    return digest(item.inputs) if is_step(item) else ""


def begun_with_others(item: Step[Look, Act] | Check[Look], inputs: str) -> bool:
    """Whether what was begun would now be something else. An older version wrote the text itself, redacted."""
    return inputs not in (inputs_of(item), redact(item.inputs) if is_step(item) else "")
