"""An adapter that is made when it is first asked for something: its libraries cost only the runs that need it. Knows no port."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar, cast

_Port = TypeVar("_Port")


def later(make: Callable[[], _Port]) -> _Port:
    """What `make` makes, once, with the first look at one of its attributes."""
    return cast("_Port", _Later(make))


class _Later:
    """Stands for the adapter, and passes on whatever is asked of it."""

    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: list[object] = []

    def __getattr__(self, name: str) -> object:
        with self._lock:
            if not self._made:
                self._made.append(self._make())
        return getattr(self._made[0], name)
