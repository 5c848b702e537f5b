"""Rook that is told to erase disks of another Ceph destroys the old data in a rebuild: Git's own line is named."""

from __future__ import annotations

from typing import Any

import pytest

from house.flux.rendered import Rendered, RenderedObject
from house.repository.talconfigs.erased_disks import erased_disks

ERASES = {"cleanupPolicy": {"wipeDevicesFromOtherClusters": True}}


def an_object(api: str, kind: str, spec: Any) -> RenderedObject:
    body = {"apiVersion": api, "kind": kind, "metadata": {"name": "rook-ceph"}, "spec": spec}
    return RenderedObject(api, kind, "rook-ceph", "rook-ceph", body, "rook-ceph/cluster", "kubernetes/rook.yaml", 7)


@pytest.mark.parametrize(
    ("api", "kind", "spec"),
    [
        ("ceph.rook.io/v1", "CephCluster", ERASES),
        ("helm.toolkit.fluxcd.io/v2", "HelmRelease", {"values": {"cephClusterSpec": ERASES}}),
    ],
)
def test_a_declaration_that_erases_old_disks_is_named_at_its_line(api: str, kind: str, spec: Any) -> None:
    (note,) = erased_disks(Rendered((an_object(api, kind, spec),), ()))
    assert str(note).startswith(f"kubernetes/rook.yaml:7: {kind} rook-ceph/rook-ceph has Rook erase disks of another Ceph")


@pytest.mark.parametrize(
    ("api", "kind", "spec"),
    [
        ("ceph.rook.io/v1", "CephCluster", {"cleanupPolicy": {"wipeDevicesFromOtherClusters": False}}),
        ("ceph.rook.io/v1", "CephCluster", {"cleanupPolicy": None}),
        ("ceph.rook.io/v1", "CephCluster", {"cleanupPolicy": ["wipeDevicesFromOtherClusters"]}),
        ("ceph.rook.io/v1", "CephCluster", None),
        ("helm.toolkit.fluxcd.io/v2", "HelmRelease", {"values": ERASES}),
        ("helm.toolkit.fluxcd.io/v2", "HelmRelease", {"values": {"cephClusterSpec": "x"}}),
        ("other.invalid/v1", "CephCluster", ERASES),
    ],
)
def test_what_erases_nothing_or_is_of_another_shape_is_not(api: str, kind: str, spec: Any) -> None:
    assert list(erased_disks(Rendered((an_object(api, kind, spec),), ()))) == []
