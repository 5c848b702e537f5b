"""A CephCluster object becomes what its operator wrote; what it lacks, or has in another shape, was not written."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from adapters.ceph.results import CephCheck, RookPart
from adapters.ceph.rook import rook_cluster
from cluster.storage.ceph.rook import judge_rook
from cluster.storage.findings import Weight, worst

FSID = "0c5f1d52-0000-4000-8000-000000000001"
PARTS = (RookPart("CephBlockPool", "ceph-block", "Ready"),)


def written(**ceph: Any) -> dict[str, Any]:
    """The object as an operator leaves it; `ceph` changes what stands under status.ceph."""
    told = {
        "health": "HEALTH_WARN", "fsid": FSID, "lastChecked": "2027-01-15T07:59:30Z", "lastChanged": "2027-01-15T07:00:00Z",
        "details": {"OSD_NEARFULL": {"severity": "HEALTH_WARN", "message": "1 nearfull osd(s)"}},
        "capacity": {"bytesTotal": 100, "bytesAvailable": 40, "bytesUsed": 60},
        "versions": {"overall": {"ceph version 19.2.3": 7}, "osd": {"ceph version 19.2.3": 3}},
    }  # fmt: skip
    return {
        "metadata": {"namespace": "rook-ceph", "name": "rook-ceph"},
        "spec": {
            "cleanupPolicy": {"wipeDevicesFromOtherClusters": True},
            "healthCheck": {"daemonHealth": {"status": {"interval": "1m30s"}}},
        },
        "status": {"phase": "Ready", "ceph": told | ceph},
    }


def test_it_is_read_whole() -> None:
    found = rook_cluster(written(), PARTS)
    assert (found.phase, found.health, found.fsid) == ("Ready", "HEALTH_WARN", FSID)
    assert found.checks == (CephCheck("OSD_NEARFULL", "HEALTH_WARN", "1 nearfull osd(s)", muted=None),)
    assert (found.last_checked, found.last_changed, found.interval_s) == (1_799_999_970.0, 1_799_996_400.0, 90.0)
    assert (found.free, found.total, found.versions) == (40, 100, ("ceph version 19.2.3",))
    assert (found.wipes_strangers, found.external, found.parts) == (True, False, PARTS)


def test_no_details_are_no_checks_and_no_health_is_none_written() -> None:
    calm = written(health="HEALTH_OK")
    del calm["status"]["ceph"]["details"]
    assert rook_cluster(calm, ()).checks == ()
    assert rook_cluster({"metadata": {}}, ()).checks is None
    assert rook_cluster(written(health=""), ()).checks is None


@pytest.mark.parametrize("key", ["health", "fsid", "lastChecked", "details", "capacity", "versions"])
@pytest.mark.parametrize("odd", [None, "", 7, [], ["x"], {"x": 1}, True, "9" * 5000])
def test_no_odd_value_is_a_traceback_and_none_makes_it_better(key: str, odd: Any) -> None:
    plain = worst(judge_rook(rook_cluster(written(), ()), 1_800_000_000.0).all)
    changed = copy.deepcopy(written(**{key: odd}))
    found = worst(judge_rook(rook_cluster(changed, ()), 1_800_000_000.0).all)
    assert plain is Weight.NOTED
    assert found in (Weight.NOTED, Weight.UNKNOWN, Weight.BLOCKS)


@pytest.mark.parametrize("odd", [None, [], "x", {"metadata": {"namespace": "a"}, "status": []}])
def test_an_object_of_another_shape_is_unknown(odd: Any) -> None:
    whole = odd if isinstance(odd, dict) else {"status": odd, "spec": odd}
    assert worst(judge_rook(rook_cluster(whole, ()), 1_800_000_000.0).whole) is Weight.UNKNOWN
