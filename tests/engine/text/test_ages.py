"""How old a thing is: a date that is yet to come has no age, and is neither young nor old."""

from __future__ import annotations

import pytest

from engine.text.ages import SKEW_S, age_of, lasted, older, to_come, within

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("at", "age"), [(NOW - 60, 60.0), (NOW, 0.0), (NOW + SKEW_S, 0.0), (NOW + SKEW_S + 1, None), (NOW + 86400, None), (0.0, NOW)]
)
def test_an_age_is_never_less_than_none_and_unknown_where_a_clock_is_wrong(at: float, age: float | None) -> None:
    assert age_of(at, NOW) == age and to_come(at, NOW) is (age is None)


@pytest.mark.parametrize(("at", "young", "old"), [(NOW - 10, True, False), (NOW - 11, False, True), (NOW + 9999, False, False)])
def test_what_is_yet_to_come_is_neither_young_nor_old(at: float, young: bool, old: bool) -> None:
    assert (within(at, NOW, 10), older(at, NOW, 10)) == (young, old)


@pytest.mark.parametrize(("at", "told"), [
    (0.0, "unknown"), (NOW - 5400, "90 min"), (NOW - 9600 * 3600, "400.0 days"), (NOW + 86400, "yet to come: a clock is wrong"),
])  # fmt: skip
def test_a_screen_tells_no_age_below_none(at: float, told: str) -> None:
    assert lasted(at, NOW, "unknown") == told
