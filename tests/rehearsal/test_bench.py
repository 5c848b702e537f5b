"""What `python -m bench.drill` tells of its turns: the one in the middle, and whatever any of them left out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.drill import Turn, tell
from bench.proof import Load
from bench.table import Table
from recovery.compared.attributes import Told
from recovery.compared.comparison import Comparison

LOAD = Load(size=1000, files=10, folders=2)
WHOLE = Turn(4.0, 3.0, 1.0, Comparison(10, 2, Told(()), 0, (), ""), 0)


def told(*turns: Turn) -> Table:
    table = Table("drill")
    tell(table, LOAD, turns)
    return table


def test_of_each_the_one_in_the_middle_counts() -> None:
    slow, quick = Turn(9.0, 9.0, 9.0, WHOLE.result, 0), Turn(3.0, 2.0, 0.5, WHOLE.result, 0)
    rows = told(slow, quick, WHOLE).rows
    assert [(row.value, row.met) for row in rows] == [(4.0, True), (3.0, True), (1.0, True), (1.0, True), (0, True), (0, True)]
    assert rows[0].note.endswith("of 9.0, 3.0, 4.0"), "each turn is told, in its order"


def test_a_drill_is_held_against_the_plain_restore_of_its_own_turn() -> None:
    """A disk that grows quicker from turn to turn is quicker for both: of each the middle would be of two turns."""
    turns = (Turn(20.0, 19.0, 1.0, WHOLE.result, 0), Turn(10.0, 8.0, 1.0, WHOLE.result, 0), Turn(10.0, 12.0, 1.0, WHOLE.result, 0))
    ratio = told(*turns).rows[3]
    assert (ratio.value, ratio.met, ratio.note) == (1.0, True, "of 1.00, 0.90, 1.30")


SHORT = replace(WHOLE, result=replace(WHOLE.result, files=8))
DIFFERS = replace(WHOLE, result=replace(WHOLE.result, differences=("a", "b")))
READS = replace(WHOLE, data_reads=2)


@pytest.mark.parametrize("turns", [(SHORT, WHOLE), (WHOLE, SHORT), (DIFFERS, WHOLE), (READS, WHOLE), (WHOLE, READS)])
def test_what_any_turn_left_out_or_fetched_misses_the_goal(turns: tuple[Turn, ...]) -> None:
    assert [row.value for row in told(*turns).rows if not row.met] == [2]
