"""What a line of the journal says, and how it is written: `sum json`, the sums chained (chain.py). Knows no file and no lock.

Sequence numbers have no gaps. A last line without its newline was never synced, so the act that would have followed it was
never done: it may be cut. Anything else that does not fit is damage. A journal is outside input: a line whose sum fits and
whose content is not of the right types is damage as well.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

from engine.sealed.chain import Chain, open_old
from engine.text.jsontext import Malformed, read

SCHEMA = 2
_UNCHAINED = 1  # the schema whose lines have a CRC each
_LATEST = 253_402_300_800.0  # the year 10000, in seconds since the epoch: what comes later is no time


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
    """The entry with its free texts redacted. Ids, keys and digests are ours and stay as they are: a resume goes by them."""
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


@dataclass(frozen=True)
class Decoded:
    """A journal's whole lines, how many bytes from the start they take (a torn tail follows), and the chain at their end.

    `unchained`: the first version wrote it, and nothing of it is sealed yet.
    """

    lines: list[Line]
    whole: int
    chain: Chain
    unchained: bool


def encode(line: Line, chain: Chain) -> bytes:
    """One line with its newline, sealed as the chain's next."""
    body = {"seq": line.seq, "run": line.run, "at": round(line.at, 3), "kind": _NAMES[type(line.entry)]}
    body.update({f.name: getattr(line.entry, f.name) for f in fields(line.entry)})
    return chain.seal(json.dumps(body, separators=(",", ":")).encode("ascii"))


def decode(raw: bytes) -> Decoded:
    """All whole lines of a journal. Raises Damage."""
    lines: list[Line] = []
    whole, at = raw.rfind(b"\n") + 1, 0
    old, chain = open_old(raw.partition(b"\n")[0]) is not None, Chain()
    for number, sealed in enumerate(raw[:whole].split(b"\n")[:-1], start=1):
        text = open_old(sealed) if old else chain.open(sealed)
        if text is None and old and number > 1:
            old, chain = False, Chain(raw[:at])
            text = chain.open(sealed)
            if text is not None and not isinstance(_line(text, number).entry, Header):
                text = None
        if text is None:
            raise Damage("the checksum does not fit", number)
        line = _line(text, number)
        if line.seq != len(lines):
            raise Damage(f"sequence {line.seq} where {len(lines)} was due", number)
        _placed(line, number, lines, chained=not old)
        lines.append(line)
        at += len(sealed) + 1
    chain = Chain(raw[:whole]) if old else chain
    _torn(raw[whole:], chain, len(lines))
    return Decoded(lines, whole, chain, old)


def _placed(line: Line, number: int, before: list[Line], *, chained: bool) -> None:
    """A header stands first, and once more where a journal of the first version begins to be sealed."""
    if not isinstance(line.entry, Header):
        if number == 1:
            raise Damage("the header is not the first line", number)
        return
    first = before[0].entry if before else line.entry
    assert isinstance(first, Header)  # made sure at line 1
    sealing = chained and first.schema == _UNCHAINED and not any(isinstance(b.entry, Header) for b in before[1:])
    if number > 1 and not sealing:
        raise Damage("the header stands twice", number)
    if line.entry.lineage != first.lineage:
        raise Damage("the header of another house", number)


def _torn(tail: bytes, chain: Chain, lines: int) -> None:
    """A tail that is a whole line and one character more was synced, and its newline is damaged: nothing of it may be cut."""
    if chain.fits(tail[:-1]) or (tail and open_old(tail[:-1]) is not None):
        raise Damage("its newline is another character", lines + 1)


def _line(text: bytes, number: int) -> Line:

    def made(body: dict[str, Any]) -> Line:
        if number == 1 and _is_int(body.get("schema")) and body["schema"] > SCHEMA:
            raise NewerSchema(body["schema"])
        kind = _KINDS[body.pop("kind")]
        return Line(body.pop("seq"), body.pop("run"), body.pop("at"), kind(**body))

    try:
        line = read(text, made, ours=True)
    except Malformed as error:
        raise Damage(f"the checksum fits, the content does not ({error})", number) from error
    if not _typed(line):
        raise Damage("the checksum fits, the content does not (a value of the wrong type)", number)
    return line


def _typed(line: Line) -> bool:
    entry = line.entry
    types: dict[str, type] = {"str": str, "bool": bool}
    flags_and_texts = all(type(getattr(entry, f.name)) is types[str(f.type)] for f in fields(entry) if str(f.type) in types)
    schema = _is_int(entry.schema) if isinstance(entry, Header) else True
    time = _is_int(line.at) or (type(line.at) is float and math.isfinite(line.at))
    return _is_int(line.seq) and type(line.run) is str and time and abs(line.at) < _LATEST and flags_and_texts and schema


def _is_int(value: Any) -> bool:
    return type(value) is int
