"""A PersistentVolume written again as an inventory has it, and the claim through which it is looked at. Asks nobody."""

from __future__ import annotations

from adapters.kept.results import aside_of
from adapters.kubernetes.objects import Obj
from engine.errors import PermanentError
from house.known.inventory import VolumeRecord

OURS = {"app.kubernetes.io/managed-by": "blackstart"}
_PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
_HOSTNAME = "kubernetes.io/hostname"


def volume_of(record: VolumeRecord, mark: str, marked: str) -> Obj:
    """The object, with `marked` as the annotation `mark`: to stay, and promised to a claim of ours alone, so that neither the claim
    whose it was nor any other of its class is bound to it. PermanentError for a kind of volume that is not written down whole."""
    namespace, _, claim = record.claim.partition("/")
    spec: Obj = {
        "capacity": {"storage": record.size},
        "accessModes": list(record.modes),
        "volumeMode": record.mode or "Filesystem",
        "storageClassName": record.storage_class,
        "persistentVolumeReclaimPolicy": "Retain",
        "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": namespace, "name": aside_of(claim)},
        **_source(record),
    }
    if record.options:
        spec["mountOptions"] = list(record.options)
    if record.node:
        wanted = {"key": record.node_key or _HOSTNAME, "operator": "In", "values": [record.node]}
        part = "matchFields" if wanted["key"] == "metadata.name" else "matchExpressions"
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [{part: [wanted]}]}}
    notes = {mark: marked} | ({_PROVISIONED_BY: record.driver} if "csi" in spec else {})
    return {"metadata": {"name": record.name, "annotations": notes}, "spec": spec}


def _source(record: VolumeRecord) -> Obj:
    if record.driver == "nfs":
        server, _, path = record.handle.partition(":")
        return {"nfs": {"server": server, "path": path}}
    if record.driver in ("local", "hostPath"):
        return {record.driver: {"path": record.handle}}
    if record.driver in ("iscsi", "other", "") or not record.handle:
        raise PermanentError(
            f"PersistentVolume {record.name} of {record.claim} is not written again: the inventory does not have it whole",
            evidence=(f"its kind: {record.driver or 'unknown'}",),
            hint="write it by hand, with the reclaim policy Retain and the claimRef of its claim, and restore nothing over it",
        )
    csi: Obj = {"driver": record.driver, "volumeHandle": record.handle}
    if record.fs_type:
        csi["fsType"] = record.fs_type
    if record.attributes:
        csi["volumeAttributes"] = dict(record.attributes)
    for when, where in record.secrets:
        namespace, _, name = where.partition("/")
        csi[when] = {"namespace": namespace, "name": name}
    return {"csi": csi}


def aside_claim(volume: Obj, claim: str) -> Obj:
    """The claim of ours that is bound to this volume, as the API has that, and to no other."""
    spec = volume["spec"]
    return {
        "metadata": {"name": aside_of(claim), "labels": OURS},
        "spec": {
            "accessModes": spec["accessModes"],
            "volumeMode": spec.get("volumeMode", "Filesystem"),
            "resources": {"requests": {"storage": spec["capacity"]["storage"]}},
            "storageClassName": spec.get("storageClassName", ""),
            "volumeName": volume["metadata"]["name"],
        },
    }
