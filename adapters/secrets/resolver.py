"""Resolves secret references, each source in turn, once per run. Knows sops and op as programs, and no user of a secret.

A source that cannot be had (not set, not there, cannot be decrypted) lets the next one speak; which one answered, and why the
others did not, can be asked. A source that is there but unsafe (a file that others can read) is an error, not a fall-back.
"""

from __future__ import annotations

import base64
import binascii
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.process.results import Runner
from adapters.secrets.keys import find, near, steps_of
from adapters.secrets.names import is_open
from adapters.secrets.op import op_environment
from engine.errors import BlackstartError, PermanentError, TransientError
from engine.files.content import no_file, text_of
from engine.secrets import Secret
from engine.text.jsontext import Malformed, read
from engine.text.words import number
from house.files.paths import at_home
from house.model import SecretRef

SOPS_TIMEOUT_S = 60.0
OP_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Resolved:
    """Which source a secret came from, and why each source before it could not be had (`source: reason`)."""

    source: str
    passed_over: tuple[str, ...]


class _NotHad(Exception):
    """This source cannot be had; the reason is fit for people. `transient`: it may be had later."""

    def __init__(self, reason: str, *, transient: bool = False) -> None:
        super().__init__(reason)
        self.transient = transient


class Secrets:
    """The one place that turns references into values.

    `root` is what relative paths start from (the home-ops repository); `age_key` opens sops files, and is handed to sops in
    the environment only; `environ` is what `env:` reads.
    """

    def __init__(
        self, runner: Runner, root: Path, age_key: SecretRef | None, environ: Mapping[str, str] = os.environ
    ) -> None:
        self._runner = runner
        self._root = root
        self._age_key = age_key
        self._environ = environ
        self._lock = threading.RLock()
        self._known: dict[SecretRef, tuple[str, Resolved]] = {}
        self._decrypted: dict[Path, Any] = {}
        self._read_by_op: dict[str, str] = {}
        self._resolving_age_key = False

    def resolve(self, ref: SecretRef) -> Secret:
        """The value. PermanentError when no source answers, TransientError when one of them may answer later."""
        return Secret(self._resolved(ref)[0])

    def resolve_as(self, name: str, ref: SecretRef) -> Secret | str:
        """The value of the variable `name`; plain text where that is no secret, but a key's id or a region. Errors as `resolve`."""
        return self._resolved(ref)[0] if is_open(name) else self.resolve(ref)

    def answer(self, ref: SecretRef) -> Resolved:
        """Which source answers; errors as `resolve`."""
        return self._resolved(ref)[1]

    def _resolved(self, ref: SecretRef) -> tuple[str, Resolved]:
        with self._lock:
            if ref not in self._known:
                self._known[ref] = self._ask(ref)
            return self._known[ref]

    def _ask(self, ref: SecretRef) -> tuple[str, Resolved]:
        passed_over: list[str] = []
        transient = False
        for source in ref.sources:
            try:
                value = self._reader(source)()
            except _NotHad as reason:
                passed_over.append(str(reason) if len(ref.sources) == 1 else f"{source}: {reason}")
                transient = transient or reason.transient
            else:
                return value, Resolved(source, tuple(passed_over))
        kind = TransientError if transient else PermanentError
        count = len(ref.sources)
        several = f"any of {number(count, 'reference')}" if count else "a reference without any source"
        names = ref.sources[0] if count == 1 else several
        raise kind(f"a secret cannot be had from {names}", evidence=tuple(passed_over), hint="see the reference in blackstart.yaml")

    def _reader(self, source: str) -> Callable[[], str]:
        scheme, _, rest = source.partition(":")
        if scheme == "env":
            return lambda: self._from_environment(rest)
        if scheme == "file":
            return lambda: self._from_file(rest)
        if scheme == "sops":
            return lambda: self._from_sops(rest)
        if source.startswith("op://"):
            return lambda: self._from_op(source)
        raise PermanentError("a secret reference has a form that is not known", hint="env:, file:, sops: or op://")

    def _from_environment(self, name: str) -> str:
        return _value(self._environ.get(name, ""), "not set, or empty, in the environment")

    def _from_file(self, name: str) -> str:
        path = self._path(name)
        try:
            mode = path.stat().st_mode
            text = text_of(path)
        except FileNotFoundError as error:
            raise _NotHad("no such file") from error
        except (OSError, UnicodeDecodeError) as error:
            why = "it is no text in UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
            raise _NotHad(f"cannot be read ({why})") from error
        if mode & 0o077:
            raise PermanentError(
                f"the secret file {path} can be read or changed by others (mode {mode & 0o777:04o})",
                hint="a secret file belongs to its owner alone",
                next_command=f"chmod 600 {path}",
            )
        return _value(text, "the file is empty")

    def _from_sops(self, rest: str) -> str:
        name, _, key = rest.partition("#")
        document = self._document(self._path(name))
        steps = steps_of(key)
        value = find(document, steps)
        if not isinstance(value, (str, int, float)) or isinstance(value, bool):
            what = "no such key in the file" if value is None else "the key does not hold text"
            raise _NotHad("; ".join(filter(None, (what, near(document, steps)))))
        text = str(value)
        if isinstance(document, dict) and document.get("kind") == "Secret" and key.startswith("data."):
            try:
                text = base64.b64decode(text, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError) as error:
                raise _NotHad("the key's value is not base64 text, as data of a Secret should be") from error
        return _value(text, "the key is empty")

    def _document(self, path: Path) -> Any:
        _look_for(path)  # sops would wait for what a pipe never says
        if path not in self._decrypted:
            done = self._run(
                ["sops", "--decrypt", "--output-type", "json", str(path)], {"SOPS_AGE_KEY": self._age_secret()}, SOPS_TIMEOUT_S
            )
            try:
                self._decrypted[path] = read(done)
            except Malformed as error:
                raise _NotHad("sops answered something that is not JSON") from error
        return self._decrypted[path]

    def _age_secret(self) -> Secret:
        if self._age_key is None:
            raise _NotHad("no age key is set")
        if self._resolving_age_key:
            raise _NotHad("the age key cannot come out of a file that it opens itself")
        self._resolving_age_key = True
        try:
            return self.resolve(self._age_key)
        except PermanentError as error:
            raise _NotHad(f"the age key: {'; '.join((error.what, *error.evidence))}") from error
        finally:
            self._resolving_age_key = False

    def _from_op(self, source: str) -> str:
        """Once a run: 1Password counts reads, and several references may name one field."""
        if source not in self._read_by_op:
            told = self._run(["op", "read", "--no-newline", source], op_environment(self._environ), OP_TIMEOUT_S)
            self._read_by_op[source] = told.decode()
        return _value(self._read_by_op[source], "empty")

    def _run(self, argv: list[str], env: Mapping[str, str | Secret], timeout_s: float) -> bytes:
        try:
            return self._runner.run(argv, env=env, timeout_s=timeout_s).stdout
        except BlackstartError as error:
            last = f" ({error.evidence[-1]})" if error.evidence else ""
            raise _NotHad(f"{error.what}{last}", transient=isinstance(error, TransientError)) from error

    def _path(self, name: str) -> Path:
        return self._root / at_home(Path(name))


def _look_for(path: Path) -> None:
    """Raises _NotHad where no file is there."""
    try:
        told = no_file(path.stat().st_mode)
    except FileNotFoundError as error:
        raise _NotHad("no such file") from error
    except OSError as error:
        raise _NotHad(f"cannot be read ({error.strerror})") from error
    if told:
        raise _NotHad(f"cannot be read (it is {told})")


def _value(text: str, when_empty: str) -> str:
    """The value without the newline that editors leave at the end."""
    text = text.rstrip("\r\n")
    if not text:
        raise _NotHad(when_empty)
    return text
