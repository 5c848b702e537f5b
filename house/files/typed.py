"""What a field of somebody else's file has to be, and in words what it is instead. Knows no field.

A field that is not written, or null, is nobody's fault; a text with a variable or an expression in it may become anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from house.files.problems import Steps


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
"""Shape by the path of keys, as in `spec.restic.retain`; a name that holds a dot is none of these."""


def go_truth(value: Any) -> bool | None:
    """What go-yaml v3 takes a typed field for, None where it takes it for neither true nor false."""
    if isinstance(value, bool):
        return value
    word = value if isinstance(value, str) else ""
    return True if word in _TRUE else False if word in _FALSE else None


def amiss(body: Mapping[str, Any], fields: Fields) -> Iterator[tuple[Steps, str, str]]:
    """Every field that is something else: where it is, what is wrong and what would be right."""
    for path, shape in fields.items():
        steps = tuple(path.split("."))
        value: Any = body
        for step in steps:
            value = value.get(step) if isinstance(value, dict) else None
        yield from _amiss(steps, value, shape)


def lacking(body: Mapping[str, Any], paths: Iterable[str]) -> Iterator[Steps]:
    """Every field of these that is not written, or null, though what it is a field of is there; `x[].y` is y of each item of x."""
    for path in paths:
        yield from _lacking(body, path.split("."), ())


def _lacking(value: Any, path: list[str], where: Steps) -> Iterator[Steps]:
    if not isinstance(value, dict):
        return
    key, listed, _ = path[0].partition("[")
    inner = value.get(key)
    if len(path) == 1:
        if inner is None:
            yield (*where, key)
    elif not listed:
        yield from _lacking(inner, path[1:], (*where, key))
    else:
        for index, item in enumerate(inner if isinstance(inner, list) else ()):
            yield from _lacking(item, path[1:], (*where, key, index))


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
