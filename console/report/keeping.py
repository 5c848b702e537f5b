"""What a house remembers of its runs: the evidence document of each in the run's folder, and which evidence was signed last.

Losing it loses history. What is read back is outside input: a document that is none is told as one, and stops nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from console.report.nouns import SCHEMA, Previous
from console.runs import oldest_first
from engine.errors import PermanentError
from engine.files.whole import write_whole
from engine.text.jsontext import Malformed, read_file

DOCUMENT = "evidence.json"
LAST = "evidence.last.json"
SHOWN = 10
"""So many runs before it are named beside a run."""
_LONGEST_S = 1e9
LOOKED_AT = 100
"""So many runs back are looked at for them."""
NO_END = "did not end, or is still at it"
UNREADABLE = "what was kept of it cannot be read"


@dataclass(frozen=True)
class Past:
    """One run that was. `word` says how it ended; what is not known is "" or None."""

    run: str
    word: str
    tone: str
    verb: str = ""
    started: str = ""
    seconds: float | None = None
    exit_code: int | None = None
    sentence: str = ""


def keep(folder: Path, document: Mapping[str, object]) -> None:
    """Put the document into the run's folder, whole or not at all. Raises OSError."""
    write_whole(folder / DOCUMENT, json.dumps(document) + "\n")


def kept(state_dir: Path, run: str) -> dict[str, Any]:
    """The document of one run. PermanentError when there is none that can be read."""
    document = _document(state_dir / "runs" / run / DOCUMENT)
    if document is None:
        raise PermanentError(
            f"nothing is kept of run {run}", evidence=(f"looked for: {state_dir / 'runs' / run / DOCUMENT}",),
            hint="only runs that have ended are kept", next_command="invoke dr.history",
        )  # fmt: skip
    return document


def history(state_dir: Path) -> list[Past]:
    """Every run of this house that has a folder, newest first. PermanentError where that cannot be told."""
    return [_past(folder) for folder in reversed(_folders(state_dir))]


def _before(state_dir: Path, run: str) -> list[Path]:
    """Those of the runs that had begun when this one did, the last one first; of one that has no folder, of all."""
    folders = _folders(state_dir)
    return folders[: next((place for place, one in enumerate(folders) if one.name == run), len(folders))][::-1]


def _folders(state_dir: Path) -> list[Path]:
    """Those of all runs, oldest first; none where none was made from here. PermanentError where nobody can tell."""
    runs = state_dir / "runs"
    try:
        return oldest_first(runs)
    except OSError as error:
        told = f"what is kept of the runs of this house cannot be read: {error.strerror}"
        hint = "see what lies there, and whose it is: it should be a folder"
        raise PermanentError(told, evidence=(str(runs),), hint=hint) from error


def documents(state_dir: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each run that ended and its document, oldest first; what cannot be read is passed over, and `history` tells of it.
    PermanentError as of `history`."""
    for folder in _folders(state_dir):
        document = _document(folder / DOCUMENT)
        if document is not None:
            yield folder.name, document


def before(state_dir: Path, run: str, verb: str) -> tuple[dict[str, object], ...]:
    """The last runs of this verb before this one that have ended, newest first, as an evidence document names them; none where
    nobody can tell: a report is not lost by it."""
    alike: list[Past] = []
    with suppress(PermanentError):
        alike = [one for one in map(_past, _before(state_dir, run)[:LOOKED_AT]) if one.verb == verb]
    return tuple({key: asdict(one)[key] for key in ("run", "started", "word", "tone", "seconds")} for one in alike[:SHOWN])


def _past(folder: Path) -> Past:
    path = folder / DOCUMENT
    document = _document(path)
    if document is None:
        return Past(folder.name, UNREADABLE if path.exists() else NO_END, "mixed")
    verdict = document["verdict"]
    return Past(
        folder.name, str(verdict["word"]), str(verdict["tone"]), str(document["verb"]), str(document["started"]),
        float(document["seconds"]), int(verdict["exit_code"]), str(verdict["sentence"]),
    )  # fmt: skip


def _document(path: Path) -> dict[str, Any] | None:
    """None for what is not there, or no document of this schema."""
    try:
        return read_file(path, _fitting)
    except (OSError, Malformed):
        return None


def _fitting(document: dict[str, Any]) -> dict[str, Any] | None:
    verdict = document["verdict"]
    whole = document["schema"] == SCHEMA and isinstance(document["verb"], str) and isinstance(document["started"], str)
    numbers = 0 <= as_number(document["seconds"]) < _LONGEST_S and 0 <= as_number(verdict["exit_code"]) < 256
    fits = whole and numbers and isinstance(verdict["word"], str) and isinstance(verdict["tone"], str)
    return document if fits and isinstance(verdict["sentence"], str) else None


def as_number(value: object) -> int | float:
    """A number out of a document; TypeError for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("no number")
    return value


def last_signed(state_dir: Path) -> Previous | None:
    """Which evidence was signed last; None where none was, or nobody knows."""
    try:
        return read_file(state_dir / LAST, lambda found: Previous(str(found["run"]), str(found["sums"])))
    except (OSError, Malformed):
        return None


def signed(state_dir: Path, run: str, sums: str) -> None:
    """Remember that this evidence was signed last. Raises OSError."""
    write_whole(state_dir / LAST, json.dumps({"run": run, "sums": sums}) + "\n")
