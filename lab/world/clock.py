"""Time held in the hand: a Clock that advances only when every thread sleeps, and Workers of which one runs at a time.

Who runs next is a seeded choice, so a run can be repeated. Knows no port; it drives `World.tick()` so that things happen at
their time. A thread gives way when it sleeps (`sleep(0)` only gives way), waits at a channel, or ends.
"""

from __future__ import annotations

import _thread
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Generic, Protocol, TypeVar

from engine.stop import Stop
from engine.workers import Channel, Workers
from lab.world.faults import Death
from lab.world.fence import Fence

T = TypeVar("T")

_STOPPED_SLEEP_S = 0.01  # what a sleep takes after a stop: a loop that polls all the same still sees time pass


class Driven(Protocol):
    """What happens as time passes: a World."""

    def tick(self) -> None:
        """Do all that is due by now."""

    def next_due(self) -> float | None:
        """Monotonic time of what comes next, None when nothing does."""


class Stuck(RuntimeError):
    """Every thread waits at a channel that nobody can put anything into: a deadlock of ours."""


class _Thread:
    """One thread of the simulated process: what it waits for, and the gate that it waits at."""

    def __init__(self, fence: Fence) -> None:
        self.fence = fence
        # Shut until it is this thread's turn. A bare lock: a semaphore is a tenth of a visit of the crash matrix.
        self.gate = threading.Lock()
        self.gate.acquire()
        self.wake_at: float | None = None
        self.items: deque[object] | None = None
        self.gives_way = False
        self.ended = threading.Event()


