"""Which programs a run started to change something, so that a later run can end what a dead one left. Knows no process call.

The process adapter tells `noted` of every group before its program starts; the journal then holds its number and start time.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from engine.errors import PermanentError
from engine.secrets import redact
from engine.text.jsontext import Malformed, read

EndGroup = Callable[[int, str], bool]
"""Ends a process group, given its id and its leader's start time; True when it was alive. Raises OSError when it can't."""


class Programs:
    """Between the process adapter and the run: hands each start to the run's journal. Safe from any thread.

    Outside a run (plan, verify) and inside a probe nothing is noted: looks change nothing, and may outlive us.
    """

    def __init__(self) -> None:
        self._note: Callable[[str], None] | None = None
        self._here = threading.local()

    def noted(self, group: int, started: str, shown: str) -> None:
        """A program is about to run. Returns when that is on the disk; raises what stops the run from writing it."""
        note = self._note
        if note is not None and not getattr(self._here, "looking", False):
            note(json.dumps([group, started, redact(shown)]))

    def bind(self, note: Callable[[str], None] | None) -> None:
        """Where starts go from now on; None for nowhere."""
        self._note = note

    @contextmanager
    def looking(self) -> Iterator[None]:
        """This thread only looks for a while."""
        self._here.looking = True
        try:
            yield
        finally:
            self._here.looking = False


def end_leftovers(programs: Iterable[str], end_group: EndGroup) -> tuple[str, ...]:
    """End what dead runs left running; answers what was alive. `programs` are notes as `Programs` writes them.

    Raises PermanentError when one can't be ended: it might still change the house while we look.
    """
    ended: list[str] = []
    for text in programs:
        try:
            group, started, shown = read(text, lambda told: (int(told[0]), str(told[1]), str(told[2])), ours=True)
        except Malformed as error:
            raise PermanentError(
                "a note of a program that an earlier run started cannot be read: it may still be at work", evidence=(str(error),),
                hint="another version wrote it: let that one end what it left",
            ) from error  # fmt: skip
        try:
            if end_group(group, started):
                ended.append(shown)
        except OSError as error:
            raise PermanentError(
                "a program of a dead run is still at work and could not be ended",
                evidence=(f"{shown} (process group {group}): {error}",),
                hint="end it by hand, then start again",
                next_command=f"kill -KILL -- -{group}",
            ) from error
    return tuple(ended)
