"""The port of what a cluster keeps, on a real Kubernetes API: PersistentVolumes, Rook's monitors, Longhorn's replicas.

No Secret is read. Fields as in the API types of PersistentVolume (v1), of Rook's ConfigMap of monitors and Longhorn's Replica.
"""

from __future__ import annotations

from collections.abc import Iterator

from adapters.ceph.reading import identity
from adapters.kept.adapter import MARK
from adapters.kept.results import is_aside
from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.kinds import CEPH_CLUSTER, CLAIM, CONFIG_MAP, VOLUME, Kind
from adapters.kubernetes.objects import Obj, dig, name_of, namespace_of, of_volsync, rows, table, text
from adapters.longhorn.adapter import GROUP, VERSION, VOLUMES
from adapters.secrets.names import holds_shut, is_shut
from engine.secrets import redact
from engine.text.jsontext import Malformed, an_object, read
from house.files.grammar import number_of
from house.known.inventory import CephRecord, LonghornRecord, MonitorRecord, ReplicaRecord, Stores, VolumeRecord

REPLICAS = Kind(GROUP, VERSION, "replicas", "Replica")
MONITORS = "rook-ceph-mon-endpoints"
_PLACES = {"nfs": ("server", "path"), "hostPath": ("path",), "local": ("path",), "iscsi": ("targetPortal", "iqn", "lun")}
"""Kinds of a PersistentVolume without a driver → the fields that say where it is."""
SECRET_REFS = (
    "controllerPublishSecretRef", "nodeStageSecretRef", "nodePublishSecretRef", "controllerExpandSecretRef", "nodeExpandSecretRef",
)  # fmt: skip
_NODE_KEYS = ("kubernetes.io/hostname", "metadata.name", "openebs.io/nodename", "topology.topolvm.io/node")


class KubernetesInventory:
    """See port.InventoryView."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def look(self) -> Stores:
        """See port.InventoryView. Raises TransientError when the API gives no answer."""
        client = self._clients.main()
        passing = {f"{namespace_of(one)}/{name_of(one)}" for one in client.list_objects(CLAIM) if of_volsync(one)}
        found = (one for one in client.list_objects(VOLUME) if not _looked_at(one))
        volumes = sorted(map(_volume, found), key=lambda one: (one.claim, one.name))
        return Stores(
            date="",
            volumes=tuple(one for one in volumes if one.claim not in passing),
            ceph=tuple(sorted(_ceph(client), key=lambda one: (one.namespace, one.name))),
            longhorn=tuple(one for one in _longhorn(client) if one.claim not in passing),
        )


def _looked_at(obj: Obj) -> bool:
    """Whether it lies aside for us to look at: by our mark, for a house may have claims that are called like ours."""
    return bool(text(obj, "metadata", "annotations", MARK)) and is_aside(text(obj, "spec", "claimRef", "name"))


def _volume(obj: Obj) -> VolumeRecord:
    spec, csi = table(obj, "spec"), table(obj, "spec", "csi")
    ref = table(spec, "claimRef")
    kind = next((name for name in _PLACES if name in spec), "other")
    key, node = _node_of(spec)
    place = ":".join(filter(None, (str(table(spec, kind).get(part, "")) for part in _PLACES.get(kind, ()))))
    return VolumeRecord(
        name=name_of(obj),
        claim=f"{text(ref, 'namespace')}/{text(ref, 'name')}" if ref else "",
        driver=text(csi, "driver") or kind,
        handle=text(csi, "volumeHandle") or place,
        size=text(spec, "capacity", "storage"),
        storage_class=text(spec, "storageClassName"),
        policy=text(spec, "persistentVolumeReclaimPolicy"),
        modes=tuple(str(mode) for mode in spec.get("accessModes") or ()),
        mode=text(spec, "volumeMode"),
        fs_type=text(csi, "fsType"),
        node=node,
        attributes=tuple(sorted(_attributes(table(csi, "volumeAttributes")))),
        node_key=key,
        options=tuple(option for option in map(str, spec.get("mountOptions") or ()) if _is_told(option)),
        secrets=tuple(_secrets(csi)),
    )


def _secrets(csi: Obj) -> Iterator[tuple[str, str]]:
    """At what the driver is given which Secret. Where one lies is no secret."""
    for when in SECRET_REFS:
        if ref := table(csi, when):
            yield when, f"{text(ref, 'namespace')}/{text(ref, 'name')}"


def _attributes(told: Obj) -> Iterator[tuple[str, str]]:
    """A driver's own, which a static volume needs again. One with a known secret in it, or what is called one, is left out: all of
    it comes to lie in Git."""
    for name, value in told.items():
        if _is_told(str(value)) and not is_shut(name):
            yield name, str(value)


def _is_told(value: str) -> bool:
    """Whether no secret is known in it, and nothing that is called one."""
    return redact(value) == value and not holds_shut(value)


def _node_of(spec: Obj) -> tuple[str, str]:
    """The label and the one node that it is tied to, "" for both where it is tied to none, or to several."""
    found = {
        (text(wanted, "key"), str(value))
        for term in rows(spec, "nodeAffinity", "required", "nodeSelectorTerms")
        for wanted in (*rows(term, "matchExpressions"), *rows(term, "matchFields"))
        if text(wanted, "key") in _NODE_KEYS
        for value in wanted.get("values") or ()
    }
    return min(found) if len({node for _, node in found}) == 1 else ("", "")


def _ceph(client: ApiClient) -> Iterator[CephRecord]:
    for one in client.list_if_served(CEPH_CLUSTER) or ():
        namespace = namespace_of(one)
        told = client.get(CONFIG_MAP, MONITORS, namespace) or {}
        fsid = identity(table(one, "status", "ceph").get("fsid"))
        yield CephRecord(namespace, name_of(one), fsid, tuple(sorted(_monitors(table(told, "data")), key=lambda mon: mon.name)))


def _monitors(data: Obj) -> Iterator[MonitorRecord]:
    """`data` as `a=10.96.0.1:6789,b=…`; `mapping` says on which node each is."""
    try:
        nodes = table(read(text(data, "mapping") or "{}", an_object), "node")
    except Malformed:
        nodes = {}
    for part in text(data, "data").split(","):
        name, equals, address = part.strip().partition("=")
        if equals:
            on = nodes.get(name)
            yield MonitorRecord(name, address, text(on, "Name") if isinstance(on, dict) else "")


def _longhorn(client: ApiClient) -> Iterator[LonghornRecord]:
    replicas: dict[str, list[ReplicaRecord]] = {}
    for one in client.list_if_served(REPLICAS) or ():
        spec = table(one, "spec")
        record = ReplicaRecord(
            text(spec, "nodeID"), text(spec, "diskPath"), text(spec, "dataDirectoryName"), failed=bool(text(spec, "failedAt"))
        )
        replicas.setdefault(text(spec, "volumeName"), []).append(record)
    for one in sorted(client.list_if_served(VOLUMES) or (), key=name_of):
        bound = table(one, "status", "kubernetesStatus")
        claim = f"{text(bound, 'namespace')}/{text(bound, 'pvcName')}"
        size = str(dig(one, "spec", "size") or "")
        found = sorted(replicas.get(name_of(one), ()), key=lambda each: (each.node, each.folder))
        yield LonghornRecord(name_of(one), "" if claim == "/" else claim, number_of(size) or 0, tuple(found))
