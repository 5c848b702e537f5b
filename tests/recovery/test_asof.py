"""The moment a restore goes back to, as a person writes it."""

from __future__ import annotations

import pytest

from engine.errors import SettingsInvalid
from recovery.points.asof import as_time, moment_of


def test_a_zone_counts_and_without_one_it_is_utc() -> None:
    assert as_time("2026-11-24T03:00:00Z") == as_time("2026-11-24T04:00:00+01:00") == as_time("2026-11-24T03:00:00")
    assert as_time("1970-01-02") == 86400.0


@pytest.mark.parametrize("text", [
    "1970-01-01T00:00:00Z", "1969-12-31", "yesterday", "", "24.11.2026", "2026-13-01", "9999-12-31T23:59:59-23:00",
])  # fmt: skip
def test_what_is_no_time_is_refused_with_a_right_one(text: str) -> None:
    with pytest.raises(SettingsInvalid, match="right would be: 2026-11-24T03:00:00Z"):
        as_time(text)


NOW = as_time("2026-11-24T03:00:00Z")


def test_a_moment_that_is_yet_to_come_is_refused_with_what_our_clock_says() -> None:
    """It would be read as: the newest. The year 2062 is 2026 with two digits changed."""
    with pytest.raises(SettingsInvalid, match="later than now") as caught:
        moment_of("2062-11-24", NOW)
    assert "this machine's clock says 2026-11-24T03:00:00Z" in caught.value.hint


def test_clocks_differ_by_minutes_and_none_given_is_none() -> None:
    assert moment_of("2026-11-24T03:04:59Z", NOW) == NOW + 299
    assert moment_of("2026-11-24T02:59:59Z", NOW) == NOW - 1
    assert moment_of("", NOW) == 0.0
