"""States of a real Ceph, recorded: each is judged as its facts say. Skips where the recordings are not at hand.

Three are called fine because one look cannot tell them from a whole Ceph: mds-killed-5s and mgr-killed-5s, which the next look
tells, and osd-killed-3-stale (all OSDs lost power at once), which only a write does.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.ceph.reading import ceph_pools, ceph_status
from cluster.storage.ceph.judge import judge
from cluster.storage.findings import Weight, worst

FACTS = Path(__file__).parents[4].parent / "shared" / "facts" / "ceph"
OTHERWISE = {
    # The prototype read no pools: 94 % of a quota is told where they are.
    "pool-quota-near": "warn",
}
WORDS = {Weight.FINE: "ok", Weight.NOTED: "warn", Weight.BLOCKS: "block", Weight.UNKNOWN: "block"}


def recorded() -> dict[str, str]:
    """Name of a recording → what was concluded of it."""
    path = FACTS / "verdicts.txt"
    if not path.is_file():
        return {}
    return {line.split()[0]: line.split()[2] for line in path.read_text().splitlines() if line.strip()}


def answer(name: str, part: str) -> Any:
    path = FACTS / "recordings" / name / f"{part}.json"
    return json.loads(path.read_text()) if path.is_file() else None


@pytest.mark.skipif(not recorded(), reason="the recordings are not at hand")
def test_every_recording_is_judged_as_its_facts_say() -> None:
    wrong = {}
    for name, verdict in recorded().items():
        pools = ceph_pools(answer(name, "df"), answer(name, "osd-pool-ls-detail"))
        found = judge(ceph_status(answer(name, "status"), answer(name, "health-detail"), pools)).all
        expected = OTHERWISE.get(name, verdict)
        if WORDS[worst(found)] != expected:
            wrong[name] = (WORDS[worst(found)], expected, [f"{one.weight.value} {one.told}" for one in found])
    assert wrong == {}


@pytest.mark.skipif(not recorded(), reason="the recordings are not at hand")
@pytest.mark.parametrize("name", ["fs-failed", "mds-down", "mds-killed", "mds-less-than-max"])
def test_a_filesystem_without_its_server_leaves_block_devices_alone(name: str) -> None:
    found = judge(ceph_status(answer(name, "status"), answer(name, "health-detail")))
    assert (worst(found.whole), worst(found.filesystems)) == (Weight.FINE, Weight.BLOCKS)
