"""A Runner that plays restic with one recorded answer a command, and the backups port on it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from adapters.backups.opening import Openings
from adapters.backups.restic import ResticBackups
from adapters.process.results import NO_ENVIRONMENT, Finished, ProgramFailed
from adapters.secrets.resolver import Secrets
from engine.errors import BlackstartError
from engine.secrets import Secret
from tests.adapters.backups.handmade import PASSWORD

Answer = bytes | tuple[int, str] | BlackstartError


class Restic:
    """Plays restic: an answer per command word. bytes are stdout with code 0, (code, stderr) a failure."""

    def __init__(self, **answers: Answer) -> None:
        self.answers: dict[str, Answer] = {"stats": b'{"total_blob_count": 3}', **answers}
        self.asked: list[tuple[str, ...]] = []
        self.env: dict[str, str | Secret] = {}
        self.said = ""

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
        self.asked.append(tuple(argv))
        self.env = dict(env)
        answer = self.answers[argv[1]]
        if isinstance(answer, BlackstartError):
            raise answer
        if isinstance(answer, tuple):
            out, _, words = answer[1].rpartition("\0")  # what it printed before it failed, and its words
            lines = tuple(words.splitlines())
            finished = Finished("restic", answer[0], out.encode(), lines, 1.0)
            raise ProgramFailed(f"restic ended with code {answer[0]}", finished, lines)
        return Finished("restic", 0, answer, tuple(self.said.splitlines()), 1.0)

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
        finished = self.run(argv, env=env, timeout_s=timeout_s)
        for at in range(0, len(finished.stdout), 700):
            sink(finished.stdout[at : at + 700])
        return finished


class Noon:
    """Always the same time: noon of 2 January 2026."""

    def now(self) -> float:
        return 1767355200.0

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError("no look sleeps")


def backups(runner: Restic, **environ: str) -> ResticBackups:
    """The port; the password of handmade repositories unless another environment is given."""
    return ResticBackups(runner, Openings(Secrets(runner, Path("/"), None, environ or {"PASSWORD": PASSWORD})), Noon())
