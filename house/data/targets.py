"""`targetPath` of a values reference: a value put at a path, as `helm --set` reads both. Refuses what is not of a plain form."""

from __future__ import annotations

import re
from typing import Any

_STEP = re.compile(r"((?:\\.|[^.\[\]=,{}\\])+)((?:\[[0-9]{1,4}\])*)(?:\.|$)")
_INDEX = re.compile(r"\[([0-9]+)\]")
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_WORDS = {"true": True, "false": False, "null": None}
_SYNTAX = frozenset(",{}[]=\\\n")
_MOST_INDEX = 1000


class NoTarget(Exception):
    """A path or a value of a form that is not read here."""


def put(values: dict[str, Any], path: str, text: str, *, literal: bool) -> dict[str, Any]:
    """A copy of `values` with what `text` says at `path`. Raises NoTarget. With `literal` the text is taken as it is."""
    made = _set(values, _steps(path), text if literal else _value(text))
    assert isinstance(made, dict)  # a path begins with a name
    return made


def _steps(path: str) -> list[str | int]:
    steps: list[str | int] = []
    at = 0
    while at < len(path):
        found = _STEP.match(path, at)
        if found is None:
            raise NoTarget
        steps.append(re.sub(r"\\(.)", r"\1", found[1]))
        steps += [int(index) for index in _INDEX.findall(found[2])]
        at = found.end()
    if not steps or path.endswith("."):
        raise NoTarget
    return steps


def _value(text: str) -> Any:
    """A value as `--set` types it; in quotes it is text."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        text = text.strip("'\"")
        quoted = True
    else:
        quoted = False
    if _SYNTAX & set(text):
        raise NoTarget
    if quoted:
        return text
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if _WHOLE.fullmatch(text) else text


def _set(values: Any, steps: list[str | int], value: Any) -> Any:
    if not steps:
        return value
    first, rest = steps[0], steps[1:]
    if isinstance(first, int):
        if first > _MOST_INDEX:
            raise NoTarget
        rows = list(values) if isinstance(values, list) else []
        rows += [None] * (first + 1 - len(rows))
        rows[first] = _set(rows[first], rest, value)
        return rows
    inner = dict(values) if isinstance(values, dict) else {}
    inner[first] = _set(inner.get(first), rest, value)
    return inner
