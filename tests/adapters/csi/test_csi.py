"""What kubelets registered and OpenEBS wrote becomes values; what is not written is not told."""

from __future__ import annotations

from typing import Any, cast

from adapters.csi.adapter import CSI_DRIVER, CSI_NODE, DISK_POOL, LVM_NODE, ZFS_NODE, KubernetesCsi
from adapters.csi.results import CsiLook, Driver, Pool, Role, Sidecar
from adapters.kubernetes.client import Clients
from adapters.kubernetes.kinds import LEASE, NODE, SECRET, STORAGE_CLASS, Kind
from engine.errors import PermanentError

MIB = 1 << 20


class Stored:
    """Objects as an API would list them; a kind that is not there is not served."""

    def __init__(self, objects: dict[Kind, list[dict[str, Any]]]) -> None:
        self._objects = objects

    def main(self) -> Stored:
        return self

    def list_objects(
        self, kind: Kind, namespace: str = "", *, fields: str = "", metadata_only: bool = False
    ) -> list[dict[str, Any]]:
        if kind == SECRET and namespace == "shut":
            raise PermanentError("may not be listed")
        found = [one for one in self._objects.get(kind, []) if namespace in ("", one["metadata"].get("namespace"))]
        return [one for one in found if fields in ("", f"metadata.name={one['metadata']['name']}")]

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
        Pool("lvm", "w-1", "vg0", 10 * MIB, 20 * MIB, "1 disk of it missing", well=False),
        Pool("mayastor", "w-1", "one", 5, 9, "Online", well=True), Pool("mayastor", "w-2", "two", state="Faulted", well=False),
        Pool("mayastor", "w-3", "three"),
    )  # fmt: skip


def test_a_cluster_without_any_of_it_has_none() -> None:
    assert look({}) == CsiLook()


def test_what_leads_a_driver_is_told_by_its_leases_and_the_one_that_lives_counts() -> None:
    leases = [
        named("smb-csi-k8s-io", spec={"holderIdentity": "old", "renewTime": "2026-01-01T00:00:00.000000Z"}),
        named("smb-csi-k8s-io", spec={"holderIdentity": "new", "renewTime": "2026-01-02T00:00:00.000000Z"}),
        named("external-snapshotter-leader-smb-csi-k8s-io", spec={"holderIdentity": "", "renewTime": "2026-01-02T00:00:00Z"}),
        named("kube-scheduler", spec={"holderIdentity": "cp-1"}),
    ]
    seen = look({CSI_DRIVER: [named("smb.csi.k8s.io")], LEASE: leases})
    assert seen.registered == ("smb.csi.k8s.io",)
    assert len(seen.sidecars) == 3
    assert seen.sidecar("smb.csi.k8s.io", Role.PROVISIONER) == Sidecar("smb.csi.k8s.io", Role.PROVISIONER, "new", 1767312000.0)
    assert seen.sidecar("smb.csi.k8s.io", Role.ATTACHER) is None


def test_secrets_that_classes_name_are_looked_for_and_one_that_is_another_for_each_claim_is_not() -> None:
    def of(name: str, space: str, use: str = "node-stage") -> dict[str, str]:
        return {f"csi.storage.k8s.io/{use}-secret-name": name, f"csi.storage.k8s.io/{use}-secret-namespace": space}

    classes = [
        named("a", provisioner="d", parameters=of("there", "sys") | of("gone", "sys", "provisioner")),
        named("b", provisioner="d", parameters=of("hidden", "shut")),
        named("c", provisioner="d", parameters=of("x", "${pvc.namespace}")),
        named("d", provisioner="d"),
    ]  # fmt: skip
    there = {"metadata": {"name": "there", "namespace": "sys"}}
    seen = look({STORAGE_CLASS: classes, SECRET: [there]})
    assert (seen.lacking, seen.unseen) == (("sys/gone",), ("shut/hidden",))
