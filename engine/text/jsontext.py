"""JSON that somebody else wrote, or an earlier process of ours: read here alone, so that no reader can forget a way in which it
may be wrong (no JSON, half a character, numbers beyond all bounds, a shape of its own, nested beyond what Python's stack holds)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, overload

from engine.files.content import NO_FILE, content_of

T = TypeVar("T")

DEEPEST = 100
"""How many levels a text of ours may have: what walks it goes down with it, two frames of Python a level and more."""
LARGEST = 64 * 2**20
"""Bytes beyond which a file is not read: nothing that we write is a hundredth of it."""

_WRONG = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What reading a text, and making something of its values, raises where they are not as they should be."""
_VALUES = (dict, list, str, int, float, NoneType)
_DEEP = "nested too deep"
_NAME = re.compile(r"[A-Za-z_][\w.-]{0,60}")


class Malformed(ValueError):
    """What was read is not what it should be. Its words name what is wrong, and quote no value: it may be a secret."""


@overload
def read(text: str | bytes | bytearray, *, ours: bool = False) -> Any: ...
@overload
def read(text: str | bytes | bytearray, made: Callable[[Any], T], *, ours: bool = False) -> T: ...
def read(text: str | bytes | bytearray, made: Callable[[Any], Any] | None = None, *, ours: bool = False) -> Any:
    """What `made` makes of the text's value (None: the value itself). Raises Malformed, for what goes wrong in `made` as well; but
    an attribute that something of ours does not have is a bug of ours, and goes through.

    `ours` is for what this tool wrote: no key twice, no number that is none (NaN, infinite), at most DEEPEST levels. Others' texts
    may have what their writers leave in them: a duplicate key must not cost the answer of a NAS.
    """
    try:
        value = _strictly(text) if ours else json.loads(text)
    except Malformed:
        raise
    except _WRONG as error:
        raise _no_json(error) from None  # its words may show the text
    with shaped(value):
        return value if made is None else made(value)


@contextmanager
def shaped(value: Any) -> Iterator[None]:
    """For what makes something of a value that a library has read for us: raises Malformed as `read` does of `made`."""
    try:
        yield
    except Malformed:
        raise
    except _WRONG as error:
        if isinstance(error, AttributeError) and not isinstance(error.obj, _VALUES):
            raise
        raise Malformed(_wrong_in(value, error)) from error


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
        raise _no_json(error) from None


def read_file(path: Path, made: Callable[[Any], T], *, ours: bool = True) -> T:
    """What `made` makes of a file. Raises as `read`, and OSError where it cannot be read."""
    try:
        content = content_of(path, LARGEST)
    except OSError as error:
        if error.errno in NO_FILE:
            raise Malformed(str(error.strerror)) from None
        raise
    return read(content, made, ours=ours)


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


def _no_json(error: Exception) -> Malformed:
    if isinstance(error, json.JSONDecodeError):
        return Malformed(f"it is no JSON: {error}")
    if isinstance(error, UnicodeDecodeError):
        return Malformed(f"it is no text: byte {error.start} is no UTF-8")
    return Malformed(f"it is no JSON that can be read: {_DEEP if isinstance(error, RecursionError) else 'a number is too long'}")


def _wrong_in(value: Any, error: Exception) -> str:
    """What is wrong, by the error that making something of the value has raised; what we asked for is named, no value is quoted."""
    if isinstance(error, RecursionError):
        return f"it is {_DEEP}"
    if isinstance(error, KeyError):
        asked = str(error.args[0]) if error.args else ""
        ours = _NAME.fullmatch(asked) and not _quotes(asked, value)
        return f"it has no {asked}" if ours else "it has a word that nobody here knows"
    if isinstance(error, LookupError):
        return "a list in it is too short"
    words = "" if isinstance(error, ValueError) or _quotes(str(error), value) else f": {error}"[:100]
    return f"a part of it is not what it should be ({type(error).__name__}{words})"


def _quotes(words: str, value: Any) -> bool:
    """Whether they hold what a text among the values says; of very short ones nobody could tell."""
    return any(one == words or (len(one) > 3 and one in words) for one in _texts(value))


def _texts(value: Any) -> Iterator[str]:
    """Every text among the values, however deep."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict | list):
            left += one.values() if isinstance(one, dict) else one


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
