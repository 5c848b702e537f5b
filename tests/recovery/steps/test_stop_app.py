"""recovery.stop-app: the application is stopped when its pods are gone, and not when somebody was told to stop it."""

from __future__ import annotations

import pytest

from adapters.kubernetes.results import Workload
from engine.probe import Condition
from lab.ports.kubernetes.cluster import ModelledCluster
from recovery.course import course
from tests.hands import do, see
from tests.recovery.conftest import Restoring

HOLD, STOP = "recovery.hold-again/apps/notes", "recovery.stop-app/apps/notes"


@pytest.mark.parametrize(
    ("one", "condition"),
    [
        (Workload("Deployment", "apps", "notes", 0, 0, resting=1), Condition.SATISFIED),
        (Workload("Deployment", "apps", "notes", 0, 0, resting=1, pods=1), Condition.MISSING),  # its controller has not seen it
        (Workload("Deployment", "apps", "notes", 1, 0, resting=1), Condition.MISSING),  # its operator has scaled it back
        (Workload("CronJob", "apps", "notes", 0, 0), Condition.MISSING),
        (Workload("CloneSet", "apps", "notes", 0, 1, pods=1), Condition.MISSING),
    ],
)
def test_it_is_stopped_when_nothing_is_wanted_and_no_pod_is_left(
    alive: Restoring, monkeypatch: pytest.MonkeyPatch, one: Workload, condition: Condition
) -> None:
    replacing = course(alive.house, alive.house.claims, again=alive.house.claims)
    do(alive, replacing, HOLD)
    do(alive, replacing, STOP)
    assert see(alive, replacing, STOP).condition is Condition.SATISFIED
    monkeypatch.setattr(ModelledCluster, "workloads", lambda *_: (one,))
    seen = see(alive, replacing, STOP)
    assert seen.condition is condition, seen
