"""Two machines, skewed, suspended, cut off and killed: who has lost the house begins nothing, and what was in flight is named."""

from __future__ import annotations

from tests.crash.lease.leases import played


def test_nothing_is_begun_after_the_loss_and_what_was_in_flight_is_named() -> None:
    tally = played(range(20))
    assert tally.wrong == []
    assert tally.counts["begun before an API server answered"] > 10 and tally.counts["all done"] > 10
    assert tally.counts["lost in flight"] > 2 and tally.counts["named by the next run"] > 2


STOPS = 16
"""A schedule in which a clock that a suspension stops lets a mutation begin late: tried first, for such are rare."""


def test_the_schedules_would_see_a_clock_that_a_suspension_stops() -> None:
    assert played((STOPS, *range(200)), stands_still=True, until="late").counts["late"] > 0


def test_the_schedules_would_see_that_nothing_excludes_before_an_api_server_answers() -> None:
    assert played(range(200), reserving=False, until="overlap").counts["overlap"] > 0
