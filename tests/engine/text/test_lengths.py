"""Lengths of time as a person reads them, each way of telling them held at its edges."""

from __future__ import annotations

import pytest

from engine.text.ages import ago
from engine.text.lengths import about, duration, span, ticking


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(None, "unknown"), (0, "0 s"), (0.0421, "0.0421 s"), (9.99, "9.99 s"), (59.6, "1 min"), (60, "1 min"), (61, "1 min 1 s"),
     (3600, "1 h"), (3660, "1 h 1 min"), (7199.7, "2 h"), (90000, "1 d 1 h"), (-120, "-2 min")],
)  # fmt: skip
def test_times_for_a_person(seconds: float | None, told: str) -> None:
    assert duration(seconds) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(-5, "0 s"), (0, "0 s"), (119.4, "119 s"), (120, "2 min"), (7199, "120 min"),
     (7200, "2.0 h"), (172799, "48.0 h"), (172800, "2.0 days")],
)  # fmt: skip
def test_an_age_has_one_unit(seconds: float, told: str) -> None:
    assert span(seconds) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min 00 s"), (185, "3 min 05 s"), (3600, "1 h 00 min"),
     (7450, "2 h 04 min")],
)  # fmt: skip
def test_what_grows_keeps_its_width(seconds: float, told: str) -> None:
    assert ticking(seconds) == told


@pytest.mark.parametrize(
    ("seconds", "told"), [(0, "about 5 s"), (43, "about 45 s"), (90, "about 2 min"), (5399, "about 90 min"), (5400, "about 1.5 h")]
)
def test_a_guess_is_rounded(seconds: float, told: str) -> None:
    assert about(seconds) == told


def test_ago_is_said_of_what_was_and_of_nothing_that_is_to_come() -> None:
    assert (ago(1000.0, 1840.0), ago(1000.0, 900.0), ago(1000.0, 0.0)) == ("14 min ago", "0 s ago", "at a time that is yet to come")
