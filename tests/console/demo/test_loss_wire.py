"""What the demo of losses counts in a running house."""

from __future__ import annotations

import pytest

from console.demo.loss.modelled import SCENES
from console.demo.loss.wire import SCHEDULE_S, made_of_due
from console.demo.loss.wire_scenes import WIRE_SCENES
from lab.neighbours import Counts

BEGAN = 1000 * SCHEDULE_S + 5.0


@pytest.mark.parametrize(("after", "made", "counted"), [
    (60.0, (), []),  # none was due
    (SCHEDULE_S, (), []),  # it may still come
    (SCHEDULE_S, (SCHEDULE_S - 4.0,), [True]),
    (2 * SCHEDULE_S, (), [False]),  # too late by now
    (3 * SCHEDULE_S, (SCHEDULE_S + 30.0, 2 * SCHEDULE_S + 30.0), [True, True]),
    (3 * SCHEDULE_S, (2 * SCHEDULE_S + 30.0,), [True, False]),  # one snapshot is no two backups
    (2 * SCHEDULE_S, (-100.0,), [False]),  # of before
])  # fmt: skip
def test_a_backup_that_was_due_was_made_or_missed(after: float, made: tuple[float, ...], counted: list[bool]) -> None:
    assert made_of_due(BEGAN, BEGAN + after, [BEGAN + one for one in made]) == counted


def test_nobody_is_undisturbed_who_was_not_looked_at() -> None:
    assert not Counts().undisturbed
    assert Counts(probes=3, backups=1).undisturbed
    assert not Counts(probes=3, backups=1, missed_backups=1).undisturbed


def test_each_bad_day_is_played_behind_both_doors() -> None:
    assert [scene.name for scene in WIRE_SCENES] == [scene.name for scene in SCENES]
