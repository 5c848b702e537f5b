"""A drill that is killed in its middle on the wire: the next verb clears up, and nothing of it is left anywhere."""

from __future__ import annotations

import json

import pytest

from adapters.drills.fence import SCRATCH
from adapters.drills.store import CANARY
from engine.errors import EXIT_OK
from tests.crash.wire.bench import Bench
from tests.crash.wire.outside import kubectl, programs
from tests.lab.lived_in.test_drilled import CLAIM, OF_THE_HOUSE, settled, store, world

pytestmark = [pytest.mark.programs, pytest.mark.houses, pytest.mark.long]
FENCED = 3
"""So many checks and steps have ended when the fence stands and claims are being restored."""


def counted(bench: Bench) -> int:
    """How many objects are of a drill: those in its namespaces, these, and volumes whose claims were there."""
    items = json.loads(kubectl(bench, "get", ",".join((*OF_THE_HOUSE, "pods")), "-A", "-o", "json"))["items"]
    of_it = (SCRATCH, CANARY)
    return sum(
        item["metadata"].get("namespace") in of_it or item["metadata"]["name"] in of_it
        or item.get("spec", {}).get("claimRef", {}).get("namespace") in of_it
        for item in items
    )  # fmt: skip


def test_a_drill_killed_in_its_middle_is_cleared_away_by_the_next_verb(restored: Bench) -> None:
    before, stored = settled(restored), store(restored)
    ended = restored.begin("dr.rehearse", "--claims", CLAIM).kill_at(FENCED, 0.5, group=True)
    assert ended.code < 0, ended.result
    assert counted(restored) > 0
    following = restored.run("cluster.bootstrap")
    assert following.code == EXIT_OK, following.result
    assert following.result["rehearsal"]["cleared"], following.result["rehearsal"]
    assert counted(restored) == 0
    assert list(programs(restored)) == []
    assert world(restored) == before
    assert store(restored) == stored
    assert restored.run("dr.rehearse", "--claims", CLAIM).result["drill"]["verdict"] == "PASS"
