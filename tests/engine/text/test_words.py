"""Numbers with their nouns, and lists cut short."""

from __future__ import annotations

import pytest

from engine.text.words import agreed, last_lines, number, some


@pytest.mark.parametrize(
    ("names", "most", "told"),
    [((), 3, ""), (("a",), 3, "a"), (("a", "b", "c"), 3, "a, b, c"), (("a", "b", "c", "d", "e"), 3, "a, b, c and 2 more"),
     (("a", "b"), 1, "a and 1 more")],
)  # fmt: skip
def test_a_long_list_is_cut_short_and_says_by_how_much(names: tuple[str, ...], most: int, told: str) -> None:
    assert some(names, most) == told


def test_a_number_has_its_noun() -> None:
    assert [agreed(names, "is off", "are off") for names in (["a"], ["a", "b"])] == ["a is off", "a, b are off"]
    assert (number(1, "node"), number(2, "node"), number(1200, "is", "are")) == ("1 node", "2 nodes", "1,200 are")


@pytest.mark.parametrize(
    ("said", "most", "told"),
    [("", 1, ()), ("  \n\n", 2, ()), ("one\n two \n\n", 1, ("two",)), (("one", "two", ""), 2, ("one", "two")),
     ("Error: it is down\nHint: ask again\n", 1, ("Error: it is down",)), ("# noise\nhint: more", 3, ())],
)  # fmt: skip
def test_the_last_lines_are_those_that_say_anything(said: str | tuple[str, ...], most: int, told: tuple[str, ...]) -> None:
    assert last_lines(said, most, noise=("hint:", "#")) == told
