"""Fills in variables as Flux does, for the independent count: from the innermost expression outwards, without a parser.

Shares nothing with the project's own substitution. An expression without a value and without a default is left as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_INNERMOST = re.compile(r"\$\{(\w+)((?:[^\w{}$])(?:[^{}$]|\$(?!\{))*)?\}")
_KEPT, _OPEN = "\ue000", "\ue001{"
_CASES: dict[str, Callable[[str], str]] = {
    "^^": str.upper, ",,": str.lower, "^": lambda v: v[:1].upper() + v[1:], ",": lambda v: v[:1].lower() + v[1:],
}  # fmt: skip
_SLICE = re.compile(r":\s*(-?\d+)(?::(-?\d+))?")


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with every expression that has a value or a default filled in."""
    text = text.replace("$$", _KEPT)

    def one(found: re.Match[str]) -> str:
        value = _value(values.get(found[1]), found[2] or "")
        return found[0].replace("${", _OPEN, 1) if value is None else value

    while (after := _INNERMOST.sub(one, text)) != text:
        text = after
    return text.replace(_OPEN, "${").replace(_KEPT, "$")


def _value(value: str | None, rest: str) -> str | None:
    if re.match(r":[-=+?]|=", rest):
        return value or rest.lstrip(":")[1:]
    if value is None or not rest:
        return value
    if rest in _CASES:
        return _CASES[rest](value)
    if cut := _SLICE.fullmatch(rest):
        start, length = int(cut[1]), int(cut[2]) if cut[2] else len(value)
        return value[start : length if length < 0 else start + length]
    if swap := re.fullmatch(r"(//?)([^/]+)/(.*)", rest):
        return value.replace(swap[2], swap[3], -1 if swap[1] == "//" else 1)
    if end := re.fullmatch(r"(##?|%%?)(.+)", rest):
        return value.removeprefix(end[2]) if end[1][0] == "#" else value.removesuffix(end[2])
    return None
