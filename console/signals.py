"""What signals do to a verb: before and after a run they end it, in a run they ask it to stop. Knows no verb.

The first one of a run has a bound: running programs get their time, then they are ended. The second one, or a SIGQUIT, leaves at
once, and has a bound too: whatever a thread of ours still waits for, the process ends. The lock goes with the process, never before
it: no thread of ours can act after another run has begun.

Whoever started us may have one of them ignored (nohup does, and a shell that puts us in the background): then it stays ignored.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType

from engine.errors import EXIT_INTERRUPTED
from engine.stop import Stop

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
FIRST_S = 30.0
"""How long running programs may go on after a first signal; what then follows is their usual grace."""
LAST_S = 5.0
"""How long leaving at once may take."""
_CURSOR, _NO_CURSOR = b"\x1b[?25h", b"\x1b[?25l"
"""Shows the terminal's cursor again: a view that is not ended hides it from the shell that comes after it."""

Exit = Callable[[int], object]


def leave(code: int) -> None:
    """End the process now, its threads with it."""
    _to_terminal(_CURSOR)
    os._exit(code)


@contextmanager
def cursor_kept() -> Iterator[None]:
    """Round a view that hides the cursor: who stops us with Ctrl-Z gets it back for as long as the shell has the terminal."""

    def stopped(number: int, frame: FrameType | None) -> None:
        _to_terminal(_CURSOR)
        os.kill(os.getpid(), signal.SIGSTOP)
        _to_terminal(_NO_CURSOR)

    if signal.getsignal(signal.SIGTSTP) is not signal.SIG_DFL:
        yield  # a shell without job control ignores it
        return
    signal.signal(signal.SIGTSTP, stopped)
    try:
        yield
    finally:
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)


def _to_terminal(codes: bytes) -> None:
    """Past what is buffered, for it may be locked; nothing where standard output is no terminal."""
    with suppress(OSError):
        if os.isatty(1):
            os.write(1, codes)


@dataclass
class Signals:
    """`running` says that a run is on, and what ends its programs: called with the seconds of grace they get."""

    stop: Stop
    first_s: float = FIRST_S
    grace_s: float = 5.0
    exit: Exit = leave
    running: Callable[[float], None] | None = field(default=None)

    @contextmanager
    def wired(self) -> Iterator[Signals]:
        """Ours for the length of the block."""
        outside = {number: signal.getsignal(number) for number in _heard()}

        def came(number: int, frame: FrameType | None) -> None:
            before = outside[signal.Signals(number)]
            if self.running is not None:
                self._stop_run(signal.Signals(number), self.running)
            elif callable(before):
                before(number, frame)  # it counts those that come behind the run as well
            else:
                raise KeyboardInterrupt

        with _handled(came):
            yield self

    def _stop_run(self, number: signal.Signals, end: Callable[[float], None]) -> None:
        self.stop.request(number.name)
        if number is signal.SIGQUIT and not self.stop.at_once:
            self.stop.request(number.name)
        # On threads of their own: the handler may have interrupted whoever holds a lock that they need.
        if self.stop.at_once:
            threading.Thread(target=end, args=(0.0,), daemon=True).start()
            _timer(LAST_S, lambda: self.exit(EXIT_INTERRUPTED)).start()
        else:
            _timer(self.first_s, lambda: end(self.grace_s)).start()


@contextmanager
def ending(exit: Exit = leave, last_s: float = LAST_S) -> Iterator[Callable[[], None]]:  # noqa: A002 - as os has it
    """Outside of a run each of them ends a verb as Ctrl-C does: programs ended, result told, 130.

    That is asked once: those that follow break off neither the end nor what is told of it, and the second gives both a bound.
    Once what this answers was called the verb has come to its end: the first one is as the second then.
    """
    heard = 0
    bound = _timer(last_s, lambda: exit(EXIT_INTERRUPTED))

    def came(number: int, frame: FrameType | None) -> None:
        nonlocal heard
        heard += 1
        if heard == 1:
            raise KeyboardInterrupt
        if heard == 2:
            bound.start()

    def over() -> None:
        nonlocal heard
        heard = max(heard, 1)

    with _handled(came):
        try:
            yield over
        finally:
            bound.cancel()


def interrupted(verb: str) -> int:
    """Say of a verb that was interrupted where nothing of it was at work; answers the exit code."""
    ended(EXIT_INTERRUPTED)
    with suppress(OSError, AttributeError):  # nobody takes it: `2>&-` leaves no stderr at all
        sys.stderr.write(f"invoke {verb} was interrupted before it began, or after it had ended: no step was cut off.\n")
    return EXIT_INTERRUPTED


def ended(code: int) -> None:
    """What came of a verb is told: nothing that comes now, to the end of the process, changes the code that it ends with."""
    for number in _heard():
        signal.signal(number, lambda _number, _frame: leave(code))


def begin() -> None:
    """From now on each of them raises KeyboardInterrupt, as SIGINT does by itself; a pipe that nobody reads ends nothing."""
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    heard = _heard()
    # The first that is registered is the last that is called: behind it Python gives signals back to the system, which would end
    # the process by one, and not with the code that was told.
    atexit.register(signal.pthread_sigmask, signal.SIG_BLOCK, heard)
    for number in heard:
        signal.signal(number, signal.default_int_handler)


def _heard() -> list[signal.Signals]:
    return [number for number in NUMBERS if signal.getsignal(number) is not signal.SIG_IGN]


@contextmanager
def _handled(came: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """By `came` for the length of the block."""
    before = {number: signal.signal(number, came) for number in _heard()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _timer(seconds: float, act: Callable[[], object]) -> threading.Timer:
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    return timer
