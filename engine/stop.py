"""How a run is told to stop: once politely, twice at once. The console wires real signals to it; knows no signal itself."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Stop:
    """Counts the requests to stop. `event` is set by the first one: give it to SystemClock so that every wait ends.

    `request` may be called in a signal handler: it takes no lock that the interrupted thread could hold.
    """

    def __init__(self) -> None:
        self.event = threading.Event()
        self.level = 0
        self.reason = ""
        self._listeners: list[Callable[[], None]] = []

    @property
    def requested(self) -> bool:
        """Nothing new may start."""
        return self.level >= 1

    @property
    def at_once(self) -> bool:
        """A second request came: leave now."""
        return self.level >= 2

    def request(self, reason: str = "told to stop") -> None:
        """Ask to stop; the second time, to leave at once."""
        self.level += 1
        if self.level == 1:
            self.reason = reason
            self.event.set()
        for listener in tuple(self._listeners):
            listener()

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` at every request (it must be quick and safe in a signal handler). Gives back what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)
