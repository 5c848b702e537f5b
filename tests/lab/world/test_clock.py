"""Time held in the hand: it passes only when everybody sleeps, one thread runs at a time, and a seed repeats it all."""

from __future__ import annotations

import _thread
import threading
from functools import partial
from pathlib import Path

import pytest

from engine.stop import Stop
from engine.workers import Channel
from lab.world.clock import Stuck, VirtualClock
from lab.world.faults import Death
from lab.world.world import World


def test_time_passes_only_by_sleeping() -> None:
    clock = VirtualClock()
    first = clock.monotonic(), clock.now()
    assert (clock.monotonic(), clock.now()) == first
    clock.sleep(3600.0)
    assert (clock.monotonic(), clock.now()) == (first[0] + 3600.0, first[1] + 3600.0)


def _history(seed: int) -> list[tuple[float, str]]:
    clock = VirtualClock(seed)
    workers = clock.workers()
    done: Channel[str] = workers.channel()
    told: list[tuple[float, str]] = []
    inside = threading.Lock()

    def work(name: str, naps: tuple[float, ...]) -> None:
        for nap in naps:
            assert inside.acquire(blocking=False), "two threads ran at once"
            told.append((clock.monotonic(), name))
            inside.release()
            clock.sleep(nap)
        done.put(name)

    for name, naps in {"a": (1.0, 0.0, 2.0), "b": (0.0, 3.0), "c": (0.5, 0.5, 0.0), "d": (0.0, 0.0)}.items():
        workers.start(partial(work, name, naps))
    assert sorted(str(done.get()) for _ in range(4)) == ["a", "b", "c", "d"]
    return told


def test_the_same_seed_gives_the_same_turns_and_other_seeds_give_others() -> None:
    assert _history(5) == _history(5)
    assert len({tuple(_history(seed)) for seed in range(10)}) > 3
    for seed in range(10):
        assert [at for at, _ in _history(seed)] == sorted(at for at, _ in _history(seed))


def test_what_is_to_come_in_the_world_happens_at_its_time() -> None:
    clock = VirtualClock()
    world = World(clock)
    clock.drives(world)
    at: list[float] = []
    start = clock.monotonic()
    world.after(2.0, "first", lambda: at.append(clock.monotonic() - start))
    world.after(5.0, "second", lambda: at.append(clock.monotonic() - start))
    world.after(3.0, "called off", lambda: at.append(-1.0)).cancel()
    clock.sleep(10.0)
    assert at == [2.0, 5.0] and clock.monotonic() == start + 10.0


def test_a_channel_waits_for_an_item_or_for_its_time() -> None:
    clock = VirtualClock()
    workers = clock.workers()
    channel: Channel[str] = workers.channel()
    assert channel.get(0) is None
    start = clock.monotonic()
    assert channel.get(4.0) is None and clock.monotonic() == start + 4.0

    def work() -> None:
        clock.sleep(2.0)
        channel.put("here")

    workers.start(work)
    assert channel.get() == "here" and clock.monotonic() == start + 6.0


def test_a_deadlock_is_told_not_hung() -> None:
    clock = VirtualClock()
    channel: Channel[str] = clock.workers().channel()
    with pytest.raises(Stuck):
        channel.get()


def test_a_stop_ends_sleeps_and_time_still_passes_for_who_sleeps_on() -> None:
    clock, stop = VirtualClock(), Stop()
    clock.heeds(stop)
    workers = clock.workers()
    done: Channel[float] = workers.channel()

    def sleeper() -> None:
        clock.sleep(1000.0)
        done.put(clock.monotonic())

    def stopper() -> None:
        clock.sleep(1.0)
        stop.request()

    start = clock.monotonic()
    workers.start(sleeper)
    workers.start(stopper)
    woken = done.get()
    assert woken is not None and woken - start == pytest.approx(1.0)
    before = clock.monotonic()
    for _ in range(10):
        clock.sleep(1.0)
    assert 0 < clock.monotonic() - before <= 0.2


def test_after_a_death_no_thread_of_that_life_goes_on_and_the_next_life_does(tmp_path: Path) -> None:
    clock = VirtualClock()
    workers = clock.workers()
    did: list[str] = []
    there = _thread._count()

    def work() -> None:
        clock.sleep(5.0)
        did.append("the dead did something")

    for _ in range(2):
        workers.start(work)
    clock.sleep(1.0)
    clock.fence.fall()
    with pytest.raises(Death):
        clock.sleep(1.0)
    clock.bury()
    clock.new_life()
    before = clock.monotonic()
    clock.sleep(100.0)
    assert clock.monotonic() == before + 100.0, "whoever starts the tool again waits as long as it says"
    assert did == [] and _thread._count() <= there + 1, "the last of them gives its turn back before it ends"


def test_a_stranger_may_read_the_time_but_not_sleep() -> None:
    clock = VirtualClock()
    caught: list[str] = []

    def stranger() -> None:
        clock.sleep(0)
        clock.monotonic()
        try:
            clock.sleep(1.0)
        except RuntimeError as error:
            caught.append(str(error))

    thread = threading.Thread(target=stranger)
    thread.start()
    thread.join()
    assert len(caught) == 1
