"""Which faults a house on the wire meets: few deaths where CI plays it, one before every mutation in the soak. Starts none."""

from __future__ import annotations

import pytest

from lab.houses.nouns import SHAPES
from lab.world.faults import Fault
from tests.crash.wire.faults import DONE, UNDONE, Point, mutations, sample
from tests.crash.wire.soak import chosen_points
from tests.lab.lived_in.story import DEADLY, SEED

PREFIX = "127.9.9"


def died_before(points: list[Point]) -> set[str]:
    return {point.at.rpartition("#")[0] for point in points if point.fault is Fault.DIE_BEFORE}


@pytest.mark.parametrize("house", SHAPES)
@pytest.mark.parametrize("seed", [1, SEED])
def test_the_soak_dies_before_every_mutation_and_leaves_no_kind_of_fault_out(house: str, seed: int) -> None:
    points = chosen_points(SHAPES[house], PREFIX, seed, lies=False)
    assert died_before(points) == set(mutations(SHAPES[house], PREFIX))
    assert {point.fault for point in points} >= {*UNDONE, *DONE}


def test_what_ci_plays_each_time_is_a_part_of_that() -> None:
    few = sample(SHAPES["one-node"], PREFIX, SEED, deaths=DEADLY)
    assert len(died_before(few)) == DEADLY > 0
    assert {point.at.rpartition("#")[0] for point in few} == set(mutations(SHAPES["one-node"], PREFIX))
