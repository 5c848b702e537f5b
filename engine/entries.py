"""What a line of the journal says, and how it is written: `crc json`. Knows no file and no lock.

The checksum covers the JSON text; sequence numbers have no gaps. A last line without its newline was never synced, so the
act that would have followed it was never done: it may be cut. Anything else that does not fit is damage.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, fields, replace

SCHEMA = 1


@dataclass(frozen=True)
class Header:
    """The first line: which house's journal this is, in which schema."""

    lineage: str
    schema: int = SCHEMA


@dataclass(frozen=True)
class Begin:
    """Written and synced before an act."""

    step: str
    inputs: str


@dataclass(frozen=True)
class Note:
    """What a resume needs to know. `step` is "" for what belongs to the run (its start, an approval, a program)."""

    step: str
    key: str
    value: str


@dataclass(frozen=True)
class End:
    """How a step ended. `in_flight`: it failed, and its act may still come true, so its begin stays open."""

    step: str
    outcome: str
    detail: str = ""
    in_flight: bool = False


Entry = Header | Begin | Note | End

_KINDS: dict[str, type[Header] | type[Begin] | type[Note] | type[End]] = {
    "journal": Header,
    "begin": Begin,
    "note": Note,
    "end": End,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


@dataclass(frozen=True)
class Line:
    """An entry with its place: sequence number, the run that wrote it, wall time (information only)."""

    seq: int
    run: str
    at: float
    entry: Entry


class Damage(Exception):
    """Bytes that are no journal; carries a sentence and the line number (from 1). The journal turns it into its own error."""

    def __init__(self, why: str, line: int) -> None:
        super().__init__(why)
        self.why = why
        self.line = line


def redacted(entry: Entry, redact: Callable[[str], str]) -> Entry:
    """The entry with its free texts redacted. Ids and keys are ours and stay as they are: a resume goes by them."""
    match entry:
        case Begin():
            return replace(entry, inputs=redact(entry.inputs))
        case Note():
            return replace(entry, value=redact(entry.value)) if entry.step else entry
        case End():
            return replace(entry, detail=redact(entry.detail))
        case Header():
            return entry


class NewerSchema(Damage):
    """The first line says a schema that this version does not know; the rest was not read."""

    def __init__(self, schema: int) -> None:
        super().__init__(f"schema {schema}", 1)
        self.schema = schema


def encode(line: Line) -> bytes:
    """One line with its newline."""
    body = {"seq": line.seq, "run": line.run, "at": round(line.at, 3), "kind": _NAMES[type(line.entry)]}
    body.update({f.name: getattr(line.entry, f.name) for f in fields(line.entry)})
    text = json.dumps(body, separators=(",", ":")).encode("ascii")
    return b"%08x %s\n" % (zlib.crc32(text), text)


def decode(raw: bytes) -> tuple[list[Line], int]:
    """All whole lines, and how many bytes from the start they take; what follows is a torn tail. Raises Damage."""
    lines: list[Line] = []
    whole = raw.rfind(b"\n") + 1
    for number, text in enumerate(raw[:whole].split(b"\n")[:-1], start=1):
        line = _decode_line(text, number)
        if line.seq != len(lines):
            raise Damage(f"sequence {line.seq} where {len(lines)} was due", number)
        if isinstance(line.entry, Header) != (number == 1):
            raise Damage("the header is not the first line, or stands twice", number)
        lines.append(line)
    return lines, whole


def _decode_line(text: bytes, number: int) -> Line:
    if text[8:9] != b" " or text[:8] != b"%08x" % zlib.crc32(text[9:]):
        raise Damage("the checksum does not fit", number)
    try:
        body = json.loads(text[9:])
        if number == 1 and body.get("schema", 0) > SCHEMA:
            raise NewerSchema(body["schema"])
        kind = _KINDS[body.pop("kind")]
        return Line(int(body.pop("seq")), str(body.pop("run")), float(body.pop("at")), kind(**body))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Damage(f"the checksum fits, the content does not ({type(error).__name__})", number) from error
