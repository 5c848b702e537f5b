"""Who may start, who is blocked, who may disturb: pure decisions."""

from __future__ import annotations

import time

from engine.graph import Graph
from engine.limits import Limits
from engine.running.schedule import Passages, Schedule
from engine.step import StepId
from tests.engine.toys import Shelf, a_step


def made(*steps: object, **limits: object) -> Schedule[Shelf, Shelf]:
    return Schedule(Graph(steps), Limits(**limits))  # type: ignore[arg-type]  # toys are steps; the limits' own names


def name(text: str) -> StepId:
    return StepId(f"toy.put/{text}")


def test_steps_are_handed_out_in_the_graphs_order_as_limits_allow() -> None:
    schedule = made(*(a_step(n, system="pve" if n in "abc" else "flux") for n in "abcde"), at_once=3, per_system={"pve": 1})
    assert schedule.take() == [name("a"), name("d"), name("e")] and schedule.running == 3
    assert schedule.take() == []
    schedule.end(name("d"), done=True)
    assert schedule.take() == [], "the system is full, though a place is free"
    schedule.end(name("a"), done=True)
    assert schedule.take() == [name("b")]


def test_a_system_that_has_room_again_takes_the_next_in_the_graphs_order() -> None:
    schedule = made(a_step("a"), a_step("b"), a_step("c", "a"), a_step("d"), per_system={"shelf": 1})
    order = []
    while taken := schedule.take():
        order += taken
        schedule.end(taken[0], done=True)
    assert order == [name("a"), name("b"), name("c"), name("d")]


def test_many_steps_of_one_full_system_cost_no_more_each_than_few() -> None:
    schedule = made(*(a_step(str(n)) for n in range(10_000)), at_once=8, per_system={"shelf": 4})
    running, most, start = schedule.take(), 0, time.process_time()
    while running:
        most = max(most, len(running))
        schedule.end(running.pop(0), done=True)
        running += schedule.take()
    assert most == 4 and schedule.running == 0
    assert time.process_time() - start < 2.0


def test_a_step_waits_for_all_its_needs_and_is_blocked_by_every_root_cause() -> None:
    schedule = made(a_step("a"), a_step("b"), a_step("c", "a"), a_step("d", "c", "b"))
    schedule.take()
    assert schedule.end(name("a"), done=False) == [(name("c"), (name("a"),))]
    assert schedule.end(name("b"), done=False) == [(name("d"), (name("a"), name("b")))]


def test_an_always_step_runs_after_failures_and_frees_what_needs_it() -> None:
    schedule = made(a_step("a"), a_step("b", "a"), a_step("z", "b", always=True), a_step("after", "z"))
    schedule.take()
    assert schedule.end(name("a"), done=False) == [(name("b"), (name("a"),))]
    assert schedule.take() == [name("z")]
    assert schedule.end(name("z"), done=True) == []
    assert schedule.take() == [name("after")]


def test_a_passage_is_for_one_the_rest_queue_in_the_graphs_order() -> None:
    graph: Graph[Shelf, Shelf] = Graph([a_step(n) for n in "abcd"])
    passages = Passages(graph)
    assert passages.ask(name("c"), "etcd") and passages.ask(name("c"), "etcd") and passages.holder("etcd") == name("c")
    assert not passages.ask(name("d"), "etcd") and not passages.ask(name("a"), "etcd")
    assert passages.ask(name("b"), "pve"), "another system is another passage"
    assert passages.leave(name("d"), "etcd") is None, "who does not pass leaves nothing free"
    assert passages.leave(name("c"), "etcd") == name("a")
    assert passages.clear() == [name("d")]
    assert passages.leave(name("a"), "etcd") is None
    assert passages.ask(name("d"), "etcd")
