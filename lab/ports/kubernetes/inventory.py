"""The port of what a cluster keeps and where, in process, on the modelled cluster."""

from __future__ import annotations

from collections.abc import Iterable

from adapters.kept.results import is_aside
from adapters.longhorn.results import LonghornLook
from house.known.inventory import CephRecord, LonghornRecord, Stores, VolumeRecord
from lab.world.cluster.kubernetes import KubeWorld, Objects
from lab.world.cluster.longhorn import replicas_of
from lab.world.cluster.rook import MONITORS


class ModelledInventory:
    """Inventory port (adapters.inventory.port)."""

    def __init__(self, kube: KubeWorld) -> None:
        self._kube = kube

    def look(self) -> Stores:
        """See port.InventoryView."""
        with self._kube.world.looking():
            objects = self._kube.objects()
            rook = sorted((one.cluster for one in objects.rook), key=lambda one: (one.namespace, one.name))
            longhorn = objects.longhorn or LonghornLook(served=False)
            return Stores(
                date="",
                volumes=_volumes(objects),
                ceph=tuple(CephRecord(one.namespace, one.name, one.fsid, MONITORS) for one in rook),
                longhorn=tuple(
                    LonghornRecord(one.name, one.claim, one.size, replicas_of(one, longhorn))
                    for one in sorted(longhorn.volumes, key=lambda one: one.name)
                ),
            )


def _volumes(objects: Objects) -> tuple[VolumeRecord, ...]:
    """Of claims that are bound, and of those that we keep without a claim."""
    drivers = {name: one.provisioner for name, one in objects.storage_classes.items()}
    # Of a class's parameters ceph-csi notes on each volume on which Ceph it is.
    ceph = {name: _told(one.parameters) for name, one in objects.storage_classes.items()}
    bound = {one.bound_to: (f"{one.namespace}/{one.name}", one.storage_class) for one in objects.claims.values() if one.bound}
    apart = {one.name for one in objects.kept.values() if one.name not in bound and not one.brought}
    bound |= {one.name: (f"{one.namespace}/{one.claim}", "lab") for one in objects.kept.values() if one.name in apart}
    made = (
        VolumeRecord(name, claim, drivers.get(kind, ""), name, "1Gi", kind, "Retain" if name in objects.kept else "Delete",
                     ("ReadWriteOnce",), "Filesystem", attributes=ceph.get(kind, ()))
        for name, (claim, kind) in bound.items() if not (name in objects.kept and is_aside(claim.partition("/")[2]))
    )  # fmt: skip
    return tuple(sorted(made, key=lambda one: (one.claim, one.name)))


def _told(parameters: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(one for one in parameters if one[0] == "clusterID")
