"""Single values as Proxmox writes them: numbers, texts, property strings, tags. Knows no option's meaning."""

from __future__ import annotations

import math
import re

from house.files.grammar import number_of


def number(value: object) -> int:
    """An integer that PVE writes as number or as text (memory is text, nextid was both); 0 for what is absent or neither."""
    if isinstance(value, float) and not math.isfinite(value):
        return 0
    if isinstance(value, bool | int | float):
        return int(value)
    digits = value.removeprefix("-") if isinstance(value, str) else ""
    found = number_of(digits) or 0
    return found if digits == value else -found


def text(value: object) -> str:
    """A value as text, "" for what is absent."""
    return "" if value is None else str(value)


def properties(value: str, default_key: str) -> dict[str, str]:
    """A property string as a dictionary; a first part without `=` belongs to `default_key`."""
    found: dict[str, str] = {}
    for part in value.split(","):
        key, equals, rest = part.partition("=")
        found[key if equals else default_key] = rest if equals else key
    return found


def tags(value: object) -> tuple[str, ...]:
    """PVE joins tags with `;`, and took `,` and spaces too."""
    return tuple(tag for tag in re.split(r"[;,\s]+", text(value)) if tag)
