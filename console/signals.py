"""What SIGINT, SIGTERM and SIGHUP do to a verb: before and after a run they end it, in a run they ask it to stop. Knows no verb.

The first one of a run has a bound: running programs get their time, then they are ended. The second one leaves at once, and
has a bound too: whatever a thread of ours still waits for, the process ends. The lock goes with the process, never before it:
no thread of ours can act after another run has begun.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from engine.errors import EXIT_INTERRUPTED
from engine.stop import Stop

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
FIRST_S = 30.0
"""How long running programs may go on after a first signal; what then follows is their usual grace."""
LAST_S = 5.0
"""How long leaving at once may take."""


@dataclass
class Signals:
    """`running` says that a run is on, and what ends its programs: called with the seconds of grace they get."""

    stop: Stop
    first_s: float = FIRST_S
    grace_s: float = 5.0
    exit: Callable[[int], object] = os._exit
    running: Callable[[float], None] | None = field(default=None)

    @contextmanager
    def wired(self) -> Iterator[Signals]:
        """Ours for the length of the block."""
        before = {number: signal.signal(number, self._came) for number in NUMBERS}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _came(self, number: int, frame: FrameType | None) -> None:
        end = self.running
        if end is None:
            raise KeyboardInterrupt
        self.stop.request(signal.Signals(number).name)
        # On threads of their own: the handler may have interrupted whoever holds a lock that they need.
        if self.stop.at_once:
            threading.Thread(target=end, args=(0.0,), daemon=True).start()
            _later(LAST_S, lambda: self.exit(EXIT_INTERRUPTED))
        else:
            _later(self.first_s, lambda: end(self.grace_s))


def _later(seconds: float, act: Callable[[], object]) -> None:
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()


@contextmanager
def ending() -> Iterator[None]:
    """Outside of a run too, SIGTERM and SIGHUP end a verb as Ctrl-C does: programs ended, result told, 130."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
