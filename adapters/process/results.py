"""What running a program answers, and the port that programs are run through. Knows no particular program."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from engine.errors import PermanentError, TransientError
from engine.secrets import Secret

TAIL_LINES = 25
NO_ENVIRONMENT: Mapping[str, str | Secret] = MappingProxyType({})


@dataclass(frozen=True)
class Finished:
    """One run of a program that ended. `argv_shown` and `stderr_tail` (its last 25 lines) are redacted, `stdout` is not.

    `code` is the exit code, negative for the signal that ended the program; `seconds` is wall time from start to end.
    """

    argv_shown: str
    code: int
    stdout: bytes
    stderr_tail: tuple[str, ...]
    seconds: float


class ProgramMissing(PermanentError):
    """The program is in none of the folders that were searched."""


class ProgramFailed(PermanentError):
    """The program ended with a code that the caller did not call good; `finished` lets an adapter say what it means."""

    def __init__(self, what: str, finished: Finished, evidence: tuple[str, ...]) -> None:
        super().__init__(what, evidence=evidence)
        self.finished = finished


class ProgramTimedOut(TransientError):
    """The program did not end in the time it was given; its whole process group was ended."""


class ProgramEnded(TransientError):
    """We, or somebody outside, ended the program before it was done: what it did is not known."""


class SecretInArgv(RuntimeError):
    """A bug of ours: an argument holds a registered secret, and every user of a machine can read arguments."""


class Runner(Protocol):
    """Runs programs: no shell, clean environment, no terminal, always a timeout, the whole process group ended."""

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str | Secret] = NO_ENVIRONMENT,
        cwd: Path | None = None,
        stdin: bytes | Secret | None = None,
        timeout_s: float,
        ok: Collection[int] = (0,),
        shielded: bool = False,
    ) -> Finished:
        """Run a program to its end and keep its output.

        `env` is added to a clean environment; `stdin` None means /dev/null. `shielded`: this group is never sent SIGTERM
        (helm would undo an atomic first install), it is only waited for or killed.
        Raises ProgramMissing, ProgramTimedOut, ProgramEnded, and ProgramFailed for a code outside `ok`.
        """


class StreamingRunner(Runner, Protocol):
    """A Runner that can also hand on output while it comes."""

    def stream(
        self,
        argv: Sequence[str],
        sink: Callable[[bytes], object],
        *,
        env: Mapping[str, str | Secret] = NO_ENVIRONMENT,
        cwd: Path | None = None,
        stdin: bytes | Secret | None = None,
        timeout_s: float,
        ok: Collection[int] = (0,),
        shielded: bool = False,
    ) -> Finished:
        """As `run`, but every piece of stdout goes to `sink` in the caller's thread and none is kept."""
