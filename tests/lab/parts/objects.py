"""Builders of the Kubernetes objects that these tests apply: a claim, its backup, its restore, an application."""

from __future__ import annotations

from lab.parts.kube import Object
from lab.parts.objects.manifests import SNAPSHOT_CLASS, STORAGE_CLASS

SIZE = {"requests": {"storage": "1Gi"}}
NAS = [{"mountPath": "nas", "volumeSource": {"nfs": {"server": "nas.lab", "path": "/backups"}}}]
VOLSYNC = "volsync.backube/v1alpha1"
PASSWORD = "correct horse"


def namespace(name: str, *, privileged: bool = False) -> Object:
    annotations = {"volsync.backube/privileged-movers": "true"} if privileged else {}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "annotations": annotations}}


def repository(space: str, name: str, folder: str, password: str = PASSWORD) -> Object:
    """The Secret of a repository in a folder of the NAS."""
    data = {"RESTIC_REPOSITORY": f"/mnt/nas/{folder}", "RESTIC_PASSWORD": password}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": space}, "stringData": data}


def claim(space: str, name: str, *, populated_by: str = "") -> Object:
    spec: Object = {"accessModes": ["ReadWriteOnce"], "resources": SIZE, "storageClassName": STORAGE_CLASS}
    if populated_by:
        spec["dataSourceRef"] = {"apiGroup": "volsync.backube", "kind": "ReplicationDestination", "name": populated_by}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": space},
        "spec": spec,
    }


def pod(space: str, name: str, *claims: str, image: str = "lab/unknown:1", arguments: tuple[str, ...] = ()) -> Object:
    """A pod that mounts claims at /<claim>."""
    container = {
        "name": "main",
        "image": image,
        "args": list(arguments),
        "volumeMounts": [{"name": c, "mountPath": f"/{c}"} for c in claims],
    }
    volumes = [{"name": c, "persistentVolumeClaim": {"claimName": c}} for c in claims]
    spec = {"containers": [container], "volumes": volumes}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": space}, "spec": spec}


def source(space: str, name: str, of: str, secret: str, token: str) -> Object:
    restic = {
        "repository": secret,
        "copyMethod": "Snapshot",
        "retain": {"last": "3"},
        "moverVolumes": NAS,
        "storageClassName": STORAGE_CLASS,
        "volumeSnapshotClassName": SNAPSHOT_CLASS,
        "cacheStorageClassName": STORAGE_CLASS,
    }
    spec = {"sourcePVC": of, "trigger": {"manual": token}, "restic": restic}
    return {
        "apiVersion": VOLSYNC,
        "kind": "ReplicationSource",
        "metadata": {"name": name, "namespace": space},
        "spec": spec,
    }


def destination(space: str, name: str, secret: str, token: str, *, uid: int | None = None, **restic: object) -> Object:
    who = {"moverSecurityContext": {"runAsUser": uid, "runAsGroup": uid, "fsGroup": uid}} if uid else {}
    spec = {
        "trigger": {"manual": token},
        "restic": {
            "repository": secret,
            "copyMethod": "Snapshot",
            "capacity": "1Gi",
            "accessModes": ["ReadWriteOnce"],
            "moverVolumes": NAS,
            "storageClassName": STORAGE_CLASS,
            "volumeSnapshotClassName": SNAPSHOT_CLASS,
            "cacheStorageClassName": STORAGE_CLASS,
            **who,
            **restic,
        },
    }
    return {
        "apiVersion": VOLSYNC,
        "kind": "ReplicationDestination",
        "metadata": {"name": name, "namespace": space},
        "spec": spec,
    }
