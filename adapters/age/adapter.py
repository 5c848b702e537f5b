"""Seals a file with age for several recipients, and opens one. Knows nothing of what is in it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from adapters.process.results import ProgramFailed, Runner
from engine.errors import PermanentError
from engine.secrets import Secret

SEAL_S = 600.0
KEYGEN_S = 30.0
_HEADS = (b"age-encryption.org/v1", b"-----BEGIN AGE ENCRYPTED FILE-----")
_LONGEST_HEAD = 4096


class Age:
    """`runner` finds and runs the program."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def seal(self, plain: Path, target: Path, recipients: Iterable[str]) -> None:
        """Encrypt `plain` so that each of the recipients can open it alone. PermanentError when age refuses."""
        named = [word for recipient in recipients for word in ("--recipient", recipient)]
        try:
            self._runner.run(["age", "--encrypt", *named, "--output", str(target), str(plain)], timeout_s=SEAL_S)
        except ProgramFailed as error:
            raise PermanentError(f"age could not encrypt for these recipients: {_last(error)}", evidence=error.evidence) from error

    def unseal(self, sealed: Path, target: Path, identity: Path | Secret) -> None:
        """Decrypt with the key in a file, or with the key itself, through a pipe. PermanentError when it does not open."""
        by_file = isinstance(identity, Path)
        place = str(identity) if by_file else "-"
        argv = ["age", "--decrypt", "--identity", place, "--output", str(target), str(sealed)]
        try:
            self._runner.run(argv, stdin=None if isinstance(identity, Path) else identity, timeout_s=SEAL_S)
        except ProgramFailed as error:
            _refuse_other(sealed)
            raise PermanentError(f"{sealed} does not open with this key: {_last(error)}", evidence=error.evidence) from error

    def sealed(self, plain: Secret, recipient: str) -> str:
        """A text, encrypted for one recipient, as text; it is on no disk meanwhile. PermanentError when age refuses."""
        argv = ["age", "--encrypt", "--armor", "--recipient", recipient]
        try:
            return self._runner.run(argv, stdin=plain, timeout_s=SEAL_S).stdout.decode("ascii")
        except ProgramFailed as error:
            raise PermanentError(f"age could not encrypt for this recipient: {_last(error)}", evidence=error.evidence) from error

    def opened(self, sealed: Path, key: Secret) -> str:
        """A file's text, in memory alone. PermanentError when it does not open with this key, or holds no text."""
        try:
            done = self._runner.run(["age", "--decrypt", "--identity", "-", str(sealed)], stdin=key, timeout_s=SEAL_S)
            return done.stdout.decode()
        except ProgramFailed as error:
            _refuse_other(sealed)
            told = f"{sealed} does not open with the house's age key: {_last(error)}"
            raise PermanentError(told, evidence=error.evidence) from error
        except UnicodeDecodeError as error:
            raise PermanentError(f"{sealed} opens, and holds no text") from error

    def public(self, identity: Path | Secret) -> frozenset[str]:
        """The public halves of the keys in it; none for a key of SSH, which age-keygen does not read."""
        place = str(identity) if isinstance(identity, Path) else "-"
        stdin = None if isinstance(identity, Path) else identity
        done = self._runner.run(["age-keygen", "-y", place], stdin=stdin, timeout_s=KEYGEN_S, ok=range(256))
        return frozenset(done.stdout.decode().split()) if done.code == 0 else frozenset()


def _refuse_other(sealed: Path) -> None:
    """No key is to blame for a file that age never sealed, or whose beginning is gone. What age says of it quotes its bytes."""
    with suppress(OSError), sealed.open("rb") as file:
        if not file.read(_LONGEST_HEAD).lstrip().startswith(_HEADS):
            hint = "another copy of it, or the right file's name: no key opens this one"
            raise PermanentError(f"{sealed} is nothing that age has sealed, or its beginning is damaged", hint=hint)


def _last(error: ProgramFailed) -> str:
    told = [line.removeprefix("age: ").removeprefix("error: ") for line in error.evidence if not line.startswith("age: report")]
    return told[-1] if told else "it said nothing"
