"""A view on a thread of its own, behind a queue with a bound: a screen that is slow, or that nobody reads, stops no run.

What does not fit into the queue is left out, and said; the run's folder has every event.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

from engine.events import Event, Sink

MOST = 4096
CLOSING_S = 5.0


@dataclass(frozen=True)
class NotShown(Event):
    """So many events were left out here: the screen did not take them in time."""

    count: int


class Screen:
    """A sink. What the view raises comes out of the next call, so that it is the bug of whoever emits, as without a thread."""

    def __init__(self, view: Sink, after: Callable[[], None] = lambda: None, most: int = MOST) -> None:
        """`after` is called behind each event that was shown, on the screen's thread."""
        self._view = view
        self._after = after
        self._queue: queue.Queue[Event | None] = queue.Queue(most)
        self._left_out = 0
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._show, name="screen", daemon=True)
        self._thread.start()

    def __call__(self, event: Event) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        try:
            if self._left_out:
                self._queue.put_nowait(NotShown(event.at, self._left_out))
                self._left_out = 0
            self._queue.put_nowait(event)
        except queue.Full:
            self._left_out += 1

    def close(self, wait_s: float = CLOSING_S) -> tuple[str, ...]:
        """Show what is queued, at most for `wait_s` seconds; answers what went wrong, in words."""
        try:
            self._queue.put(None, timeout=wait_s)
            self._thread.join(wait_s)
        except queue.Full:
            self._left_out += 1
        troubles = []
        if self._failure is not None:
            troubles.append(f"the screen failed: {type(self._failure).__name__}: {self._failure}")
        if self._thread.is_alive() or self._left_out:
            troubles.append("the screen did not take all that was to be shown; events.jsonl in the run's folder has it")
        return tuple(troubles)

    def _show(self) -> None:
        while (event := self._queue.get()) is not None:
            try:
                self._view(event)
                self._after()
            except Exception as error:  # noqa: BLE001 - handed to whoever emits, who records it as a bug
                self._failure = error
