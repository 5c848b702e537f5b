"""What kubelets registered and OpenEBS wrote becomes values; what is not written is not told."""

from __future__ import annotations

from typing import Any, cast

from adapters.csi.adapter import CSI_NODE, DISK_POOL, LVM_NODE, ZFS_NODE, KubernetesCsi
from adapters.csi.results import CsiLook, Driver, Pool
from adapters.kubernetes.client import Clients
from adapters.kubernetes.kinds import NODE, Kind

MIB = 1 << 20


class Stored:
    """Objects as an API would list them; a kind that is not there is not served."""

    def __init__(self, objects: dict[Kind, list[dict[str, Any]]]) -> None:
        self._objects = objects

    def main(self) -> Stored:
        return self

    def list_objects(self, kind: Kind) -> list[dict[str, Any]]:
        return self._objects.get(kind, [])

    def list_if_served(self, kind: Kind) -> list[dict[str, Any]] | None:
        return self._objects.get(kind)


def named(name: str, **body: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, **body}


def look(objects: dict[Kind, list[dict[str, Any]]]) -> CsiLook:
    return KubernetesCsi(cast("Clients", Stored(objects))).look()


def test_drivers_are_told_with_the_nodes_that_have_them() -> None:
    nodes = [named("w-2", spec={"drivers": [{"name": "nfs.csi.k8s.io"}]}), named("w-1", spec={"drivers": None}), named("w-3")]
    seen = look({NODE: [named("w-2"), named("w-1"), named("w-3")], CSI_NODE: nodes})
    assert seen == CsiLook(("w-1", "w-2", "w-3"), (Driver("nfs.csi.k8s.io", ("w-2",)),))
    assert seen.driver("gone").nodes == ()


def test_the_pools_of_each_engine_are_told() -> None:
    zfs = named("w-1", pools=[{"name": "tank", "free": "100Mi", "used": "50Mi"}, {"name": "bare"}])
    lvm = named("w-1", volumeGroups=[{"name": "vg0", "free": "10Mi", "size": "20Mi", "missingPvCount": 1}])
    pools = [
        named("one", spec={"node": "w-1"}, status={"pool_status": "Online", "available": 5, "capacity": 9}),
        named("two", spec={"node": "w-2"}, status={"pool_status": "Faulted"}), named("three", spec={"node": "w-3"}),
    ]  # fmt: skip
    seen = look({ZFS_NODE: [zfs], LVM_NODE: [lvm], DISK_POOL: pools})
    assert seen.pools == (
        Pool("zfs", "w-1", "tank", 100 * MIB, 150 * MIB), Pool("zfs", "w-1", "bare"),
        Pool("lvm", "w-1", "vg0", 10 * MIB, 20 * MIB, "1 of its disks missing", well=False),
        Pool("mayastor", "w-1", "one", 5, 9, "Online", well=True), Pool("mayastor", "w-2", "two", state="Faulted", well=False),
        Pool("mayastor", "w-3", "three"),
    )  # fmt: skip


def test_a_cluster_without_any_of_it_has_none() -> None:
    assert look({}) == CsiLook()
