"""Each value of each file that a person writes, one after another, in a shape that nobody meant: refused or read, never a bug."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from house.loader import Part
from tests.fuzz.targets import good, read

SHAPES: tuple[Any, ...] = ([["odd"]], {"odd": {"odd": None}})
"""What can be no key and no text: the first hand that puts a value of a file into a set drops it."""


def _places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where a value stands, containers included, the whole excepted."""
    if above:
        yield above
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in below:
        yield from _places(inner, (*above, key))


def _put(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    changed = copy.deepcopy(value)
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = new
    return changed


def sweep(name: str, root: Path, parts: Collection[Part] = tuple(Part), *, in_turn: bool = False) -> int:
    """Read the file so changed, one value at a time. Answers how many that were; AssertionError names the place of a bug.

    `in_turn`: each place in one shape only, the next one in the next.
    """
    whole = good(name)
    tried = 0
    for number, place in enumerate(_places(whole)):
        for shape in (SHAPES[number % len(SHAPES)],) if in_turn else SHAPES:
            tried += 1
            try:
                read(name, _put(whole, place, shape), root, parts)
            except Exception as bug:
                raise AssertionError(f"{name} at {place}") from bug
    return tried
