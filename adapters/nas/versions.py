"""Which path of the API is asked: chosen from what the server itself lists. Knows no method.

A path of 25.04 on a newer server is broken for half of the API (that version had no models to convert to), so it is never taken
there; paths of 25.10 on 26 are converted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

Release = tuple[int, int]
KNOWN: tuple[Release, ...] = ((25, 4), (25, 10), (26, 0))
FIRST = KNOWN[0]
CURRENT = "/api/current"
_ENTRY = re.compile(r"v([0-9]{2,4})\.([0-9]{1,3})\.([0-9]{1,4})")
_VERSION = re.compile(r"([0-9]{2,4})\.([0-9]{1,3})(?:\.|-|$)")


def chosen(entries: Iterable[str]) -> tuple[str, Release | None]:
    """(path, its release) for what /api/versions lists; (/api/current, None) where the server's version must be asked first."""
    listed = sorted((int(found[1]), int(found[2]), int(found[3]), one) for one in entries if (found := _ENTRY.fullmatch(one)))
    if not listed:
        return CURRENT, None
    own = listed[-1][:2]
    fit = [one for one in listed if one[:2] in KNOWN and (one[:2] != FIRST or own == FIRST)]
    if not fit:
        return CURRENT, None
    year, month, _, entry = fit[-1]
    return f"/api/{entry}", (year, month)


def release_of(version: str) -> Release | None:
    """`25.10.6` or `TrueNAS-25.10.6` → (25, 10); None for what is no version."""
    found = _VERSION.search(version)
    return (int(found[1]), int(found[2])) if found else None