class VirtualClock:
    """The Clock, and the turn-taking of all threads that use it.

    The thread that makes it is the first of them; others come from `workers()`. A thread of neither kind may read the time,
    and `sleep(0)`, but not sleep, unless the first one's place is `lent` to it.
    """

    def __init__(self, seed: int = 0, *, start: float = 1_000.0, epoch: float = 1_750_000_000.0) -> None:
        self.stop: Stop | None = None
        self._random = Random(seed)  # noqa: S311 - a simulation must be repeatable, not secret
        self._time = start
        self._offset = epoch - start
        self._worlds: list[Driven] = []
        self._here = threading.local()
        self._main = _Thread(Fence())
        self._here.thread = self._main
        self._threads: list[_Thread] = [self._main]
        self._stuck = False

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._time + self._offset

    def monotonic(self) -> float:
        """Seconds that only sleeps move."""
        return self._time

    def sleep(self, seconds: float) -> None:
        """Let the others run, and let the time pass when they all sleep. Ends early on a stop."""
        me = self._me()
        if me is None:
            if seconds > 0:
                raise RuntimeError("only a thread of the virtual clock may sleep by it")
            return
        me.fence.check()
        if seconds <= 0:
            me.gives_way = True
        elif self.stop is not None and self.stop.requested:
            me.wake_at = self._time + min(seconds, _STOPPED_SLEEP_S)
        else:
            me.wake_at = self._time + seconds
        self._give_way(me)

    @contextmanager
    def lent(self) -> Iterator[None]:
        """For the length of the block the calling thread sleeps in the place of the first, which waits for it by other means.

        One at a time: who lends it on must see to that.
        """
        before = self._me()
        self._here.thread = before or self._main
        try:
            yield
        finally:
            self._here.thread = before

    def drives(self, world: Driven) -> None:
        """Let things of this World happen as time passes."""
        self._worlds.append(world)

    def heeds(self, stop: Stop) -> None:
        """Let this stop end sleeps from now on."""
        self.stop = stop

    def workers(self) -> Workers:
        """Workers whose threads take turns with all others of this clock, in the life that is lived now."""
        return VirtualWorkers(self, self._main.fence)

    def new_life(self) -> Fence:
        """Begin another life of the simulated process (the first begins with the clock). Bury the one before first."""
        self.stop = None
        self._main.fence = Fence()
        return self._main.fence

    @property
    def fence(self) -> Fence:
        """The fence of the life that is lived now."""
        return self._main.fence

    def bury(self) -> None:
        """End every other thread: its life is over, and the first thing it does is to find that out. Gives back when all have."""
        self._main.fence.fall()
        while len(self._threads) > 1:
            other = self._threads[1]
            other.fence.fall()
            self._main.gives_way = True
            other.gate.release()
            self._main.gate.acquire()
        # It waited here, and not in a sleep: left set, the next one would end at once.
        self._main.gives_way = False

    # --- turn-taking; only the thread whose turn it is ever gets here ---

    def start(self, work: Callable[[], None], fence: Fence) -> None:
        """A new thread that can run at the next giving way."""
        thread = _Thread(fence)
        thread.gives_way = True
        self._threads.append(thread)

        def live() -> None:
            self._here.thread = thread
            thread.gate.acquire()
            try:
                if not fence.fallen:
                    thread.gives_way = False
                    work()
            except Death:
                pass  # its own: the thread ends, as it would have
            finally:
                self._threads.remove(thread)
                self._next().gate.release()

        # Not threading.Thread, which lets its maker wait until it runs: two more turns of the machine for each of ours.
        _thread.start_new_thread(live, ())

    def await_item(self, items: deque[object], timeout: float | None) -> None:
        """Wait until there is an item or the time is over."""
        me = self._me()
        if me is None:
            raise RuntimeError("only a thread of the virtual clock may wait at its channels")
        me.fence.check()
        if items:
            return
        me.items = items
        me.wake_at = None if timeout is None else self._time + timeout
        self._give_way(me)

    def _me(self) -> _Thread | None:
        return getattr(self._here, "thread", None)

    def _give_way(self, me: _Thread) -> None:
        following = self._next()
        if following is not me:
            following.gate.release()
            me.gate.acquire()
        me.wake_at, me.items, me.gives_way = None, None, False
        me.fence.check()
        if self._stuck:
            raise Stuck("every thread waits for another")

    def _next(self) -> _Thread:
        """Whose turn it is; lets time pass until somebody can run."""
        while True:
            able = [thread for thread in self._threads if self._can_run(thread)]
            if able:
                return able[0] if len(able) == 1 else self._random.choice(able)
            self._pass_time()

    def _can_run(self, thread: _Thread) -> bool:
        if thread.gives_way or thread.fence.fallen or self._stuck:
            return True
        if thread.items is not None and thread.items:
            return True
        if thread.wake_at is None:
            return False
        stopped = self.stop is not None and self.stop.requested and thread.items is None
        return thread.wake_at <= self._time or (stopped and thread.wake_at > self._time + _STOPPED_SLEEP_S)

    def _pass_time(self) -> None:
        times = [thread.wake_at for thread in self._threads if thread.wake_at is not None]
        times += [due for world in self._worlds if (due := world.next_due()) is not None]
        if not times:
            self._stuck = True
            return
        self._time = max(self._time, min(times))
        for world in self._worlds:
            world.tick()


class VirtualChannel(Generic[T]):
    """A channel of threads that take turns. Putting gives nobody the turn."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._items: deque[object] = deque()

    def put(self, item: T) -> None:
        """Leave an item."""
        self._items.append(item)

    def get(self, timeout: float | None = None) -> T | None:
        """The oldest item, or None when none came in time."""
        if timeout != 0:
            self._clock.await_item(self._items, timeout)
        return self._items.popleft() if self._items else None  # type: ignore[return-value]  # only T is ever put


class VirtualWorkers:
    """Workers of one life."""

    def __init__(self, clock: VirtualClock, fence: Fence) -> None:
        self._clock = clock
        self._fence = fence

    def start(self, work: Callable[[], None]) -> None:
        """Run `work` on a thread that takes turns with the others."""
        self._clock.start(work, self._fence)

    def channel(self) -> Channel[T]:
        """A new, empty channel."""
        return VirtualChannel(self._clock)
