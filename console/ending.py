"""How a verb ends: the word for what came of it, and its outermost frame, which no error leaves. Knows no house."""

from __future__ import annotations

import shlex
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from console.signals import ending
from console.views.jsonlines import JsonLines, one_result
from console.views.outlet import outlets
from console.views.page import Page
from console.views.problem import INDENT, complete, problem_lines
from engine.errors import (
    EXIT_BUG,
    EXIT_INTERRUPTED,
    EXIT_REHEARSAL_FAIL,
    EXIT_REHEARSAL_UNVERIFIED,
    OurError,
    PreflightRefused,
    SettingsInvalid,
)
from engine.files.disk import own_disk
from engine.report import Outcome as Ended
from engine.report import Report, StepReport
from engine.secrets import redact
from rehearsal.outcome import DrillOutcome, DrillVerdict

REFUSED = "refused"


@dataclass(frozen=True)
class LastWords:
    """What a verb says at the end of its run, beside the report.

    `done` where it converged, `following` the command that then comes while claims are held, `again` the one that goes on where
    it did not ("" for the verb alone). `counts` (the report's own where there are none) and `fields` are of the last JSON line.
    `drill` is how a rehearsal came out: its verdict is then the run's, on its pages too. `code` is what a verb ends with that has
    a verdict of its own, None for the report's.
    """

    following: str = ""
    done: str = ""
    again: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    fields: Mapping[str, object] = field(default_factory=dict)
    drill: DrillOutcome | None = None
    code: int | None = None

    def exit_code(self, report: Report) -> int:
        """What the verb ends with."""
        if self.code is not None:
            return self.code
        if self.drill is None or not drilled(report, self.drill) or self.drill.verdict is DrillVerdict.PASS:
            return report.exit_code
        return EXIT_REHEARSAL_FAIL if self.drill.verdict is DrillVerdict.FAIL else EXIT_REHEARSAL_UNVERIFIED

    def told(self, report: Report) -> str:
        """The sentences below the report: what it came to, and what is held; "" for neither."""
        ended = (self.done if report.converged else "", "; ".join(step.detail for step in report.held))
        return " ".join(f"{sentence}." for sentence in ended if sentence)

    def next_command(self, report: Report, verb: str) -> str:
        """What is to be typed next, "" for nothing."""
        if not report.converged:
            return self.again or f"invoke {verb}"
        return self.following if report.held else ""


def outcome_of(report: Report) -> str:
    """The word of a run's last JSON line."""
    if report.bug is not None:
        return "bug"
    if report.failure is not None:
        return Ended.FAILED.value  # it stopped the run itself, which is no interruption by anybody
    if report.exit_code == EXIT_INTERRUPTED:
        return Ended.INTERRUPTED.value
    if report.exit_code == PreflightRefused.exit_code:
        return REFUSED
    if report.root_causes:
        return Ended.FAILED.value
    return "held" if report.held else "done"


def drilled(report: Report, drill: DrillOutcome) -> bool:
    """Whether the drill's verdict is the run's: not of a run that was cut off, and no PASS of one that did not end well."""
    cut_off = report.bug is not None or report.failure is not None or report.interrupted
    return not cut_off and (report.converged or drill.verdict is not DrillVerdict.PASS)


def refusing(step: StepReport) -> StepReport:
    """A finding of a check alone, as the refusal that it is for a run."""
    if step.error is None:
        return step
    error = step.error
    refusal = PreflightRefused(error.what, evidence=error.evidence, hint=error.hint, next_command=error.next_command)
    return replace(step, error=refusal)


def guarded(verb: str, json: bool, body: Callable[[], int], settings: str = "") -> int:
    """Run a verb's body; errors of ours become a problem on screen and their exit code, anything else is a bug (70).

    `settings` is what `--settings` said, for the commands that a problem names.
    """
    started = time.monotonic()

    def ended(outcome: str, code: int, **more: object) -> int:
        if json:
            seconds = round(time.monotonic() - started, 3)
            result = {"verb": verb, "outcome": outcome, "counts": {}, "seconds": seconds, "exit_code": code, **more}
            JsonLines(sys.stdout).last(result)
        return code

    def answered() -> int:
        try:
            _refuse_nowhere()
            with own_disk():
                return body()
        except OurError as error:
            error.next_command = complete(error.next_command, settings)
            if not json:
                page = Page(sys.stderr)
                for line in problem_lines(error, _typed(verb)):
                    page.say(line, hang=INDENT)
            return ended(REFUSED, error.exit_code, problem=error)
        except Exception as bug:  # noqa: BLE001 - the outermost frame: a bug is shown as one, with its traceback
            sys.stderr.write(redact(traceback.format_exc()))
            sys.stderr.write(f"This is a bug of Blackstart's, not of your house. invoke {verb} ended with {EXIT_BUG}.\n")
            return ended("bug", EXIT_BUG, kind=type(bug).__name__)

    with ending() as come_to_its_end, outlets(), one_result() as tell:
        try:
            code = answered()
            come_to_its_end()
        except KeyboardInterrupt:
            sys.stderr.write(f"invoke {verb} was interrupted outside of a run: no step was cut off.\n")
            code = ended(Ended.INTERRUPTED.value, EXIT_INTERRUPTED)
        tell()
    return code


def _typed(verb: str) -> str:
    """The command with the words that it was given: whoever has typed several looks for the one that this is about."""
    words = sys.argv[1:]
    return f"invoke {shlex.join(words) if words[:1] == [verb] else verb}"


def _refuse_nowhere() -> None:
    """Names that are not absolute are seen from where the command was typed; that folder may have been made anew meanwhile."""
    try:
        Path.cwd()
    except OSError as error:
        what = f"the folder that this was typed in is not to be had any more: {error.strerror}"
        raise SettingsInvalid(what, hint="cd into one that is there, and type the same again") from error
