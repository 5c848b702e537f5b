"""A secret value that cannot slip into text, and the register that redacts what was ever made one. Knows no store.

Every Secret registers itself with the encodings it may turn up in; `redact` runs wherever text enters the journal, an event,
a log or a report. Values shorter than four characters are not searched for: they would blot out ordinary words.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import threading
from collections.abc import Iterable, Iterator
from typing import NoReturn
from urllib.parse import quote, quote_plus

MASK = "•••"

_SHORTEST = 4
_GRAM = 6  # characters of a piece that is looked up
_STRIDE = 3  # text is looked at every so many characters; a needle of _GRAM + _STRIDE - 1 characters cannot be missed
_LONG = _GRAM + _STRIDE - 1
_HASH_KEY = os.urandom(16)

_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_AGE_KEY = re.compile(r"AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]+")
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*")
_USERINFO = re.compile(r"://(?!git@)[^/\s\"'<>]+@")  # `git@` is how every forge spells "by SSH key"; it is no secret


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
        return hmac.compare_digest(_raw(self.__value), _raw(other.reveal()))

    def __hash__(self) -> int:
        digest = hashlib.blake2b(_raw(self.__value), key=_HASH_KEY, digest_size=8).digest()
        return int.from_bytes(digest, "big")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret is never pickled")


class Redactor:
    """All secrets that were ever made, with their encodings, and the search for them. Safe from any thread.

    A needle of at least _LONG characters is found by its first pieces of _GRAM characters in a hash table, so that the cost
    of a big text does not grow with the number of secrets; the few shorter ones are searched one by one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: set[str] = set()
        self._pieces: dict[str, tuple[tuple[str, int], ...]] = {}
        self._short: tuple[str, ...] = ()

    def add(self, value: str) -> None:
        """Redact this value from now on, in every encoding it may turn up in."""
        with self._lock:
            if value in self._known:
                return
            for needle in encodings(value):
                if needle not in self._known:
                    self._known.add(needle)
                    self._index(needle)

    def _index(self, needle: str) -> None:
        if len(needle) < _LONG:
            self._short = (*self._short, needle)
            return
        for offset in range(_STRIDE):
            piece = needle[offset : offset + _GRAM]
            self._pieces[piece] = (*self._pieces.get(piece, ()), (needle, offset))

    def redact(self, text: str) -> str:
        """The text with every known secret, private key, JWT and URL userinfo replaced by `•••`."""
        spans = sorted(self._spans(text))
        if spans:
            text = _cut(text, spans)
        if "-----BEGIN" in text:
            text = _PRIVATE_KEY.sub(MASK, text)
        if "AGE-SECRET-KEY-" in text:
            text = _AGE_KEY.sub(MASK, text)
        if "eyJ" in text:
            text = _JWT.sub(MASK, text)
        if "://" in text:
            text = _USERINFO.sub(f"://{MASK}@", text)
        return text

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
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


def encodings(value: str) -> frozenset[str]:
    """Every form in which the value is searched for: itself, each of its lines, and those in base64, hex, percent and JSON."""
    forms: set[str] = set()
    for plain in {value, value.strip(), *(line.strip() for line in value.splitlines())}:
        if len(plain) >= _SHORTEST and not plain.startswith(("-----BEGIN ", "-----END ")):
            forms.add(plain)
            forms.update(_escaped(plain))
            forms.update(_base64(_raw(plain)))
    if "\n" in value:
        forms.update(_escaped(value))
        forms.update(_base64(_raw(value)))
    return frozenset(form for form in forms if len(form) >= _SHORTEST)


def _escaped(plain: str) -> Iterable[str]:
    percent = {quote(_raw(plain), safe=""), quote(_raw(plain)), quote_plus(_raw(plain))}
    lower = {re.sub(r"%[0-9A-F]{2}", lambda found: found.group().lower(), form) for form in percent}
    shown = {json.dumps(plain)[1:-1], json.dumps(plain, ensure_ascii=False)[1:-1], repr(plain)[1:-1]}
    return percent | lower | shown | {_raw(plain).hex()}


def _raw(text: str) -> bytes:
    """The bytes of a text that may come out of the environment: what is no UTF-8 there is kept, and never an error here."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _base64(raw: bytes) -> Iterable[str]:
    """The characters that `raw` alone decides, for each of the three places where it may begin inside a longer text."""
    for shift, spoiled in ((0, 0), (1, 2), (2, 3)):
        whole = (len(raw) + shift) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(b"\0" * shift + raw).decode()[spoiled:whole]


register = Redactor()
"""The one register of this process."""


def redact(text: str) -> str:
    """The text without anything that was ever made a Secret in this process."""
    return register.redact(text)
