"""What the end of a program means to us: the tail of what it said, and which of our errors it is. Knows no process."""

from __future__ import annotations

import errno
from collections.abc import Collection

from adapters.process.conversation import ProgramEnd
from adapters.process.results import TAIL_LINES, Finished, ProgramEnded, ProgramFailed, ProgramMissing, ProgramTimedOut
from engine.errors import TransientError
from engine.secrets import redact, told

PASSING = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE})
"""What the machine lacks for a while."""


def no_room(program: str, detail: str) -> TransientError:
    """The machine could not start one more program: a lack that passes, and says nothing of the program."""
    return TransientError(
        f"{program} could not be started: the machine has no room for it",
        evidence=(redact(detail),),
        hint="too many processes or open files (ulimit -u, ulimit -n), or no memory",
    )


def tail_lines(said: bytes) -> tuple[str, ...]:
    """The last 25 lines that are not empty, redacted as one text (a PEM block spans lines), without terminal escapes."""
    text = told(said.decode(errors="replace"))
    return tuple(line.rstrip() for line in text.splitlines() if line.strip())[-TAIL_LINES:]


def judge(outcome: ProgramEnd, program: str, timeout_s: float, tail: tuple[str, ...]) -> None:
    """Raise what any end but the program's own exit means."""
    if outcome.reason == "timeout":
        raise ProgramTimedOut(f"{program} did not end in {timeout_s:g} s", evidence=tail)
    if outcome.reason == "asked":
        raise ProgramEnded(f"{program} was ended because this run is stopping", evidence=tail)
    if outcome.reason == "failed" and outcome.errno in PASSING:
        raise no_room(program, outcome.detail)
    if outcome.reason == "failed":
        raise ProgramMissing(f"{program} could not be started", evidence=(redact(outcome.detail), *tail))
    if outcome.reason != "exit":
        raise ProgramEnded(f"{program} was ended from outside; how far it got is not known", evidence=tail)


def require_code(finished: Finished, program: str, ok: Collection[int]) -> None:
    """Raise ProgramFailed when the code is none of `ok`; the evidence is stderr's tail, or stdout's when stderr is empty."""
    if finished.code in ok:
        return
    ended = f"ended with code {finished.code}" if finished.code >= 0 else f"was ended by signal {-finished.code}"
    raise ProgramFailed(f"{program} {ended}", finished, finished.stderr_tail or tail_lines(finished.stdout))
