"""The Csi port on a real Kubernetes API: what kubelets registered, and the objects of OpenEBS's engines.

Fields as in their API types: ZFSNode (zfs.openebs.io/v1), LVMNode (local.openebs.io/v1alpha1), DiskPool (openebs.io/v1beta2).
"""

from __future__ import annotations

from collections.abc import Iterator

from adapters.csi.results import CsiLook, Driver, Pool
from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.kinds import NODE, Kind
from adapters.kubernetes.objects import Obj, name_of, number, rows, table, text
from house.quantity import bytes_of

CSI_NODE = Kind("storage.k8s.io", "v1", "csinodes", "CSINode", namespaced=False)
ZFS_NODE = Kind("zfs.openebs.io", "v1", "zfsnodes", "ZFSNode")
LVM_NODE = Kind("local.openebs.io", "v1alpha1", "lvmnodes", "LVMNode")
DISK_POOL = Kind("openebs.io", "v1beta2", "diskpools", "DiskPool")


class KubernetesCsi:
    """See port.CsiView."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def look(self) -> CsiLook:
        """Raises TransientError when the API gives no answer."""
        client = self._clients.main()
        on: dict[str, list[str]] = {}
        for node in client.list_objects(CSI_NODE):
            for driver in rows(node, "spec", "drivers"):
                on.setdefault(text(driver, "name"), []).append(name_of(node))
        drivers = tuple(Driver(name, tuple(sorted(nodes))) for name, nodes in sorted(on.items()))
        return CsiLook(tuple(sorted(map(name_of, client.list_objects(NODE)))), drivers, tuple(_pools(client)))


def _pools(client: ApiClient) -> Iterator[Pool]:
    for node in client.list_if_served(ZFS_NODE) or ():
        for pool in rows(node, "pools"):
            yield Pool("zfs", name_of(node), text(pool, "name"), _size(pool, "free"), _total(pool))
    for node in client.list_if_served(LVM_NODE) or ():
        for group in rows(node, "volumeGroups"):
            lost = number(group, "missingPvCount")
            told = f"{lost} of its disks missing" if lost else ""
            yield Pool("lvm", name_of(node), text(group, "name"), _size(group, "free"), _size(group, "size"), told, well=not lost)
    for pool in client.list_if_served(DISK_POOL) or ():
        status = table(pool, "status")
        state = text(status, "pool_status")
        free, size = (status.get(key) for key in ("available", "capacity"))
        yield Pool(
            "mayastor", text(pool, "spec", "node"), name_of(pool), free if isinstance(free, int) else None,
            size if isinstance(size, int) else None, state, well={"Online": True, "": None}.get(state, False),
        )  # fmt: skip


def _size(obj: Obj, key: str) -> int | None:
    """A quantity; None where nothing is written."""
    written = text(obj, key)
    return bytes_of(written) if written else None


def _total(pool: Obj) -> int | None:
    free, used = _size(pool, "free"), _size(pool, "used")
    return None if free is None or used is None else free + used
