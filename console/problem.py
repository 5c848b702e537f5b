"""A problem on screen: what, while, evidence, hint, next. Five lines at most. Knows no terminal."""

from __future__ import annotations

from engine.errors import BlackstartError
from engine.report import StepReport

SHOWN = 6


def problem_lines(error: BlackstartError, doing: str = "") -> list[str]:
    """The five lines of one error; those with nothing to say are left out."""
    lines = [f"what      {error.what}"]
    if doing:
        lines.append(f"while     {doing}")
    told = [line for line in error.evidence if line]
    if told:
        shown, more = told[:SHOWN], len(told) - SHOWN
        lines.append("evidence  " + "\n          ".join([*shown, *([f"and {more} more"] if more > 0 else [])]))
    if error.hint:
        lines.append(f"hint      {error.hint}")
    if error.next_command:
        lines.append(f"next      {error.next_command}")
    return lines


def step_problem(step: StepReport) -> list[str]:
    """The five lines of a step or check that failed."""
    error = step.error or BlackstartError(step.detail or "failed", evidence=step.evidence)
    return problem_lines(error, f"{step.id}: {step.title}")
