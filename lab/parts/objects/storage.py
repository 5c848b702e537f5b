"""Objects of Longhorn and Rook as their operators would leave them, for the lab's API servers. Nothing of either runs in the lab.

Written from values of the adapters' own result types, and read back by the adapters: the two are held against each other by a test.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Mapping

from adapters.ceph.results import RookCluster
from adapters.inventory.adapter import MONITORS as MONITORS_MAP
from adapters.inventory.adapter import REPLICAS
from adapters.kubernetes.kinds import CEPH_CLUSTER, CEPH_PARTS, CONFIG_MAP, Kind
from adapters.longhorn.adapter import BACKUP_TARGETS, ENGINE_IMAGES, NODES, ORPHANS, SETTINGS, VOLUMES
from adapters.longhorn.results import Disk, LonghornLook, Said
from lab.parts.errors import PartFailed
from lab.parts.kube import DEFINITIONS, NAMESPACES, ApiRefused, Kube, Object, Resource
from lab.world.cluster.longhorn import replicas_of
from lab.world.cluster.rook import MONITORS

LONGHORN_SPACE = "longhorn-system"
LONGHORN_KINDS = (NODES, VOLUMES, REPLICAS, ENGINE_IMAGES, BACKUP_TARGETS, ORPHANS, SETTINGS)
ROOK_KINDS = (CEPH_CLUSTER, *CEPH_PARTS)
_DAEMON_SETS = Resource("/apis/apps/v1", "daemonsets")
_CONFIG_MAPS = Resource("/api/v1", "configmaps")
_ESTABLISHED_S = 10.0
# Of no known program: its pods turn Ready, and nothing runs.
_ANY_IMAGE = "lab/coredns:1.0.0"
_NOWHERE = {"lab.invalid/nowhere": "true"}


def definition(kind: Kind) -> Object:
    """A definition of this kind without a schema. Its status is no sub-resource: whoever writes an object writes all of it."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": kind.version, "served": True, "storage": True, "schema": schema}
    scope = "Namespaced" if kind.namespaced else "Cluster"
    names = {"plural": kind.plural, "kind": kind.name, "singular": kind.name.lower(), "listKind": f"{kind.name}List"}
    # A group of Kubernetes' own asks who approved it.
    approved = {"annotations": {"api-approved.kubernetes.io": "unapproved, of the lab"}} if kind.group.endswith(".k8s.io") else {}
    return {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{kind.group}", **approved},
        "spec": {"group": kind.group, "scope": scope, "names": names, "versions": [version]},
    }  # fmt: skip


def longhorn_objects(look: LonghornLook) -> Iterator[tuple[Kind, Object]]:
    """Every object of a look, but for what runs."""
    for node in look.nodes:
        yield NODES, _object(NODES, node.name, {
            "allowScheduling": node.wanted, "evictionRequested": node.evicting,
            "disks": {d.name: {"path": d.path, "allowScheduling": d.wanted, "evictionRequested": d.evicting,
                               "storageReserved": d.reserved} for d in node.disks},
        }, {"conditions": _conditions(Ready=node.ready, Schedulable=node.schedulable),
            "diskStatus": {disk.name: _disk(disk) for disk in node.disks}})  # fmt: skip
    for volume in look.volumes:
        namespace, _, claim = volume.claim.partition("/")
        status: Object = {
            "state": volume.state, "robustness": volume.robustness, "conditions": _conditions(Scheduled=volume.placed),
            "kubernetesStatus": {"namespace": namespace, "pvcName": claim}, "lastDegradedAt": _at(volume.degraded_since),
        }  # fmt: skip
        yield VOLUMES, _object(VOLUMES, volume.name, {"numberOfReplicas": volume.replicas, "size": str(volume.size)}, status)
        for replica in replicas_of(volume, look):
            spec: Object = {"volumeName": volume.name, "nodeID": replica.node, "diskPath": replica.disk,
                            "dataDirectoryName": replica.folder, "failedAt": ""}  # fmt: skip
            yield REPLICAS, _object(REPLICAS, f"{replica.folder}-r", spec, {})
    for place, image in enumerate(look.images):
        deployed = {node.name: node.name not in image.missing_on for node in look.nodes}
        status = {"state": image.state, "refCount": int(image.used), "nodeDeploymentMap": deployed}
        yield ENGINE_IMAGES, _object(ENGINE_IMAGES, f"ei-{place}", {"image": image.image}, status)
    for target in look.targets:
        status = {"available": target.available, "conditions": _conditions(Unavailable=target.why)}
        yield BACKUP_TARGETS, _object(BACKUP_TARGETS, target.name, {"backupTargetURL": target.url}, status)
    for place, one in enumerate(look.orphans):
        spec = {"nodeID": one.node, "orphanType": "replica", "parameters": {"DiskPath": one.disk, "DataName": one.folder}}
        yield ORPHANS, _object(ORPHANS, f"orphan-{place}", spec, {})
    for name, value in look.settings:
        yield SETTINGS, _object(SETTINGS, name, None, None) | {"value": value}


