"""A secret value that cannot slip into text, and the register that redacts what was ever made one. Knows no store.

Every Secret registers itself with the encodings it may turn up in; `redact` runs wherever text enters the journal, an event,
a log or a report. Values shorter than four characters are not searched for: they would blot out ordinary words.
"""

from __future__ import annotations

import base64
import binascii
import bisect
import hashlib
import hmac
import os
import re
import threading
from collections.abc import Iterable, Iterator
from typing import NoReturn

from engine.text.spellings import ESCAPES, LEFT_OUT, compact, encodings, raw
from engine.text.words import number

MASK = "•••"
LONGEST_LINE = 2000
"""Characters of one line of what a person is told."""

_GRAM = 6  # characters of a piece that is looked up
_STRIDE = 3  # text is looked at every so many characters; a needle of _GRAM + _STRIDE - 1 characters cannot be missed
_LONG = _GRAM + _STRIDE - 1
_HASH_KEY = os.urandom(16)

_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_AGE_KEY = re.compile(r"AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]+")
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*")
# `git@` is how every forge spells "by SSH key"; it is no secret.
_USERINFO = re.compile(r"(?<=://)(?!git@)(?:[^/\s\"'<>]+|[^/\s\"'<>:@]+:[^\s\"'<>@]+)(?=@)")
_HEADER = re.compile(r"(?i)(?<=authorization: )(?:basic|bearer|negotiate|token) +[^\s\"',;]+|(?<=\bbearer )[A-Za-z0-9._~+/=-]{12,}")
_BASE64_PEM = re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/]+={0,2}")
_BETWEEN = "\uf8ff\n"  # a character for private use, at a line's end
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # and what turns a line round


class Secret:
    """One secret text. Not a str; shows as `•••` everywhere; only adapters and the lab may `reveal()` it."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value
        register.add(value)

    def reveal(self) -> str:
        """The text itself, to be handed to what needs it and to nothing else."""
        return self.__value

    def __repr__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(raw(self.__value), raw(other.reveal()))

    def __hash__(self) -> int:
        digest = hashlib.blake2b(raw(self.__value), key=_HASH_KEY, digest_size=8).digest()
        return int.from_bytes(digest, "big")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret is never pickled")


class Needles:
    """Texts to be found in another. One of at least _LONG characters is found by its first pieces of _GRAM characters in a hash
    table, so that the cost of a big text does not grow with their number; the few shorter ones are searched one by one."""

    def __init__(self) -> None:
        self._pieces: dict[str, tuple[tuple[str, int], ...]] = {}
        self._short: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self._pieces or self._short)

    def add(self, needle: str) -> None:
        """Find this one too."""
        if len(needle) < _LONG:
            self._short = (*self._short, needle)
            return
        for offset in range(_STRIDE):
            piece = needle[offset : offset + _GRAM]
            self._pieces[piece] = (*self._pieces.get(piece, ()), (needle, offset))

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where they are, begin and end."""
        pieces = self._pieces
        if pieces:
            for at in [i for i in range(0, len(text) - _GRAM + 1, _STRIDE) if text[i : i + _GRAM] in pieces]:
                for needle, offset in pieces[text[at : at + _GRAM]]:
                    start = at - offset
                    if start >= 0 and text.startswith(needle, start):
                        yield start, start + len(needle)
        for needle in self._short:
            at = text.find(needle)
            while at >= 0:
                yield at, at + len(needle)
                at = text.find(needle, at + 1)


class Redactor:
    """All secrets that were ever made, in all their spellings, and the search for them. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: set[str] = set()
        self._plain = Needles()
        self._compact = Needles()

    def add(self, value: str) -> None:
        """Redact this value from now on, in every spelling it may turn up in."""
        with self._lock:
            if value in self._known:
                return
            for needle in encodings(value):
                if needle not in self._known:
                    self._known.add(needle)
                    self._plain.add(needle)
                    dense = compact(needle)
                    if len(dense) >= _LONG:  # a short one may stand across two words by chance
                        self._compact.add(dense)

    def redact(self, text: str) -> str:
        """The text with every known secret, private key, token and URL userinfo replaced by `•••`."""
        spans = sorted((*self._plain.spans(text), *self._folded(text), *_by_pattern(text)))
        return _cut(text, spans) if spans else text

    def _folded(self, text: str) -> Iterator[tuple[int, int]]:
        """What is whole only without the line breaks, blanks, controls and colours in it."""
        if not self._compact:
            return
        gaps = [(found.start(), found.end()) for found in LEFT_OUT.finditer(text)]
        if not gaps:
            return
        starts, offsets, dense, done = [0], [0], [], 0
        for begin, end in gaps:
            dense.append(text[done:begin])
            starts.append(starts[-1] + begin - done)
            offsets.append(end)
            done = end
        dense.append(text[done:])

        def place(at: int) -> int:
            part = bisect.bisect_right(starts, at) - 1
            return offsets[part] + at - starts[part]

        for begin, end in self._compact.spans("".join(dense)):
            yield place(begin), place(end - 1) + 1


def _by_pattern(text: str) -> Iterator[tuple[int, int]]:
    """Private keys, tokens and userinfo, known or not; looked for before anything is masked, for a mask would hide them."""
    patterns = (
        (_PRIVATE_KEY, "-----BEGIN"), (_AGE_KEY, "AGE-SECRET-KEY-"), (_JWT, "eyJ"), (_USERINFO, "://"),
    )  # fmt: skip
    for pattern, hint in patterns:
        if hint in text:
            yield from (found.span() for found in pattern.finditer(text))
    if "earer " in text or "uthorization" in text or "AUTHORIZATION" in text:
        yield from (found.span() for found in _HEADER.finditer(text))
    if "LS0tLS1CRUdJTi" in text:
        yield from (found.span() for found in _BASE64_PEM.finditer(text) if _is_private(found.group()))


def _is_private(encoded: str) -> bool:
    head = encoded[:88].rstrip("=")
    try:
        return b"PRIVATE KEY" in base64.b64decode(head[: len(head) // 4 * 4])
    except binascii.Error:
        return False


def _cut(text: str, spans: list[tuple[int, int]]) -> str:
    """Replace the spans (sorted, maybe overlapping or touching) by one mask each."""
    out: list[str] = []
    done = 0
    start, end = spans[0]
    for next_start, next_end in spans[1:]:
        if next_start <= end:
            end = max(end, next_end)
            continue
        out += (text[done:start], MASK)
        done, start, end = end, next_start, next_end
    out += (text[done:start], MASK, text[end:])
    return "".join(out)


register = Redactor()
"""The one register of this process."""


def redact(text: str) -> str:
    """The text without anything that was ever made a Secret in this process."""
    return register.redact(text)


def told(text: str) -> str:
    """The text as a person is told it: redacted, without terminal escapes and control characters, its lines of bounded length."""
    if text.isprintable():  # most are, and the empty one is: there is nothing to take out but secrets
        clean = redact(text) if text else text
    else:
        clean = _CONTROLS.sub("", ESCAPES.sub("", redact(text.replace("\r\n", "\n")).replace("\r", "\n")))
    return "\n".join(map(_bounded, clean.split("\n"))) if len(clean) > LONGEST_LINE else clean


def _bounded(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}… ({number(len(line), 'character')})"


def all_told(texts: Iterable[str]) -> tuple[str, ...]:
    """Several lines as a person is told them. They are redacted as one text: a key that came line by line goes whole."""
    lines = tuple(texts)
    return tuple(told(_BETWEEN.join(lines)).split(_BETWEEN)) if lines else ()
