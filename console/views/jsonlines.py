"""Events and results as JSON objects, one a line: what `--json` prints and what the run's folder keeps. Decides nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import partial
from io import TextIOBase
from typing import TextIO

from engine.errors import OurError
from engine.events import Event
from engine.secrets import Secret, redact

_held: ContextVar[list[Callable[[], None]] | None] = ContextVar("held", default=None)


@contextmanager
def one_result() -> Iterator[Callable[[], None]]:
    """For the length of a verb its results are held, and what this answers writes the last of them: a reader gets one, which says
    what the process ends with. A thread beside the verb's own tells at once: it has what is left of a process that is to end."""
    told: list[Callable[[], None]] = []
    token = _held.set(told)

    def tell() -> None:
        for write in told[-1:]:
            write()

    try:
        yield tell
    finally:
        _held.reset(token)


class JsonLines:
    """A sink that writes each event as one JSON object to `out`, flushed, so that a killed run's lines are there.

    `simulated` marks each line: it may be read alone.
    """

    def __init__(self, out: TextIO | TextIOBase, simulated: bool = False) -> None:
        self._out = out
        self._mark = {"simulated": True} if simulated else {}

    def __call__(self, event: Event) -> None:
        self.write({"event": type(event).__name__, **_fields(event)})

    def write(self, thing: Mapping[str, object]) -> None:
        """One object as one line, in ASCII: it is the same in every locale."""
        self._out.write(json.dumps(plain({**thing, **self._mark})) + "\n")
        self._out.flush()


    def last(self, result: Mapping[str, object]) -> None:
        """What came of the verb, as `{"result": …}`: at its end, or now where nobody holds it (see one_result)."""
        held, write = _held.get(), partial(self.write, {"result": result})
        write() if held is None else held.append(write)


def plain(value: object) -> object:
    """Any of our values as plain JSON values; a Secret stays unseen.

    Each text is redacted by itself, before it is JSON: a mask in the finished line could stand inside a number (a secret of
    digits alone is enough), and no reader could parse that line.
    """
    if isinstance(value, str) and not isinstance(value, Enum):
        return redact(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Secret):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, OurError):
        return {
            "kind": type(value).__name__, "what": plain(value.what), "evidence": plain(value.evidence),
            "hint": plain(value.hint), "next": plain(value.next_command), "exit_code": value.exit_code,
        }  # fmt: skip
    if is_dataclass(value) and not isinstance(value, type):
        return _fields(value)
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return str(value)


def _fields(value: object) -> dict[str, object]:
    assert is_dataclass(value)
    return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
