"""What was proven to come back: noted in the journal by the step that compared it, and read from there. Knows no screen."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from enum import Enum

from engine.sealed.entries import Line, Note
from engine.text.jsontext import Malformed, read

PROOF_NOTE = "proof"
"""The key of the note."""


class Kind(Enum):
    """What has restore points."""

    CLAIM = "claim"
    DATABASE = "database"


@dataclass(frozen=True)
class Proof:
    """One restore point that was restored and compared. `point` is its time (RFC 3339), `depth` what was compared, in words.

    `proof` is the digest of the compared list; `files` how many files it held. Of a database `repository_id` is its system
    identifier, `snapshot_id` the base backup, and neither a digest nor files are known.
    """

    kind: Kind
    key: str
    repository_id: str
    snapshot_id: str
    point: str
    depth: str
    proof: str
    files: int

    def note(self) -> str:
        """As a note's value."""
        return json.dumps({**asdict(self), "kind": self.kind.value}, separators=(",", ":"))


@dataclass(frozen=True)
class Proven:
    """A proof of the journal: which run found it, and when (seconds since the epoch). `told` None: it cannot be read."""

    run: str
    at: float
    told: Proof | None


def proof_of(value: str) -> Proof | None:
    """The proof that a note holds; None for what is none, as a newer version's or one that was redacted may be."""
    try:
        found = read(value, lambda body: Proof(**{**body, "kind": Kind(body["kind"])}), ours=True)
    except Malformed:
        return None
    texts = [getattr(found, each.name) for each in fields(found) if each.type == "str"]
    return found if all(type(text) is str for text in texts) and type(found.files) is int else None


def proofs(lines: Iterable[Line]) -> list[Proven]:
    """Every proof in these lines of a journal, oldest first."""
    return [
        Proven(line.run, line.at, proof_of(line.entry.value))
        for line in lines if isinstance(line.entry, Note) and line.entry.step and line.entry.key == PROOF_NOTE
    ]  # fmt: skip


def newest(found: Iterable[Proven], kind: Kind, key: str) -> Proven | None:
    """The proof of this thing's newest restore point; of two proofs of one point the later."""
    of = [one for one in found if one.told is not None and (one.told.kind, one.told.key) == (kind, key)]
    return max(of, key=lambda one: (one.told.point if one.told is not None else "", one.at), default=None)
