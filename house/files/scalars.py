"""Texts as YAML has them in a file that is written here: what was a text is one again for whoever reads it. Knows no key."""

from __future__ import annotations

import json
import re

# What begins with a digit may be a number or a date, but for what has a slash in it.
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9._/-]*|[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9._/-]*")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
"""Those that YAML 1.1 or 1.2 reads as something else."""


_UNREAD = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""What YAML reads as an end of a line, or not at all, unless it is written by its number."""
_HALF = re.compile("[\ud800-\udfff]")
"""Half a sign: no file can hold it."""


def in_quotes(value: str) -> str:
    """A text in quotes, whatever it holds: what JSON writes, YAML reads, but for a few signs."""
    told = json.dumps(_HALF.sub("\N{REPLACEMENT CHARACTER}", value), ensure_ascii=False)
    return _UNREAD.sub(lambda sign: f"\\u{ord(sign[0]):04x}", told)


def plain(value: str) -> str:
    """The same without quotes where it needs none, also as a key."""
    return value if _PLAIN.fullmatch(value) and value.lower() not in _WORDS else in_quotes(value)
