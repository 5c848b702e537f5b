"""Waits end when they should: at the answer, at the limit, at the stop."""

from __future__ import annotations

import threading
import time
from itertools import pairwise

import pytest

from engine.errors import Interrupted, WaitedTooLong
from engine.stop import Stop
from engine.waiting import Deadline, Pace, SystemClock, pause, wait_until
from lab.world.clock import VirtualClock


def test_a_stop_ends_the_system_clocks_sleep() -> None:
    stop = Stop()
    clock = SystemClock(stop.event)
    threading.Timer(0.02, stop.request).start()
    start = time.monotonic()
    with pytest.raises(Interrupted):
        pause(clock, 30.0)
    assert time.monotonic() - start < 10.0
    assert stop.requested and not stop.at_once
    stop.request()
    assert stop.at_once


def test_the_system_clock_sleeps_its_time() -> None:
    clock = SystemClock()
    start = clock.monotonic()
    pause(clock, 0.02)
    assert clock.monotonic() - start >= 0.02
    assert abs(clock.now() - time.time()) < 5.0


def test_wait_until_gives_the_first_answer() -> None:
    clock = VirtualClock()
    asked: list[float] = []

    def ask() -> str | None:
        asked.append(clock.monotonic())
        return "here" if len(asked) == 4 else None

    assert wait_until(clock, ask, limit_s=60, what="it") == "here"
    gaps = [later - earlier for earlier, later in pairwise(asked)]
    assert gaps == pytest.approx([0.1, 0.1, 0.1])


def test_wait_until_looks_a_last_time_at_the_limit_and_names_what_did_not_come() -> None:
    clock = VirtualClock()
    start, asked = clock.monotonic(), []
    with pytest.raises(WaitedTooLong, match="waited 30 s for the node"):
        wait_until(clock, lambda: asked.append(clock.monotonic()), limit_s=30, what="the node")
    assert asked[-1] - start == pytest.approx(30)
    gaps = [later - earlier for earlier, later in pairwise(asked)]
    assert max(gaps) <= 5.0 and len(asked) < 40, "it backs off, up to the most"


def test_wait_until_ends_at_a_stop() -> None:
    clock, stop = VirtualClock(), Stop()
    clock.heeds(stop)
    stop.request()
    with pytest.raises(Interrupted):
        wait_until(clock, lambda: None, limit_s=30, what="it")


def test_pace_follows_what_was_waited_already() -> None:
    pace = Pace(least_s=0.1, share=0.2, most_s=5.0)
    assert [pace.after(waited) for waited in (0.0, 1.0, 10.0, 1000.0)] == [0.1, 0.2, 2.0, 5.0]


def test_a_deadline_passes_also_where_seconds_do_not_add_up() -> None:
    clock = VirtualClock(start=1e9 / 3)
    deadline = Deadline(clock, 0.1 + 0.2)
    for _ in range(3):
        clock.sleep(0.1)
    assert deadline.passed and deadline.left_s == 0.0
