"""The negative controls: what a drill plants into itself, and by which words it must come out. Knows no port.

A drill whose control is not caught has shown nothing: whatever made it blind may have hidden a real fault as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum

from adapters.drills.results import Damage, Trouble, Twist


class Kind(Enum):
    """What is planted, in the order in which drills take their turns."""

    BYTE_FLIPPED = "byte-flipped"
    WRONG_PASSWORD = "wrong-password"  # noqa: S105 - a name
    FILE_GONE = "file-gone"
    EMPTY_REPOSITORY = "empty-repository"
    OLDER_SNAPSHOT = "older-snapshot"
    WRONG_REPOSITORY = "wrong-repository"
    OWNER_CHANGED = "owner-changed"


DAMAGES: Mapping[Kind, Damage] = {
    Kind.BYTE_FLIPPED: Damage.BYTE_FLIPPED, Kind.FILE_GONE: Damage.FILE_GONE, Kind.OWNER_CHANGED: Damage.OWNER_CHANGED,
}  # fmt: skip
"""Those that are planted into what a good restore has brought."""

TWISTS: Mapping[Kind, Twist] = {
    Kind.WRONG_PASSWORD: Twist.WRONG_PASSWORD, Kind.EMPTY_REPOSITORY: Twist.EMPTY_REPOSITORY,
}  # fmt: skip

TROUBLES: Mapping[Kind, Trouble] = {
    Kind.WRONG_PASSWORD: Trouble.WRONG_PASSWORD,
    Kind.EMPTY_REPOSITORY: Trouble.NO_REPOSITORY,
    Kind.WRONG_REPOSITORY: Trouble.OTHER_REPOSITORY,
}
"""Those that keep the restore from coming to anything, and the name that each must come out by."""

_WORDS = {Kind.BYTE_FLIPPED: r"content", Kind.FILE_GONE: r"missing", Kind.OWNER_CHANGED: r"owner \([^)]*\)"}


def caught(kind: Kind, path: str, differences: tuple[str, ...]) -> bool:
    """Whether a comparison told exactly what was planted: at this path, in these words, and nothing besides.

    An older snapshot has no path: there every difference is one of its own.
    """
    if kind is Kind.OLDER_SNAPSHOT:
        return bool(differences)
    planted = re.compile(f"{_WORDS[kind]}: {re.escape(path)}")
    return bool(differences) and all(planted.fullmatch(told) for told in differences)


def turns(first: Kind) -> tuple[Kind, ...]:
    """All kinds, `first` first: those that cannot be planted are passed over."""
    kinds = tuple(Kind)
    at = kinds.index(first)
    return (*kinds[at:], *kinds[:at])


def following(last: str) -> Kind:
    """The kind whose turn it is after the one of this name; the first where there was none."""
    kinds = tuple(Kind)
    return kinds[(kinds.index(Kind(last)) + 1) % len(kinds)] if last in {kind.value for kind in kinds} else kinds[0]
