"""The Csi port on a real Kubernetes API: what kubelets registered, and the objects of OpenEBS's engines.

Fields as in their API types: ZFSNode (zfs.openebs.io/v1), LVMNode (local.openebs.io/v1alpha1), DiskPool (openebs.io/v1beta2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from adapters.csi.results import CsiLook, Driver, Pool, Role, Sidecar, lease_of, secrets_of
from adapters.kubernetes.adapter import storage_class
from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.kinds import LEASE, NODE, SECRET, STORAGE_CLASS, Kind
from adapters.kubernetes.objects import Obj, name_of, number, rows, seconds, table, text
from engine.errors import PermanentError
from engine.text import words
from house.files.quantity import bytes_of

CSI_NODE = Kind("storage.k8s.io", "v1", "csinodes", "CSINode", namespaced=False)
CSI_DRIVER = Kind("storage.k8s.io", "v1", "csidrivers", "CSIDriver", namespaced=False)
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
        classes = [*map(storage_class, client.list_objects(STORAGE_CLASS))]
        registered = tuple(sorted(map(name_of, client.list_objects(CSI_DRIVER))))
        names = {*on, *registered, *(one.provisioner for one in classes)}
        lacking, unseen = _secrets(client, sorted({secret for one in classes for secret in secrets_of(one)}))
        return CsiLook(
            tuple(sorted(map(name_of, client.list_objects(NODE)))), drivers, tuple(_pools(client)), registered,
            tuple(_sidecars(client, names)), lacking, unseen,
        )  # fmt: skip


def _sidecars(client: ApiClient, drivers: Iterable[str]) -> Iterator[Sidecar]:
    """By the names of their Leases, in whatever namespace."""
    known = {lease_of(driver, role): (driver, role) for driver in sorted(drivers) for role in Role}
    for lease in client.list_objects(LEASE):
        if (named := known.get(name_of(lease))) is not None:
            renewed = text(lease, "spec", "renewTime")
            yield Sidecar(*named, text(lease, "spec", "holderIdentity"), seconds(renewed) if renewed else None)


def _secrets(client: ApiClient, wanted: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which of these are not there, and which may not be looked at. What is in one is not asked."""
    lacking, unseen = [], []
    for one in wanted:
        space, _, name = one.partition("/")
        try:
            if not client.list_objects(SECRET, space, fields=f"metadata.name={name}", metadata_only=True):
                lacking.append(one)
        except PermanentError:
            unseen.append(one)
    return tuple(lacking), tuple(unseen)


def _pools(client: ApiClient) -> Iterator[Pool]:
    for node in client.list_if_served(ZFS_NODE) or ():
        for pool in rows(node, "pools"):
            yield Pool("zfs", name_of(node), text(pool, "name"), _size(pool, "free"), _total(pool))
    for node in client.list_if_served(LVM_NODE) or ():
        for group in rows(node, "volumeGroups"):
            lost = number(group, "missingPvCount")
            told = words.number(lost, "disk of it missing", "disks of it missing") if lost else ""
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
