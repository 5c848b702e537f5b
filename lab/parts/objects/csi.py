"""Objects of the smaller storages for the lab's API servers: drivers on nodes, what leads them, OpenEBS's pools, the classes and
the Secrets that these name. None of it runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from adapters.csi.adapter import CSI_DRIVER, CSI_NODE, DISK_POOL, LVM_NODE, ZFS_NODE
from adapters.csi.results import CsiLook, Pool, lease_of, secrets_of
from adapters.kubernetes.kinds import LEASE, SECRET, Kind
from adapters.kubernetes.objects import micro_stamp
from adapters.kubernetes.results import StorageClass
from lab.parts.kube import LEASES, SECRETS, STORAGE_CLASSES, Kube, Object, Resource
from lab.parts.objects.storage import replace_all, stand

SPACE = "openebs"
_MIB = 1 << 20
_CSI_NODES = Resource("/apis/storage.k8s.io/v1", "csinodes", namespaced=False)
_CSI_DRIVERS = Resource("/apis/storage.k8s.io/v1", "csidrivers", namespaced=False)
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


def class_object(found: StorageClass) -> Object:
    """A storage class as its manifest has it."""
    return {
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": found.name},
        "provisioner": found.provisioner, "parameters": dict(found.parameters),
    }  # fmt: skip


def led_objects(look: CsiLook) -> Iterator[tuple[Kind, Object]]:
    """What drivers register, and the Leases that the parts of their controllers run under."""
    for name in look.registered:
        yield CSI_DRIVER, {
            "apiVersion": CSI_DRIVER.api_version, "kind": CSI_DRIVER.name, "metadata": {"name": name},
            "spec": {"attachRequired": False},
        }  # fmt: skip
    for one in look.sidecars:
        renewed = {} if one.renewed is None else {"renewTime": micro_stamp(one.renewed)}
        spec = {"holderIdentity": one.holder, "leaseDurationSeconds": 15, **renewed}
        yield LEASE, _named(LEASE, lease_of(one.driver, one.role)) | {"spec": spec}


def secret_objects(look: CsiLook, classes: Iterable[StorageClass]) -> Iterator[Object]:
    """The Secrets that classes name, but for those that are lacking. They hold nothing."""
    for found in classes:
        for secret in secrets_of(found):
            if secret not in look.lacking:
                space, _, name = secret.partition("/")
                yield {"apiVersion": "v1", "kind": SECRET.name, "metadata": {"name": name, "namespace": space}}


def put_csi(kube: Kube, look: CsiLook, classes: Iterable[StorageClass]) -> None:
    """Let the API servers tell of all this."""
    stand(kube, SPACE, _POOLS)
    replace_all(kube, _POOLS, SPACE, pool_objects(look))
    wanted = [*classes]
    for found in wanted:
        _anew(kube, STORAGE_CLASSES, class_object(found))
    for item in node_objects(look):
        _anew(kube, _CSI_NODES, item)
    for driver in {one.provisioner for one in wanted} - set(look.registered):
        _away(kube, _CSI_DRIVERS, driver)
    for kind, item in led_objects(look):
        _anew(kube, LEASES if kind == LEASE else _CSI_DRIVERS, item)
    for lacking in look.lacking:
        _away(kube, SECRETS, lacking.partition("/")[2], lacking.partition("/")[0])
    for item in secret_objects(look, wanted):
        kube.apply(SECRETS, item)


def _anew(kube: Kube, resource: Resource, item: Object) -> None:
    """What may not be changed is made again."""
    meta = item["metadata"]
    _away(kube, resource, meta["name"], meta.get("namespace", ""))
    kube.create(resource, item)


def _away(kube: Kube, resource: Resource, name: str, namespace: str = "") -> None:
    old = kube.get(resource, name, namespace)
    if old is not None:
        kube.delete(resource, old, at_once=True)


def _group(pool: Pool) -> Object:
    used = None if pool.size is None else pool.size - (pool.free or 0)
    sizes = {"free": pool.free, "used": used, "size": pool.size}
    told = {name: f"{size // _MIB}Mi" for name, size in sizes.items() if size is not None}
    return {"name": pool.name, "missingPvCount": int(pool.well is False), **told}


def _named(kind: Kind, name: str) -> Object:
    return {"apiVersion": kind.api_version, "kind": kind.name, "metadata": {"name": name, "namespace": SPACE}}
