"""What kopia means when it fails: it has one exit code, so its words tell. Opens nothing itself."""

from __future__ import annotations

from adapters.backups.results import Verdict
from adapters.backups.sayings import BILLED, REFUSED, SILENT
from adapters.process.results import Finished
from engine.text.words import last_lines

_NO_ANSWER = "the store did not answer"
_BY_WORDS = (
    (Verdict.REFUSED, "the password is not the repository's", ("invalid repository password",)),
    (Verdict.UNREACHABLE, _NO_ANSWER, BILLED),
    (
        Verdict.REFUSED,
        "the store refused to let it be read",
        (*REFUSED, "403 forbidden", "access key id you provided does not exist"),
    ),
    (Verdict.UNREACHABLE, _NO_ANSWER, (*SILENT, "stale file handle", "input/output error")),
    (Verdict.MISSING, "no repository is there", ("repository not initialized in the provided storage",)),
    (Verdict.UNKNOWN, "a repository of a later format than this kopia reads", ("unsupported format version",)),
    (
        Verdict.UNKNOWN,
        "this machine has too little room or memory to look into it",
        ("no space left on device", "disk quota exceeded", "cannot allocate memory", "out of memory", "too many open files"),
    ),
    (Verdict.UNKNOWN, "this kopia knows other options: `invoke tools.check` says which fits", ("unknown long flag",)),
)
_NOISE = ("listing blobs", "listed ", "notice:", "{", "to disable this", "alternatively you", "verifying contents", "finished")


def meaning(finished: Finished) -> tuple[Verdict, str]:
    """What follows from a failure. What is not known otherwise is damage: words that are not understood are never good."""
    if finished.code < 0:
        return Verdict.UNKNOWN, f"kopia was ended by signal {-finished.code} before it had looked"
    said = "\n".join(finished.stderr_tail).lower()
    for verdict, told, marks in _BY_WORDS:
        if any(mark in said for mark in marks):
            return verdict, told
    return Verdict.UNREADABLE, "damaged: it does not open, or what is in it breaks off"


def words(finished: Finished) -> tuple[str, ...]:
    """The lines that say what is wrong."""
    return last_lines(finished.stderr_tail, len(finished.stderr_tail), noise=_NOISE)
