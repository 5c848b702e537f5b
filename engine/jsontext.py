"""JSON that somebody else wrote, or an earlier process of ours: read here alone, so that no reader can forget a way in which it
may be wrong (no JSON, half a character, numbers beyond all bounds, a shape of its own, nested beyond what Python's stack holds)."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar, overload

T = TypeVar("T")

DEEPEST = 100
"""How many levels a text of ours may have: what walks it goes down with it, two frames of Python a level and more."""
LARGEST = 64 * 2**20
"""Bytes beyond which a file is not read: nothing that we write is a hundredth of it."""

_WRONG = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What reading a text, and making something of its values, raises where they are not as they should be."""


class Malformed(ValueError):
    """What was read is not what it should be. Its words name the error, and may quote a key or a value."""


@overload
def read(text: str | bytes | bytearray, *, ours: bool = False) -> Any: ...
@overload
def read(text: str | bytes | bytearray, made: Callable[[Any], T], *, ours: bool = False) -> T: ...
def read(text: str | bytes | bytearray, made: Callable[[Any], Any] | None = None, *, ours: bool = False) -> Any:
    """What `made` makes of the text's value (None: the value itself). Raises Malformed, for what goes wrong in `made` as well.

    `ours` is for what this tool wrote: no key twice, no number that is none (NaN, infinite), at most DEEPEST levels. Others' texts
    may have what their writers leave in them: a duplicate key must not cost the answer of a NAS.
    """
    try:
        value = _strictly(text) if ours else json.loads(text)
        return value if made is None else made(value)
    except Malformed:
        raise
    except _WRONG as error:
        raise _told(error) from error


def read_sequence(text: str) -> list[Any]:
    """The values of a text that has several, one after another. Raises Malformed, also where the last is cut off."""

    def each() -> Iterator[Any]:
        at, end = 0, len(text.rstrip())
        while at < end:
            value, at = _ONE.raw_decode(text, _BLANK.match(text, at).end())  # type: ignore[union-attr]  # it matches nothing, too
            yield value

    try:
        return list(each())
    except _WRONG as error:
        raise _told(error) from error


def read_file(path: Path, made: Callable[[Any], T], *, ours: bool = True) -> T:
    """What `made` makes of a file. Raises as `read`, and OSError where it cannot be read."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise Malformed("it is no regular file")
    if found.st_size > LARGEST:
        raise Malformed(f"it has more than {LARGEST // 2**20} MiB")
    return read(path.read_bytes(), made, ours=ours)


def an_object(value: Any) -> dict[str, Any]:
    """The value, where it is an object; TypeError for any other. For `read`."""
    if not isinstance(value, dict):
        raise TypeError("no object")
    return value


def a_list(value: Any) -> list[Any]:
    """The value, where it is a list; TypeError for any other. For `read`."""
    if not isinstance(value, list):
        raise TypeError("no list")
    return value


def _told(error: Exception) -> Malformed:
    return Malformed(f"{type(error).__name__}: {error}"[:200])


def _strictly(given: str | bytes | bytearray) -> Any:
    text = given if isinstance(given, str) else given.decode()
    value = _STRICT.decode(text)
    if text.count("[") + text.count("{") > DEEPEST:
        _not_deeper(value)
    return value


def _not_deeper(value: Any) -> None:
    """Level by level, for a walk that goes down by calls would need the stack that this spares."""
    level = [value]
    for _ in range(DEEPEST + 1):
        below = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        if not below:
            return
        level = [one for some in below for one in some]
    raise Malformed(f"it is nested more than {DEEPEST} levels deep")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Malformed("it has a key twice")
    return made


def _number(text: str) -> float:
    if abs(number := float(text)) == float("inf"):
        raise Malformed("it has a number that is too large")
    return number


def _no_number(text: str) -> float:
    raise Malformed(f"it has {text} for a number")


_STRICT = json.JSONDecoder(object_pairs_hook=_once, parse_float=_number, parse_constant=_no_number)
_ONE = json.JSONDecoder()
_BLANK = re.compile(r"\s*")
