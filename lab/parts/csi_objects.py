"""Objects of the smaller storages for the lab's API servers: drivers on nodes, OpenEBS's pools, the classes. None of it runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from adapters.csi.adapter import CSI_NODE, DISK_POOL, LVM_NODE, ZFS_NODE
from adapters.csi.results import CsiLook, Pool
from adapters.kubernetes.kinds import Kind
from adapters.kubernetes.results import StorageClass
from lab.parts.kube import STORAGE_CLASSES, Kube, Object, Resource
from lab.parts.storage_objects import replace_all, stand

SPACE = "openebs"
_MIB = 1 << 20
_CSI_NODES = Resource("/apis/storage.k8s.io/v1", "csinodes", namespaced=False)
_POOLS = (ZFS_NODE, LVM_NODE, DISK_POOL)


def pool_objects(look: CsiLook) -> Iterator[tuple[Kind, Object]]:
    """One object for each node and engine that has pools, one for each pool of Mayastor."""
    for kind, key, engine in ((ZFS_NODE, "pools", "zfs"), (LVM_NODE, "volumeGroups", "lvm")):
        of_it = look.of_engine(engine)
        for node in sorted({pool.node for pool in of_it}):
            yield kind, _named(kind, node) | {key: [_group(pool) for pool in of_it if pool.node == node]}
    for pool in look.of_engine("mayastor"):
        told = {"pool_status": pool.state, "available": pool.free, "capacity": pool.size}
        status = {name: value for name, value in told.items() if value not in (None, "")}
        yield DISK_POOL, _named(DISK_POOL, pool.name) | {"spec": {"node": pool.node}, "status": status}


def node_objects(look: CsiLook) -> Iterator[Object]:
    """What each kubelet registered."""
    for node in look.nodes:
        drivers = [{"name": one.name, "nodeID": node, "topologyKeys": None} for one in look.drivers if node in one.nodes]
        yield {
            "apiVersion": CSI_NODE.api_version, "kind": CSI_NODE.name, "metadata": {"name": node}, "spec": {"drivers": drivers},
        }  # fmt: skip


def put_csi(kube: Kube, look: CsiLook, classes: Iterable[StorageClass]) -> None:
    """Let the API servers tell of all this."""
    stand(kube, SPACE, _POOLS)
    replace_all(kube, _POOLS, SPACE, pool_objects(look))
    for found in classes:
        kube.apply(STORAGE_CLASSES, {
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": found.name},
            "provisioner": found.provisioner, "parameters": dict(found.parameters),
        })  # fmt: skip
    for item in node_objects(look):
        old = kube.get(_CSI_NODES, item["metadata"]["name"])
        if old is not None:
            kube.delete(_CSI_NODES, old, at_once=True)
        kube.create(_CSI_NODES, item)


def _group(pool: Pool) -> Object:
    used = None if pool.size is None else pool.size - (pool.free or 0)
    sizes = {"free": pool.free, "used": used, "size": pool.size}
    told = {name: f"{size // _MIB}Mi" for name, size in sizes.items() if size is not None}
    return {"name": pool.name, "missingPvCount": int(pool.well is False), **told}


def _named(kind: Kind, name: str) -> Object:
    return {"apiVersion": kind.api_version, "kind": kind.name, "metadata": {"name": name, "namespace": SPACE}}
