"""What a field of somebody else's file has to be, and in words what it is instead. Knows no field.

A field that is not written, or null, is nobody's fault; a text with a variable or an expression in it may become anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from house.files.problems import Steps
from house.files.shapes import sequence


def kind_of(value: object) -> str:
    """What a value of the file is, in words (never the value itself)."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list) else "a mapping"


@dataclass(frozen=True)
class Shape:
    """What a value must be: `words` say it as in `not true or false`, `better` what to write; `inside` is what its parts are."""

    words: str
    better: str
    fits: Callable[[Any], bool]
    inside: Shape | None = None


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


TRUTH = Shape("true or false", "write true or false, without quotes", lambda value: isinstance(value, bool))
TEXT = Shape("text", "put it in quotes", lambda value: isinstance(value, str))
WHOLE = Shape("a whole number", "write a number, without quotes", _whole)
MAPPING = Shape("a mapping", "write keys and values", lambda value: isinstance(value, dict))
LIST = Shape("a list", "write a list", lambda value: isinstance(value, list))
TEXTS = Shape("a list", "write a list, as in `[one]`", LIST.fits, TEXT)
MAPPINGS = Shape("a list", "write a list of mappings", LIST.fits, MAPPING)
TEXT_BY_NAME = Shape("a mapping", "write names and texts", MAPPING.fits, TEXT)
# What programs with go-yaml v3 take into typed fields, as helmfile and talhelper do: any scalar for a text, and for true and false
# the words of YAML 1.1 as well.
_TRUE, _FALSE = frozenset({"y", "Y", "yes", "on"}), frozenset({"n", "N", "no", "off"})
GO_TRUTH = Shape(TRUTH.words, TRUTH.better, lambda value: go_truth(value) is not None)
SCALAR = Shape("text", "write it as text", lambda value: not isinstance(value, dict | list))
SCALARS = Shape("a list", TEXTS.better, LIST.fits, SCALAR)
SCALAR_BY_NAME = Shape("a mapping", TEXT_BY_NAME.better, MAPPING.fits, SCALAR)

Fields = Mapping[str, Shape]
"""Shape by the path of keys (see `at`), as in `spec.restic.retain`; a name that holds a dot is none of these."""


def go_truth(value: Any) -> bool | None:
    """What go-yaml v3 takes a typed field for, None where it takes it for neither true nor false."""
    if isinstance(value, bool):
        return value
    word = value if isinstance(value, str) else ""
    return True if word in _TRUE else False if word in _FALSE else None


def at(body: Any, path: str) -> list[tuple[Steps, Any]]:
    """What stands at a path, and where, None where nothing does; `x[].y` is y of each item of x, "" the body itself."""
    first, *lists = _parts(path)
    found: list[tuple[Steps, Any]] = [(first, _down(body, first))]
    for below in lists:
        items = [((*where, index), item) for where, value in found for index, item in enumerate(sequence(value))]
        found = [((*where, *below), _down(item, below)) for where, item in items]
    return found


@cache  # of the few paths of our own tables, each asked for of every object
def _parts(path: str) -> tuple[tuple[str, ...], ...]:
    """The keys before the first list, and those below each."""
    return tuple(tuple(filter(None, part.split("."))) for part in path.split("[]"))


def _down(value: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def amiss(body: Mapping[str, Any], fields: Fields) -> Iterator[tuple[Steps, str, str]]:
    """Every field that is something else: where it is, what is wrong and what would be right."""
    for path, shape in fields.items():
        for where, value in at(body, path):
            yield from _amiss(where, value, shape)


def lacking(body: Mapping[str, Any], paths: Iterable[str]) -> Iterator[Steps]:
    """Every field of these that is not written, or null, though what it is a field of is there."""
    for path in paths:
        above, _, key = path.rpartition(".")
        for where, value in at(body, above):
            if isinstance(value, dict) and value.get(key) is None:
                yield (*where, key)


def _amiss(steps: Steps, value: Any, shape: Shape) -> Iterator[tuple[Steps, str, str]]:
    if value is None or (isinstance(value, str) and ("${" in value or "{{" in value)):
        return
    if not shape.fits(value):
        told = shape.words if shape.words.startswith("none of") else f"{kind_of(value)}, not {shape.words}"
        yield steps, f"is {told}", shape.better
    elif shape.inside is not None:
        parts: Iterator[tuple[str | int, Any]] = iter(value.items() if isinstance(value, dict) else enumerate(value))
        for step, part in parts:
            yield from _amiss((*steps, step), part, shape.inside)
