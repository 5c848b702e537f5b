"""The project's one way to read YAML: plain values together with the line of every key. Knows no meaning of any key.

Values follow YAML 1.2's core schema (`yes` and `on` are text); keys are always text. Values reached through an alias are
shared, so treat what comes back as read-only.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from engine.errors import PermanentError
from engine.files.content import text_of
from house.files.plain import Plain, plain_scalar
from house.files.problems import Problem, Steps, dotted

try:
    # libyaml reads a whole house in a twentieth of the time; without it the pure parser gives the same events.
    from ruamel.yaml.cyaml import CBaseLoader
except ImportError:
    CBaseLoader = None  # type: ignore[assignment,misc]  # the name is tested where it is used

_DEEPEST = 200
_MOST_VALUES = 250_000
"""How many values a document may stand for with its aliases written out: readers walk them all."""
_MOST_IN_ALL = 1_000_000
_MOST_DOCUMENTS = 20_000
_MOST_KEYS = 10_000
"""How many keys one mapping may have: nothing that a person or Kubernetes keeps has more (an object has 1.5 MiB at most)."""
_LARGEST = 6 * 2**20
"""Bytes. One that is full of values takes some seconds, and every verb reads it more than once."""
_UNREAD = {
    errno.EINVAL: "name a regular file: a device or a pipe may never end", errno.EFBIG: "name a file that a person wrote",
}  # fmt: skip
"""What would be right, by the error of what can never be read whole; what is wrong the error's own words say."""
_LARGEST_CAREFUL = 2**16
"""Characters beyond which the pure parser, a hundred times slower than libyaml, is not asked for a second opinion."""
_LATE_TAB = re.compile(r"(?<=\S)[ \t]*\t[ \t]*(?=#|$)", re.MULTILINE)
_ALIAS_KEY = re.compile(r"^(\s*(?:- )*\*[\w-]+):(?=\s|$)", re.MULTILINE)
_HALF = re.compile("[\ud800-\udfff]")
_HALF_TOLD = ("holds half a character (a lone surrogate)", "write the character itself")
class YamlInvalid(PermanentError):
    """A text that is not YAML, told as one problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class Spot(NamedTuple):
    """Where a value is: line and column from 1 (of its key, where it has one), the text of a scalar as written, and the spots
    below it."""

    line: int
    text: str
    below: Mapping[str | int, Spot]
    column: int = 1


class Duplicate(NamedTuple):
    """A key that a mapping has twice: the later value counts, which is hardly what was meant."""

    path: Steps
    line: int
    first_line: int


@dataclass(frozen=True)
class Document:
    """One YAML document: its plain value, and where everything in it stands."""

    name: str
    value: Any
    spot: Spot
    duplicates: tuple[Duplicate, ...] = field(default=())

    def line(self, path: Steps) -> int:
        """The line of what is at `path`, or of the nearest thing above it that exists."""
        spot = self.spot
        for step in path:
            inner = spot.below.get(step)
            if inner is None:
                break
            spot = inner
        return spot.line

    def spots(self) -> Iterator[tuple[Steps, Spot]]:
        """Everything that the document holds, with its path, those above first; what an alias stands for is walked each time."""
        waiting: list[tuple[Steps, Spot]] = [((), self.spot)]
        while waiting:
            path, spot = waiting.pop()
            yield path, spot
            waiting += [((*path, step), inner) for step, inner in spot.below.items()]

    def text(self, path: Steps) -> str:
        """The scalar at `path` as it was written (`1.10`, not 1.1); "" when there is none."""
        spot = self.spot
        for step in path:
            inner = spot.below.get(step)
            if inner is None:
                return ""
            spot = inner
        return spot.text


def load(path: Path, name: str = "") -> tuple[Document, ...]:
    """All documents of a file. `name` is what messages call it. Raises YamlInvalid, also when the file cannot be read."""
    name = name or str(path)
    try:
        text = text_of(path, _LARGEST)
    except FileNotFoundError:
        raise YamlInvalid(Problem(name, 0, "", "is not there", "create it, or correct the path")) from None
    except UnicodeDecodeError:
        raise YamlInvalid(Problem(name, 0, "", "is not UTF-8 text", "save it as UTF-8")) from None
    except (OSError, RuntimeError, ValueError) as error:  # a link that leads to itself, a null byte in the name
        if isinstance(error, OSError) and error.errno in _UNREAD:
            raise YamlInvalid(Problem(name, 0, "", (error.strerror or "").removeprefix("it "), _UNREAD[error.errno])) from None
        why = error.strerror if isinstance(error, OSError) else "its links lead in a circle"
        raise YamlInvalid(Problem(name, 0, "", f"cannot be read ({why})", "check its permissions")) from None
    return parse(text, name)


def parse(text: str, name: str = "text", *, quick: bool = True, plain: Plain | None = None) -> tuple[Document, ...]:
    """All documents of a text, empty ones left out; duplicate keys are listed in each. Raises YamlInvalid.

    `quick` False leaves libyaml out, as on a machine that lacks it: what comes back is the same. `plain` says what a scalar
    without quotes means, else it is plain_scalar.
    """
    plain = plain or plain_scalar
    if quick and CBaseLoader is not None:
        # libyaml refuses some valid flow mappings (`{url: https://host}`): what it refuses, the pure parser judges.
        with suppress(YAMLError, UnicodeEncodeError):
            return tuple(_Composer(_quick_events(text), name, plain).documents())
        if len(text) > _LARGEST_CAREFUL:
            return _quickly(text, name, plain)
    try:
        return _carefully(text, name, plain)
    except (YAMLError, YamlInvalid) as error:
        # This parser also refuses tabs before a comment or the end of a line, and takes the colon for a part of an alias that is
        # a key; what reads YAML elsewhere takes both. With blanks there no line moves.
        spaced = _ALIAS_KEY.sub(r"\1 :", _LATE_TAB.sub(" ", text))
        with suppress(YAMLError, YamlInvalid):
            if spaced != text:
                return _carefully(spaced, name, plain)
        raise _told(error, text, name) from None


def _told(error: YAMLError | YamlInvalid, text: str, name: str) -> YamlInvalid:
    if isinstance(error, YamlInvalid):
        return error
    if isinstance(error, MarkedYAMLError):
        return YamlInvalid(_syntax_problem(error, text, name))
    if isinstance(error, ReaderError):
        line = text.count("\n", 0, error.position) + 1
        what = f"holds the control character {ord(text[error.position]):#04x}, which YAML does not allow"
        return YamlInvalid(Problem(name, line, "", what, "take it out"))
    return YamlInvalid(Problem(name, 0, "", "is not YAML", "remove what YAML does not allow"))


def value(text: str, name: str = "text", *, plain: Plain | None = None) -> Any:
    """The plain value of a text with one document (None for none). Raises YamlInvalid, also for a duplicate key."""
    documents = parse(text, name, plain=plain)
    if len(documents) > 1:
        line = documents[1].spot.line
        raise YamlInvalid(Problem(name, line, "", "a second document begins here", "keep one document"))
    for document in documents:
        for problem in duplicate_problems(document):
            raise YamlInvalid(problem)
        return document.value
    return None


def duplicate_problems(document: Document) -> tuple[Problem, ...]:
    """The document's duplicate keys as problems."""
    return tuple(
        Problem(
            document.name,
            d.line,
            dotted(d.path),
            f"this key is already at line {d.first_line}",
            "keep one of the two",
        )
        for d in document.duplicates
    )


