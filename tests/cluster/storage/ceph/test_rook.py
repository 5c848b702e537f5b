"""A CephCluster is what an operator wrote down: old, muted or emptied words are never a healthy Ceph, and it says what it lacks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.ceph.results import CephCheck, RookCluster, RookPart
from cluster.storage.ceph.rook import UNSEEN, judge_rook
from cluster.storage.findings import Weight, worst

NOW = 1_800_000_000.0
WHOLE = RookCluster(
    "rook-ceph", "rook-ceph", "Ready", "", "0c5f1d52-0000-4000-8000-000000000001", "HEALTH_OK", (), NOW - 20, NOW - 86_400,
    free=10, total=20, versions=("ceph 18.2.4",),
    parts=(RookPart("CephBlockPool", "ceph-block", "Ready"), RookPart("CephFilesystem", "ceph-fs", "Ready")),
)  # fmt: skip


def check(code: str, severity: str = "HEALTH_WARN") -> CephCheck:
    return CephCheck(code, severity, "said so", muted=None)


def test_a_whole_one_is_fine_and_says_what_was_not_seen() -> None:
    found = judge_rook(WHOLE, NOW)
    assert [one.detail for one in found.all if one.weight is not Weight.FINE] == [UNSEEN]
    assert worst(found.whole) is Weight.NOTED


@pytest.mark.parametrize(
    ("cluster", "weight", "says"),
    [
        (replace(WHOLE, last_checked=NOW - 7200), Weight.UNKNOWN, "operator: it looked last 2.0 h ago"),
        (replace(WHOLE, last_checked=NOW - 400), Weight.UNKNOWN, "operator: it looked last 7 min ago"),
        (replace(WHOLE, last_checked=NOW - 400, interval_s=300.0), Weight.NOTED, "not seen"),
        (replace(WHOLE, last_checked=NOW + 4000), Weight.UNKNOWN, "operator: it looked last at"),
        (replace(WHOLE, last_checked=0.0), Weight.UNKNOWN, "operator: it has not written down"),
        (replace(WHOLE, checks=None), Weight.UNKNOWN, "operator: it has not written down"),
        (replace(WHOLE, fsid=""), Weight.UNKNOWN, "identity: the operator does not know"),
        (replace(WHOLE, health="HEALTH_ERR", checks=(check("error", "HEALTH_ERR"),)), Weight.UNKNOWN, "health: said so (error)"),
        (replace(WHOLE, health="HEALTH_ERR"), Weight.BLOCKS, "health: it says HEALTH_ERR, and not why"),
        (replace(WHOLE, health=""), Weight.UNKNOWN, "health: it says nothing"),
        (replace(WHOLE, phase="Failure", message="no node"), Weight.BLOCKS, "cluster: its phase is Failure; no node"),
        (replace(WHOLE, phase="Deleting"), Weight.BLOCKS, "cluster: its phase is Deleting"),
        (replace(WHOLE, phase=""), Weight.UNKNOWN, "cluster: its phase is not told"),
        (replace(WHOLE, phase="Progressing"), Weight.NOTED, "cluster: its phase is Progressing"),
        (replace(WHOLE, phase="Connected", external=True), Weight.NOTED, "not seen"),
        (replace(WHOLE, checks=(check("PG_AVAILABILITY"),)), Weight.BLOCKS, "health: said so, muted by hand (PG_AVAILABILITY)"),
        (replace(WHOLE, health="HEALTH_WARN", checks=(check("OSD_DOWN"),)), Weight.NOTED, "health: said so (OSD_DOWN), since"),
        (replace(WHOLE, free=0), Weight.BLOCKS, "room: no byte is free"),
        (replace(WHOLE, versions=("ceph 18.2.4", "ceph 19.2.0")), Weight.NOTED, "versions: 2 versions"),
        (replace(WHOLE, wipes_strangers=True), Weight.NOTED, "disks: it erases disks of another Ceph"),
    ],
)
def test_what_the_operator_wrote_is_weighed(cluster: RookCluster, weight: Weight, says: str) -> None:
    found = judge_rook(cluster, NOW).whole
    assert worst(found) is weight
    assert any(one.told.startswith(says) for one in found if one.weight is weight), [one.told for one in found]


def test_pools_and_filesystems_that_were_never_made_concern_themselves_alone() -> None:
    block = "CephBlockPool"
    parts = (RookPart(block, "a", "Failure"), RookPart(block, "b", "Ready"), RookPart("CephFilesystem", "c", ""))
    found = judge_rook(replace(WHOLE, parts=parts), NOW)
    assert worst(found.whole) is Weight.NOTED
    assert (worst(found.of_pool("a")), worst(found.of_pool("b"))) == (Weight.BLOCKS, Weight.FINE)
    assert worst(found.filesystems) is Weight.UNKNOWN


def test_an_object_store_that_failed_stops_no_volume() -> None:
    found = judge_rook(replace(WHOLE, parts=(RookPart("CephObjectStore", "s3", "Failure"),)), NOW)
    assert worst(found.whole) is Weight.NOTED


def test_a_metadata_server_that_is_gone_concerns_cephfs_alone() -> None:
    found = judge_rook(replace(WHOLE, health="HEALTH_ERR", checks=(check("MDS_ALL_DOWN", "HEALTH_ERR"),)), NOW)
    assert (worst(found.whole), worst(found.filesystems)) == (Weight.NOTED, Weight.BLOCKS)
