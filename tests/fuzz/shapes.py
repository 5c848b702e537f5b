"""Each value of a valid document, one after another, as each other type that JSON has: what a reader of answers must survive."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.fuzz.mutations import Steps, places


def _deep(levels: int) -> Any:
    value: Any = "deep"
    for level in range(levels):
        value = [value] if level % 2 else {"deep": value}
    return value


OTHERS: tuple[Any, ...] = (None, True, -7, 1.5, "odd", "", [], ["odd"], [[None]], {}, {"odd": {"odd": None}}, _deep(1000))


def others(document: Any) -> Iterator[Steps]:
    """Where it was changed, the document being so until the next is asked for; each place is as it was again behind that. A list
    of whole documents is changed within them, too."""
    for where in places(document):
        inner = document
        for step in where[:-1]:
            inner = inner[step]
        was = inner[where[-1]]
        for other in OTHERS:
            inner[where[-1]] = other
            yield where
        if isinstance(inner, dict):
            del inner[where[-1]]
            yield (*where, "gone")
        inner[where[-1]] = was


def sweep(document: Any, read: Callable[[], object], allowed: tuple[type[Exception], ...], every: int = 1) -> int:
    """Read it so changed; answers how often that was, AssertionError names the place of a bug. `every`: each so many-th of them."""
    tried = 0
    for number, where in enumerate(others(document)):
        if number % every:
            continue
        tried += 1
        try:
            read()
        except allowed:
            continue
        except Exception as bug:
            raise AssertionError(f"at {where}: {type(bug).__name__}: {bug}") from bug
    return tried
