"""What is no part of a system yet is acted on without its guard's yes; once a look says that it is part, the guard is asked."""

from __future__ import annotations

from engine.errors import GuardRefused
from engine.probe import drifted, missing, satisfied
from engine.step import Hazard
from tests.engine.toys import Bench, a_check, a_step, answers

NO = a_check("voters", answers(missing("one of 3 cannot be asked")), sight_s=20.0)


def test_what_joins_waits_for_no_yes_that_only_its_joining_can_bring(bench: Bench) -> None:
    step = a_step("a", system="etcd", bad=Hazard.DISRUPTS, joins="not on the shelf")
    assert bench.run(step, guards={"etcd": NO}).converged


def test_what_has_joined_meanwhile_is_guarded(bench: Bench) -> None:
    looks = answers(missing("waits"), drifted("differs"))
    line = bench.run(a_step("a", system="etcd", bad=Hazard.DISRUPTS, joins="waits", looks=looks), guards={"etcd": NO})["toy.put/a"]
    assert isinstance(line.error, GuardRefused) and bench.shelf.done == []


def test_what_was_done_meanwhile_needs_no_yes(bench: Bench) -> None:
    looks = answers(missing("waits"), satisfied("done"))
    assert bench.run(a_step("a", system="etcd", bad=Hazard.DISRUPTS, joins="waits", looks=looks), guards={"etcd": NO}).converged
    assert bench.shelf.done == []
