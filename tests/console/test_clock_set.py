"""A clock that somebody sets while a verb is at work, as a machine without a battery does once it reaches a time server."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from engine.text.ages import SKEW_S, clock_set
from engine.waiting import WallTime
from tests.console.modelled_doors import Desk


@dataclass
class Clock:
    """Of which the time of day can be set."""

    ahead: float = 0.0
    passed: float = 0.0

    def now(self) -> float:
        """As it was set."""
        return 1_781_000_000.0 + self.ahead + self.passed

    def monotonic(self) -> float:
        """As it passes."""
        return 77.0 + self.passed

    def sleep(self, seconds: float) -> None:
        """Nobody does."""


@pytest.mark.parametrize(("by", "words"), [
    (0.0, ""), (SKEW_S, ""), (-SKEW_S, ""), (3600.0, "set ahead by 60 min"), (-3600.0, "set back by 60 min"),
    (-1_780_999_990.0, "set back by"), (10 * 365 * 86400.0, "set ahead by"),
])  # fmt: skip
def test_it_is_told_with_what_came_of_the_verb(desk: Desk, capsys: pytest.CaptureFixture[str], by: float, words: str) -> None:
    clock, session = Clock(), desk.session("dr.status", json=True)
    session.wall_time = WallTime(clock)
    clock.passed, clock.ahead = 7200.0, by
    session.finish("done", {}, 0)
    closing = json.loads(capsys.readouterr().out.splitlines()[-1])["result"].get("closing", [])
    assert [words in one for one in closing] == ([True] if words else [])
    assert words in clock_set(by)