def rook_objects(cluster: RookCluster) -> Iterator[tuple[Kind, Object]]:
    """The CephCluster and what belongs to it."""
    details = {check.code: {"severity": check.severity, "message": check.message} for check in cluster.checks or ()}
    ceph = {
        "health": cluster.health, "fsid": cluster.fsid, "details": details, "lastChecked": _at(cluster.last_checked),
        "lastChanged": _at(cluster.last_changed), "versions": {"overall": dict.fromkeys(cluster.versions, 1)},
        "capacity": {"bytesAvailable": cluster.free, "bytesTotal": cluster.total},
    }  # fmt: skip
    status = {"phase": cluster.phase, "message": cluster.message, "ceph": ceph}
    spec = {"external": {"enable": cluster.external}, "cleanupPolicy": {"wipeDevicesFromOtherClusters": cluster.wipes_strangers}}
    yield CEPH_CLUSTER, _object(CEPH_CLUSTER, cluster.name, spec, status, cluster.namespace)
    kinds = {kind.name: kind for kind in CEPH_PARTS}
    for part in cluster.parts:
        yield kinds[part.kind], _object(kinds[part.kind], part.name, {}, {"phase": part.phase}, cluster.namespace)


def monitor_map(namespace: str) -> Object:
    """The ConfigMap in which Rook keeps where its monitors are."""
    nodes = {one.name: {"Name": one.node, "Hostname": one.node, "Address": one.address.partition(":")[0]} for one in MONITORS}
    told = ",".join(f"{one.name}={one.address}" for one in MONITORS)
    made = _object(CONFIG_MAP, MONITORS_MAP, None, None, namespace)
    return made | {"data": {"data": told, "mapping": json.dumps({"node": nodes}), "maxMonId": "2"}}


def put_longhorn(kube: Kube, look: LonghornLook) -> None:
    """Let the API servers tell of this Longhorn; what runs of it are DaemonSets whose pods the lab's kubelet runs."""
    stand(kube, LONGHORN_SPACE, LONGHORN_KINDS)
    replace_all(kube, LONGHORN_KINDS, LONGHORN_SPACE, longhorn_objects(look))
    for one in look.running:
        labels = {"app": one.name}
        pod: Object = {"containers": [{"name": "main", "image": _ANY_IMAGE}]}
        if not one.ready:
            pod["nodeSelector"] = _NOWHERE
        item = _object(None, one.name, {
            "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod},
        }, None) | {"apiVersion": "apps/v1", "kind": "DaemonSet"}  # fmt: skip
        kube.apply(_DAEMON_SETS, item)


def put_rook(kube: Kube, cluster: RookCluster) -> None:
    """Let the API servers tell of this Ceph."""
    stand(kube, cluster.namespace, ROOK_KINDS)
    replace_all(kube, ROOK_KINDS, cluster.namespace, rook_objects(cluster))
    kube.apply(_CONFIG_MAPS, monitor_map(cluster.namespace))


def stand(kube: Kube, namespace: str, kinds: tuple[Kind, ...]) -> None:
    """The namespace is there, and every kind is served."""
    kube.apply(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    serve(kube, kinds)


def serve(kube: Kube, kinds: Collection[Kind]) -> None:
    """Every kind is served. Raises PartFailed where one is not after some seconds."""
    for kind in kinds:
        kube.apply(DEFINITIONS, definition(kind))
    deadline = time.monotonic() + _ESTABLISHED_S
    for kind in kinds:
        while not _served(kube, kind):
            if time.monotonic() > deadline:
                raise PartFailed(f"the API server did not serve {kind.plural}.{kind.group} in {_ESTABLISHED_S:g} s")
            time.sleep(0.1)


def _served(kube: Kube, kind: Kind) -> bool:
    try:
        kube.list(resource_of(kind))
    except ApiRefused:
        return False
    return True


def replace_all(kube: Kube, kinds: tuple[Kind, ...], namespace: str, objects: Iterator[tuple[Kind, Object]]) -> None:
    """Exactly these are there, as they are written here."""
    for kind in kinds:
        for old in kube.list(resource_of(kind), namespace):
            kube.delete(resource_of(kind), old, at_once=True)
    for kind, item in objects:
        kube.create(resource_of(kind), item)


def resource_of(kind: Kind) -> Resource:
    """A kind as the lab's client names it."""
    return Resource(f"/apis/{kind.group}/{kind.version}", kind.plural, kind.namespaced)


def _object(kind: Kind | None, name: str, spec: Object | None, status: Object | None, space: str = LONGHORN_SPACE) -> Object:
    made: Object = {"metadata": {"name": name, "namespace": space}}
    if kind is not None:
        made |= {"apiVersion": kind.api_version, "kind": kind.name}
    return made | {key: value for key, value in (("spec", spec), ("status", status)) if value is not None}


def _disk(disk: Disk) -> Object:
    sizes = {"storageMaximum": disk.maximum, "storageAvailable": disk.available, "storageScheduled": disk.scheduled}
    known: Mapping[str, int] = {name: size for name, size in sizes.items() if size is not None}
    return {"conditions": _conditions(Ready=disk.ready, Schedulable=disk.schedulable), **known}


def _conditions(**said: Said) -> list[Object]:
    words = {True: "True", False: "False", None: "Unknown"}
    return [
        {"type": kind, "status": words[one.good], "reason": one.reason, "message": one.message,
         "lastTransitionTime": _at(one.since)}
        for kind, one in said.items()
    ]  # fmt: skip


def _at(second: float | None) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second)) if second else ""
