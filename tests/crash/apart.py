"""A stage that is built once and met by each fault anew: every visit is a copy of this whole process, thrown away with what it did.

A world is full of threads' turns, timers and closures, which nothing in Python copies; fork(2) copies all of them at once, and
exactly: a visit sees what a stage built anew by the same seed would be. What is on the disk is put back before each visit.
"""

from __future__ import annotations

import gc
import os
import pickle
import shutil
import sys
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar, cast

S = TypeVar("S")
T = TypeVar("T")


@dataclass(frozen=True)
class Broken:
    """A visit that ended in an exception: its traceback."""

    told: str


class Built(Generic[S]):
    """A stage, made once in `folder`, which must not be there yet."""

    def __init__(self, make: Callable[[Path], S], folder: Path) -> None:
        self._state, self._kept = folder / "state", folder / "kept"
        folder.mkdir(parents=True)
        self._stage = make(self._state)
        if self._state.exists():
            shutil.copytree(self._state, self._kept)

    def visit(self, work: Callable[[S], T]) -> T:
        """What `work` answers (picklable) of the stage as it was built. Raises AssertionError with its traceback if it fails."""
        shutil.rmtree(self._state, ignore_errors=True)
        if self._kept.exists():
            shutil.copytree(self._kept, self._state)
        reading, writing = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        # What is garbage here must not be collected there: a finalizer would end or remove what is still used here.
        gc.freeze()
        with warnings.catch_warnings():
            # Newer Pythons warn that threads are not copied: those of a stage are buried by now, and it needs no other.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            os.close(reading)
            self._live(work, writing)
        gc.unfreeze()
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            said = pipe.read()
        _, status = os.waitpid(child, 0)
        answer = pickle.loads(said) if said else Broken(f"it ended with status {status} and said nothing")
        if isinstance(answer, Broken):
            raise AssertionError(answer.told)
        return cast("T", answer)

    def _live(self, work: Callable[[S], T], writing: int) -> None:
        """In the copy: do it, say it, and leave without anything that an interpreter does at its end."""
        try:
            try:
                answer = pickle.dumps(work(self._stage))
            except BaseException:  # noqa: BLE001 - also its own death is told, for this copy must never go on
                answer = pickle.dumps(Broken(traceback.format_exc()))
            with os.fdopen(writing, "wb") as pipe:
                pipe.write(answer)
        finally:
            os._exit(0)
