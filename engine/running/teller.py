"""What a run tells: each event to its sink, each bug to its log. Knows no view; a bug of ours ends the run in order."""

from __future__ import annotations

import traceback
from collections.abc import Callable

from engine import events
from engine.report import Bug
from engine.secrets import redact
from engine.stop import Stop
from engine.waiting import Clock


class Teller:
    """On the one thread. `bug` is the first one that was found; `bug_log` writes a traceback and answers where."""

    def __init__(self, sink: events.Sink, clock: Clock, stop: Stop, bug_log: Callable[[str], str] | None) -> None:
        self._sink = sink
        self._clock = clock
        self._stop = stop
        self._bug_log = bug_log
        self.bug: Bug | None = None

    def now(self) -> float:
        """The clock's monotonic reading, in seconds: when an event is."""
        return self._clock.monotonic()

    def emit(self, event: events.Event) -> None:
        """To the sink. A sink that fails is a bug of ours: the run stops in order, and goes on unseen until then."""
        try:
            self._sink(event)
        except Exception as error:  # noqa: BLE001 - recorded as a bug, with its traceback
            self._sink = events.nowhere
            self.record(f"the view, at {type(event).__name__}", error)

    def record(self, where: str, error: Exception) -> None:
        """A bug of ours: into the log, and the run stops as at a first signal."""
        text = redact("".join(traceback.format_exception(error)))
        try:
            written = self._bug_log(text) if self._bug_log is not None else ""
        except OSError as problem:
            written = f"nowhere: {problem}"
        if self.bug is None:
            self.bug = Bug(where, type(error).__name__, written, text)
        self.wind_down(f"a bug of ours in {where}")
        self.emit(events.BugFound(self.now(), where, type(error).__name__, written))

    def wind_down(self, reason: str) -> None:
        """Stop as at a first signal."""
        if not self._stop.requested:
            self._stop.request(reason)