def _quickly(text: str, name: str, plain: Plain) -> tuple[Document, ...]:
    """By libyaml alone, and told in its words what it refuses."""
    try:
        return tuple(_Composer(_quick_events(text), name, plain).documents())
    except YAMLError as error:
        raise _told(error, text, name) from None
    except UnicodeEncodeError:
        raise YamlInvalid(Problem(name, 0, "", *_HALF_TOLD)) from None


def _carefully(text: str, name: str, plain: Plain) -> tuple[Document, ...]:
    return tuple(_Composer(YAML(typ="safe", pure=True).parse(text), name, plain).documents())


def _quick_events(text: str) -> Iterator[Event]:
    parser = CBaseLoader(text)
    while parser.check_event():
        yield parser.get_event()


def _syntax_problem(error: MarkedYAMLError, text: str, name: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark is not None else 0
    seen = next(islice(StringIO(text), line - 1, None), "") if line else ""
    if "\t" in seen[: len(seen) - len(seen.lstrip())] or "'\\t'" in str(error.problem):
        return Problem(name, line, "", "a tab is used for indentation", "indent with spaces")
    what = str(error.problem or error.context or "bad syntax").strip()
    return Problem(name, line, "", f"is not YAML: {what}", "check quotes, colons and indentation here and just above")


class _Composer:
    """Builds values and spots out of parser events, in one pass."""

    def __init__(self, events: Iterator[Event], name: str, plain: Plain) -> None:
        self._plain = plain
        self._next = events.__next__
        self._events = events
        self._name = name
        self._anchors: dict[str, tuple[Any, Spot] | None] = {}
        self._weights: dict[str, int] = {}
        self._heights: dict[str, int] = {}
        self._deepest = 0
        self._values = self._in_all = self._documents = 0
        self._duplicates: list[Duplicate] = []

    def documents(self) -> Iterator[Document]:
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                self._anchors, self._weights, self._heights, self._values, self._duplicates = {}, {}, {}, 0, []
                self._documents += 1
                if self._documents > _MOST_DOCUMENTS:
                    self._refuse(event.start_mark.line + 1, f"holds more than {_MOST_DOCUMENTS} documents", "make files of it")
                first = self._next()
                value, spot = self._node(first, first.start_mark, ())
                end = self._next()
                if not isinstance(end, DocumentEndEvent):
                    raise YamlInvalid(Problem(self._name, 0, "", "is not YAML: a document does not end", "check its end"))
                if value is not None:
                    yield Document(self._name, value, spot, tuple(self._duplicates))

    def _refuse(self, line: int, what: str, better: str) -> None:
        raise YamlInvalid(Problem(self._name, line, "", what, better))

    def _count(self, values: int, line: int) -> None:
        self._values += values
        self._in_all += values
        if self._values > _MOST_VALUES:
            what = f"stands for more than {_MOST_VALUES} values once its aliases are written out"
            self._refuse(line, what, "use fewer aliases of aliases, or make files of it")
        if self._in_all > _MOST_IN_ALL:
            self._refuse(line, f"holds more than {_MOST_IN_ALL} values", "make files of it")

    def _reach(self, depth: int, line: int) -> None:
        if depth > _DEEPEST:
            self._refuse(line, "is nested too deeply", f"at most {_DEEPEST} levels are read, aliases written out")
        self._deepest = max(self._deepest, depth)

    def _node(self, event: Event, mark: Any, path: Steps) -> tuple[Any, Spot]:
        """A value; `mark` is where it begins, or its key does."""
        before, line, column = self._values, mark.line + 1, mark.column + 1
        self._count(1, line)
        if isinstance(event, ScalarEvent):
            text: str = event.value
            if _HALF.search(text):
                self._refuse(line, *_HALF_TOLD)
            plain = event.implicit[0] and event.tag is None
            made: tuple[Any, Spot] = (self._plain(text) if plain else text, Spot(line, text, {}, column))
            if event.anchor is not None:
                self._anchors[event.anchor] = made
                self._weights[event.anchor] = self._heights[event.anchor] = 0
            return made
        if isinstance(event, AliasEvent):
            known = self._anchors.get(event.anchor)
            if known is None:
                inside = event.anchor in self._anchors
                what = f"*{event.anchor} holds itself" if inside else f"*{event.anchor} names no anchor"
                better = "write the value out" if inside else f"define &{event.anchor} above"
                raise YamlInvalid(Problem(self._name, event.start_mark.line + 1, "", what, better))
            self._count(self._weights.get(event.anchor, 0), event.start_mark.line + 1)
            self._reach(len(path) + self._heights.get(event.anchor, 0), event.start_mark.line + 1)
            return known[0], Spot(line, known[1].text, known[1].below, column)
        above, self._deepest = self._deepest, len(path)
        self._reach(len(path), line)
        if not isinstance(event, (MappingStartEvent, SequenceStartEvent)):
            raise YamlInvalid(Problem(self._name, line, "", "is not YAML: a value is missing", "check the lines above"))
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        value, below = self._mapping(path) if isinstance(event, MappingStartEvent) else self._sequence(path)
        made = value, Spot(line, "", below, column)
        if event.anchor is not None:
            self._anchors[event.anchor] = made
            self._weights[event.anchor] = self._values - before
            self._heights[event.anchor] = self._deepest - len(path) + 1
        self._deepest = max(above, self._deepest)
        return made

    def _sequence(self, path: Steps) -> tuple[Any, dict[str | int, Spot]]:
        items: list[Any] = []
        below: dict[str | int, Spot] = {}
        while not isinstance(event := self._next(), SequenceEndEvent):
            index = len(items)
            item, below[index] = self._node(event, event.start_mark, (*path, index))
            items.append(item)
        return items, below

    def _mapping(self, path: Steps) -> tuple[Any, dict[str | int, Spot]]:
        values: dict[str, Any] = {}
        below: dict[str | int, Spot] = {}
        merged: list[tuple[Any, Spot]] = []
        while not isinstance(event := self._next(), MappingEndEvent):
            key_line = event.start_mark.line + 1
            key = self._key(event, key_line)
            item = self._node(self._next(), event.start_mark, (*path, key))
            if key == "<<" and isinstance(event, ScalarEvent) and event.implicit[0]:
                merged.append(item)
                continue
            if len(values) >= _MOST_KEYS:
                self._refuse(key_line, f"has more than {_MOST_KEYS} keys in one mapping", "no file of a house has as many")
            if key in values:
                self._duplicates.append(Duplicate((*path, key), key_line, below[key].line))
            values[key], below[key] = item
        for source, spot in merged:
            self._merge(source, spot, values, below)
        return values, below

    def _key(self, event: Event, line: int) -> str:
        if isinstance(event, ScalarEvent):
            if event.anchor is not None or _HALF.search(event.value):
                self._node(event, event.start_mark, ())
            return str(event.value)
        if isinstance(event, AliasEvent):
            _, spot = self._node(event, event.start_mark, ())
            if not spot.below:
                return spot.text
        raise YamlInvalid(Problem(self._name, line, "", "a key is not plain text", "write keys as plain text"))

    def _merge(self, source: Any, spot: Spot, values: dict[str, Any], below: dict[str | int, Spot]) -> None:
        if isinstance(source, list):
            for index, item in enumerate(source):
                self._merge(item, spot.below[index], values, below)
            return
        if not isinstance(source, dict):
            raise YamlInvalid(Problem(self._name, spot.line, "<<", "is not a mapping", "merge a mapping or a list of them"))
        for key, item in source.items():
            if key not in values:
                values[key], below[key] = item, spot.below[key]
