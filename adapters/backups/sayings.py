"""What restic means when it fails, by exit code and, where the code says nothing, by its words. Opens nothing itself."""

from __future__ import annotations

import re
from contextlib import suppress
from enum import Enum
from typing import Any

from adapters.process.results import Finished, ProgramFailed
from engine.errors import BlackstartError, PermanentError, TransientError
from engine.text.jsontext import Malformed, read


class Saying(Enum):
    """Why restic failed."""

    NO_REPOSITORY = "restic finds no repository, although a config is listed there"
    LOCKED = "an exclusive lock is in the way"
    NO_KEY_FITS = "the password is wrong"
    NO_SNAPSHOT = "there is no such snapshot"
    REFUSED = "the store refused access"
    UNREACHABLE = "the store did not answer"
    ENDED = "restic was ended by a signal (is there too little memory?) before it had looked"
    DAMAGED = "damaged: it does not open, or its contents break off"


_BY_CODE = {10: Saying.NO_REPOSITORY, 11: Saying.LOCKED, 12: Saying.NO_KEY_FITS}  # restic's documented codes
BILLED = ("cap exceeded", "limitexceeded", "quotaexceeded")
"""A bill or a limit, which stores tell with the code of a refusal."""
REFUSED = ("access denied", "accessdenied", "signaturedoesnotmatch", "invalidaccesskeyid", "permission denied")
SILENT = (
    "connection refused", "no such host", "i/o timeout", "connection reset", "tls handshake", "x509:", "slowdown", "slow down",
    "reduce your request rate", "server misbehaving", "bandwidthlimitexceeded", "no route to host", "network is unreachable",
    "host is unreachable", "connection timed out", "deadline exceeded", "temporary failure in name resolution",
    "connect: operation not permitted", "503 service", "500 internal",
)  # fmt: skip
"""Of a store that did not answer, as programs in Go say it: restic's and kopia's alike."""
_BY_WORDS = (
    (Saying.UNREACHABLE, BILLED),
    (Saying.NO_SNAPSHOT, ("no matching id found", "no snapshot found")),
    (Saying.REFUSED, REFUSED),
    (Saying.UNREACHABLE, (*SILENT, "eof while", "unable to start the sftp session")),
)

_ADVICE = (
    "The repository contains damaged pack files", "The repository is damaged and must be repaired", "restic repair",
    "Damaged pack files can be caused", "Fatal: repository contains errors", "You can run", "Run `restic",
)  # fmt: skip
_ABSENT = re.compile(r"failed to load snapshot (?:[0-9a-f]+|\[null\]): .*(no such file|does not exist|not found)")


def meaning(finished: Finished) -> Saying:
    """Why it failed. Everything that is not known otherwise is damage: a code that is not understood is never good."""
    if finished.code < 0:
        return Saying.ENDED
    if finished.code in _BY_CODE:
        return _BY_CODE[finished.code]
    words = "\n".join(finished.stderr_tail).lower()
    if _ABSENT.search(words):
        return Saying.NO_SNAPSHOT
    for saying, marks in _BY_WORDS:
        if any(mark in words for mark in marks):
            return saying
    return Saying.DAMAGED


def words(finished: Finished) -> tuple[str, ...]:
    """What it complained of, a line each and in its order: its JSON undone, its advice and its closing sentence left out.

    The advice is to prune or to repair, which deletes what could still be saved.
    """
    lines = []
    for line in finished.stderr_tail:
        told = line
        if line.startswith("{"):
            with suppress(Malformed):
                told = read(line, _message) or line
        told = " ".join(told.split())
        if told and not told.startswith(_ADVICE):
            lines.append(told)
    return tuple(lines)


def _message(told: dict[str, Any]) -> str:
    return str(told.get("message") or told.get("error", {}).get("message") or "")


def translated(what: str, error: ProgramFailed) -> BlackstartError:
    """`what` could not be done because restic failed: an error of ours."""
    said = meaning(error.finished)
    if said is Saying.UNREACHABLE:
        return TransientError(what, evidence=error.evidence, hint="the store did not answer")
    return PermanentError(what, evidence=error.evidence, hint=said.value)
