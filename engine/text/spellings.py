"""The spellings in which a secret may turn up in text: JSON (Python's and Go's), base64, hex, percent, shell, YAML, HTML.

Knows no register. `compact` is what is left of a text without white space, control characters and terminal escapes: what was folded
over lines, wrapped at a width or cut by a colour is whole again there.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

SHORTEST = 4

_ESCAPE = r"\x1b\[[0-9;:?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[PX^_][^\x1b]*(?:\x1b\\)?|\x1b[ -/]*[0-~]"
ESCAPES = re.compile(_ESCAPE)
"""Terminal escapes: CSI, OSC, the strings of DCS and its like, and the short ones."""
LEFT_OUT = re.compile(rf"(?:{_ESCAPE}|[\x00-\x20\x7f-\x9f\u2028\u2029])+")
"""Runs of what `compact` leaves out."""


def compact(text: str) -> str:
    """The text without white space, control characters and terminal escapes."""
    return LEFT_OUT.sub("", text)


def encodings(value: str) -> frozenset[str]:
    """Every form in which the value is searched for: itself, each of its lines, and those as programs write them."""
    forms: set[str] = set()
    for plain in {value, value.strip(), *(line.strip() for line in value.splitlines())}:
        if len(plain) >= SHORTEST and not plain.startswith(("-----BEGIN ", "-----END ")):
            forms.add(plain)
            forms.update(_escaped(plain))
            forms.update(_base64(raw(plain)))
    if "\n" in value:
        forms.update(_escaped(value))
        forms.update(_base64(raw(value)))
    return frozenset(form for form in forms if len(form) >= SHORTEST)


def raw(text: str) -> bytes:
    """The bytes of a text that may come out of the environment: what is no UTF-8 there is kept, and never an error here."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _escaped(plain: str) -> Iterable[str]:
    # What Python's quote leaves as it is, Go's two escapers, and a browser's encodeURIComponent.
    percent = {quote(raw(plain), safe=safe) for safe in ("", "/", "$&+=:@", "$&+,/:;=@", "!'()*")} | {quote_plus(raw(plain))}
    lower = {re.sub(r"%[0-9A-F]{2}", lambda found: found.group().lower(), form) for form in percent}
    hexadecimal = raw(plain).hex()
    once = set(_json(plain))
    twice = {again for form in once for again in _json(form)}
    return percent | lower | once | twice | set(_quoted(plain)) | {hexadecimal, hexadecimal.upper(), repr(plain)[1:-1]}


def _json(plain: str) -> Iterator[str]:
    """As Python and as Go write it into JSON: Go writes <, > and & as numbers (and both may escape a quote or not)."""
    for form in (json.dumps(plain)[1:-1], json.dumps(plain, ensure_ascii=False)[1:-1]):
        yield form
        go = form.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
        yield go
        yield go.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _quoted(plain: str) -> Iterator[str]:
    """Inside the quotes of a shell, of YAML, and of HTML or XML."""
    yield plain.replace("'", "'\"'\"'")
    yield plain.replace("'", "'\\''")
    yield re.sub(r'(["$`\\])', r"\\\1", plain)
    yield re.sub(r"([^A-Za-z0-9_@%+=:,./-])", r"\\\1", plain)
    yield plain.replace("'", "''")
    for marks in (True, False):
        yield html.escape(plain, quote=marks)
    yield html.escape(plain, quote=False).replace('"', "&#34;").replace("'", "&#39;")
    yield html.escape(plain, quote=False).replace('"', "&quot;").replace("'", "&apos;")


def _base64(octets: bytes) -> Iterator[str]:
    """The characters that `octets` alone decide, for each of the three places where they may begin inside a longer text."""
    for shift, spoiled in ((0, 0), (1, 2), (2, 3)):
        whole = (len(octets) + shift) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(b"\0" * shift + octets).decode()[spoiled:whole]
