"""A problem on screen: what, while, evidence, hint, next. Knows no terminal.

Five lines, but for settings: there every line of evidence is a place to correct, and all are told at once.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

from engine.errors import BlackstartError, OurError, SettingsInvalid
from engine.report import StepReport

SHOWN = 6
INDENT = 10
"""Columns before what is told of each line."""
_NEED_SETTINGS = ("invoke cluster.", "invoke dr.", "invoke tools.check", "invoke config.check", "invoke config.doctor")


def complete(command: str, settings: str) -> str:
    """A command as it is to be typed: a verb that reads the settings gets the `--settings` this run was given ("" for none)."""
    if not settings or not command.startswith(_NEED_SETTINGS) or "--settings" in command or "--manifests" in command:
        return command
    words = command.split(" ", 2)
    return " ".join([*words[:2], "--settings", shlex.quote(settings), *words[2:]])


def problem_lines(error: OurError, doing: str = "", settings: str = "") -> list[str]:
    """The lines of one error; those with nothing to say are left out."""
    lines = [f"what      {error.what}"]
    if doing:
        lines.append(f"while     {doing}")
    told = [line for line in error.evidence if line]
    if told:
        most = len(told) if isinstance(error, SettingsInvalid) else SHOWN
        shown, more = told[:most], len(told) - most
        lines.append("evidence  " + "\n          ".join([*shown, *([f"and {more} more"] if more > 0 else [])]))
    if error.hint:
        lines.append(f"hint      {error.hint}")
    if error.next_command:
        lines.append(f"next      {complete(error.next_command, settings)}")
    return lines


def step_problems(steps: Iterable[StepReport], settings: str = "") -> Iterator[list[str]]:
    """The lines of what is wrong, each problem once: several that one thing is wrong with are named together, in its words."""
    alike: dict[tuple[str, str], list[StepReport]] = {}
    for step in steps:
        error = _error_of(step)
        alike.setdefault((error.what, error.next_command), []).append(step)
    for same in alike.values():
        if len(same) == 1:
            yield step_problem(same[0], settings)
            continue
        more = f" and {len(same) - SHOWN} more" if len(same) > SHOWN else ""
        first, told = _error_of(same[0]), dict.fromkeys(line for step in same for line in _error_of(step).evidence)
        one = BlackstartError(first.what, evidence=tuple(told), hint=first.hint, next_command=first.next_command)
        yield problem_lines(one, ", ".join(step.id for step in same[:SHOWN]) + more, settings)


def step_problem(step: StepReport, settings: str = "") -> list[str]:
    """The five lines of a step or check that failed."""
    return problem_lines(_error_of(step), f"{step.id}: {step.title}", settings)


def _error_of(step: StepReport) -> OurError:
    return step.error or BlackstartError(step.detail or "failed", evidence=step.evidence)
