"""What the demo of losses counts in a running house."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from console.demo.loss import wire
from console.demo.loss.modelled import SCENES
from console.demo.loss.wire import SCHEDULE_S, Watch, made_of_due
from console.demo.loss.wire_scenes import WIRE_SCENES
from engine.errors import PermanentError
from lab.houses.nouns import HouseFolder
from lab.houses.repository import TEMPLATE
from lab.modelled.neighbours import Counts

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


@pytest.mark.parametrize("answer", [PermanentError("busy"), ValueError("half a line"), {}])
def test_nobody_is_undisturbed_of_whom_most_looks_had_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Exception | dict[str, Any]
) -> None:
    looks: list[int] = []

    def ask(*_: object) -> dict[str, Any]:
        looks.append(1)
        if len(looks) == 1:
            return {"programs": {"pod-selfhosted-wiki-0": 7}}
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(wire, "ask", ask)
    monkeypatch.setattr(wire, "_PROBE_S", 0.01)
    folder = HouseFolder(tmp_path)
    (tmp_path / "store" / "buckets" / "backups" / "wiki" / "snapshots").mkdir(parents=True)
    watch = Watch(folder, "wiki")
    deadline = time.monotonic() + 20.0
    while len(looks) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    with pytest.raises(AssertionError, match="wiki was not seen"):
        watch.end()


def test_no_backup_of_the_last_hour_is_forgotten_before_a_scene_or_a_watch_has_counted_it() -> None:
    source = yaml.safe_load((TEMPLATE / "kubernetes/components/volsync/replicationsource.yaml").read_text())
    assert float(source["spec"]["restic"]["retain"]["last"]) * SCHEDULE_S >= 3600.0, "`hourly` leaves one of each hour"


def test_each_bad_day_is_played_behind_both_doors() -> None:
    assert [scene.name for scene in WIRE_SCENES] == [scene.name for scene in SCENES]
