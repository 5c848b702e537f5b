"""Fields of the server's answers as values: each reader gives None (or "") for what is not there or is of another form."""

from __future__ import annotations

import html
import math
import re
from typing import Any

_MARKUP = re.compile(r"<[^<>]*>")
_LONGEST = 300
_LARGEST = 10**24
_SANE = 10**11  # seconds: far beyond any date that is meant


def mapping(value: Any) -> dict[str, Any]:
    """The mapping, {} for anything else."""
    return value if isinstance(value, dict) else {}


def rows(value: Any) -> list[dict[str, Any]]:
    """The mappings in a list, [] for anything else."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def text(value: Any) -> str:
    """One line without markup and control characters."""
    if not isinstance(value, str):
        return ""
    plain = html.unescape(_MARKUP.sub(" ", value))
    return " ".join("".join(sign if sign.isprintable() else " " for sign in plain).split())[:_LONGEST]


def name(value: Any) -> str:
    """A name, exactly as it is; "" where it is none."""
    return value if isinstance(value, str) and value.isprintable() and len(value) <= 1024 else ""


def names(value: Any) -> tuple[str, ...]:
    """The names in a list."""
    return tuple(found for one in value if (found := name(one))) if isinstance(value, list) else ()


def truth(value: Any) -> bool | None:
    """True or false, None for anything else: a word or a number is neither."""
    return value if isinstance(value, bool) else None


def number(value: Any) -> int | None:
    """A whole number that is not negative, and no larger than anything is."""
    found = measure(value)
    return int(value) if found is not None and found >= 0 else None


def measure(value: Any) -> float | None:
    """A number, None for what is none or larger than anything is (a yottabyte)."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -_LARGEST < value < _LARGEST:
        return None
    return float(value) if math.isfinite(value) else None


def moment(value: Any) -> float | None:
    """Epoch seconds of `{"$date": milliseconds}`, or of plain seconds."""
    given = value.get("$date") if isinstance(value, dict) else value
    seconds = measure(given)
    if seconds is None:
        return None
    seconds = seconds / 1000 if isinstance(value, dict) else seconds
    return seconds if 0 < seconds < _SANE else None


def parsed(value: Any) -> Any:
    """The `parsed` of a ZFS property."""
    return mapping(value).get("parsed")
