"""Asking about many things at once on threads: order, how many at a time, what is raised, and whom nobody waits for."""

from __future__ import annotations

import threading

import pytest

from engine.workers import Threads, each


def test_answers_come_in_the_order_of_what_was_asked_about() -> None:
    first_may_end = threading.Event()

    def ask(number: int) -> int:
        if number == 0:
            assert first_may_end.wait(10.0)
        if number == 3:
            first_may_end.set()
        return number * 10

    assert each(Threads(), ask, range(5), at_once=2) == [0, 10, 20, 30, 40]
    assert each(Threads(), ask, (), at_once=2) == []


def test_never_more_at_a_time_than_allowed() -> None:
    lock, now, most = threading.Lock(), [0], [0]
    pairs = threading.Barrier(2)

    def ask(_number: int) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        pairs.wait(10.0)
        with lock:
            now[0] -= 1

    each(Threads(), ask, range(8), at_once=2)
    assert most == [2]


def test_what_one_raises_is_raised_and_one_that_hangs_is_not_waited_for() -> None:
    asked, let_go = [], threading.Event()

    def ask(number: int) -> None:
        asked.append(number)
        if number == 0:
            let_go.wait(30.0)
        if number == 1:
            raise KeyError("no")

    try:
        with pytest.raises(KeyError):
            each(Threads(), ask, range(9), at_once=2)
        assert not let_go.is_set()
        assert sorted(asked) == [0, 1]
    finally:
        let_go.set()


def test_threads_without_work_end_and_none_of_many_jobs_is_lost_by_it() -> None:
    """A thread whose patience ends at the moment at which work comes takes it all the same."""
    before = threading.active_count()
    pool, done = Threads(idle_s=0.0005), threading.Semaphore(0)
    for number in range(2000):
        pool.start(done.release)
        if number % 50 == 0:
            assert done.acquire(timeout=30.0)
            done.release()
    for _ in range(2000):
        assert done.acquire(timeout=30.0)
    for thread in threading.enumerate():
        if thread.name.startswith("worker-") and getattr(thread, "_target", None) == pool._serve:
            thread.join(30.0)
            assert not thread.is_alive()
    assert threading.active_count() <= before
