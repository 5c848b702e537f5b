"""What makes a graph, and what is said when something does not."""

from __future__ import annotations

from itertools import pairwise

import pytest

from engine.errors import GraphInvalid
from engine.graph import Graph
from engine.probe import satisfied
from engine.step import StepId, if_any
from tests.engine.toys import Shelf, ToyStep, a_check, a_step


def graph(*steps: object) -> Graph[Shelf, Shelf]:
    return Graph(steps)  # type: ignore[arg-type]  # toys are steps and checks


def evidence(*steps: object) -> tuple[str, ...]:
    with pytest.raises(GraphInvalid) as caught:
        graph(*steps)
    return caught.value.evidence


def test_a_course_that_is_in_order_stays_as_it_is_written() -> None:
    made = graph(a_step("b"), a_step("a"), a_step("d", "a"), a_step("c", "b", "d"))
    assert made.ids == ("toy.put/b", "toy.put/a", "toy.put/d", "toy.put/c")


def test_otherwise_needs_come_first_and_the_order_is_always_the_same() -> None:
    steps = [a_step("d", "c"), a_step("c", "a", "b"), a_step("b"), a_step("a")]
    orders = {graph(*steps).ids for _ in range(5)}
    assert len(orders) == 1
    order = orders.pop()
    assert order.index(StepId("toy.put/a")) < order.index(StepId("toy.put/c")) < order.index(StepId("toy.put/d"))


def test_a_pattern_stands_for_all_that_fit() -> None:
    all_of = ToyStep(StepId("toy.last"), ("toy.put/cp-*", "toy.put/w[12]"))
    made = graph(a_step("cp-2"), a_step("cp-1"), a_step("w1"), a_step("w3"), all_of)
    assert made.needs(StepId("toy.last")) == ("toy.put/cp-1", "toy.put/cp-2", "toy.put/w1")
    assert made.needed_by(StepId("toy.put/cp-1")) == ("toy.last",)
    assert made.needed_by(StepId("toy.put/w3")) == ()


def test_an_unknown_need_is_named_with_who_has_it() -> None:
    assert evidence(a_step("a", "b")) == ("toy.put/a needs toy.put/b, and there is no such step",)


def test_a_pattern_that_matches_nothing_is_an_error_unless_it_was_declared() -> None:
    assert evidence(ToyStep(StepId("toy.last"), ("toy.put/*",))) == ("toy.last needs toy.put/*, and there is no such step",)
    made = graph(ToyStep(StepId("toy.last"), (if_any("toy.put/*"),)))
    assert made.needs(StepId("toy.last")) == ()
    made = graph(a_step("a"), ToyStep(StepId("toy.last"), (if_any("toy.put/*"),)))
    assert made.needs(StepId("toy.last")) == ("toy.put/a",)


def test_all_problems_are_told_at_once() -> None:
    bad = ToyStep(StepId("No such form"))
    assert len(evidence(a_step("a"), a_step("a"), a_step("b", "x"), bad)) == 3


@pytest.mark.parametrize("name", ["toy", "toy.put/", "toy.put/*", "toy.put/a b", "Toy.put/a", "toy.put/a[1]"])
def test_an_id_has_the_form_area_verb_instance(name: str) -> None:
    assert "area.verb/instance" in evidence(ToyStep(StepId(name)))[0]


def test_a_cycle_is_named_whole() -> None:
    (told,) = evidence(a_step("x"), a_step("a", "c"), a_step("b", "a"), a_step("c", "b"))
    names = told.split(" → ")
    assert names[0] == names[-1] and set(names) == {"toy.put/a", "toy.put/b", "toy.put/c"}
    needs = {"toy.put/a": "toy.put/c", "toy.put/b": "toy.put/a", "toy.put/c": "toy.put/b"}
    assert all(needs[one] == other for one, other in pairwise(names)), "read: each needs the next"


def test_a_step_that_fits_its_own_pattern_is_a_cycle() -> None:
    assert "toy.put/a → toy.put/a" in evidence(ToyStep(StepId("toy.put/a"), ("toy.put/*",)))


def test_checks_and_steps_stand_in_one_graph() -> None:
    made = graph(a_check("ok", lambda shelf: satisfied()), ToyStep(StepId("toy.put/a"), ("toy.check/ok",)))
    assert len(made) == 2 and StepId("toy.check/ok") in made and made[StepId("toy.check/ok")].title == "check toy.check/ok"
