"""A stage that is built once and met by each fault anew: every visit has a copy of it, thrown away with what was done to it.

A visit sees what a stage built anew by the same seed would be; what is on the disk is put back before each.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from tests.copied import Original

S = TypeVar("S")
T = TypeVar("T")


class Built(Generic[S]):
    """A stage, made once in `folder`, which must not be there yet."""

    def __init__(self, make: Callable[[Path], S], folder: Path) -> None:
        self._state = folder / "state"
        folder.mkdir(parents=True)
        self._original = Original(make(self._state), self._state)

    def visit(self, work: Callable[[S], T]) -> T:
        """What `work` answers of the stage as it was built."""
        shutil.rmtree(self._state, ignore_errors=True)
        return work(self._original.copy(self._state))
