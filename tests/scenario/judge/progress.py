"""What a judge says while it judges: which scene is played, what is left, what it is at and whom it waits for. Knows no house."""

from __future__ import annotations

import sys
import textwrap
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TextIO

from tests.scenario.judge.verdicts import Verdict

_WIDTH = 80
_SELDOM_S = 5.0
"""What is done changes many times a second: no more often than this is any of it told."""
_SILENCE_S = 20.0
"""Whoever waits is told what for, at least as often as this."""


class Progress(AbstractContextManager["Progress"]):
    """Tells of these scenes, each its door and its name, in the order in which they are played. A silence is told between enter
    and exit, by a thread."""

    def __init__(
        self, scenes: Sequence[tuple[str, str]], out: TextIO = sys.stdout, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._left, self._count = list(scenes), len(scenes)
        self._out, self._now = out, now
        self._began, self._since, self._told_at = now(), now(), float("-inf")
        self._current = ""
        self._lock, self._over = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._watch, name="progress", daemon=True)

    def __enter__(self) -> Progress:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def begins(self, door: str, name: str, title: str) -> None:
        """A scene is played from now on; one that is not counted ("the house") stands before those that are."""
        counted = (door, name) in self._left
        if counted:
            self._left.remove((door, name))
        where = f"{self._count - len(self._left)} of {self._count}, " if counted else ""
        with self._lock:
            self._current = ""
            self._say(f"{where}{door}, {name}: {title}")
            self._say(f"after it: {', '.join(f'{other} ({at})' for at, other in self._left) or 'nothing'}", "    ")

    def at(self, told: str) -> None:
        """This is done, or waited for, now."""
        with self._lock:
            if told != self._current:
                self._current, self._since = told, self._now()
                if self._now() - self._told_at >= _SELDOM_S:
                    self._tell()

    def tick(self) -> None:
        """Tell what is waited for where nothing was told for a while."""
        with self._lock:
            if self._current and self._now() - self._told_at >= _SILENCE_S:
                self._tell()

    def ends(self, verdict: Verdict) -> None:
        """A scene was judged."""
        with self._lock:
            self._current = ""
            self._say("held" if not verdict.misses else f"MISSED: {'; '.join(verdict.misses)}", "    ")

    def _tell(self) -> None:
        waited = self._now() - self._since
        self._told_at = self._now()
        self._say(self._current + (f" (for {waited:.0f} s now)" if waited >= 1.0 else ""), "    ")

    def _say(self, told: str, indent: str = "") -> None:
        minutes, seconds = divmod(int(self._now() - self._began), 60)
        first = f"{minutes:>3}:{seconds:02} {indent}"
        lines = textwrap.wrap(told, _WIDTH, initial_indent=first, subsequent_indent=" " * len(first), break_on_hyphens=False)
        self._out.write("\n".join(lines) + "\n")
        self._out.flush()

    def _watch(self) -> None:
        while not self._over.wait(1.0):
            self.tick()
