"""The objects of a trial. All of them belong to its first Job, which Kubernetes deletes by itself some time after it has ended:
what a run that was killed leaves goes without us, and before that with the next trial. Asks no API."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from adapters.kubernetes.kinds import JOB, SNAPSHOT
from adapters.kubernetes.objects import Obj, text
from adapters.trials.results import Tried

LABEL = "blackstart.invalid/trial"
MARKERS = "trials"
_SIZE = "1Gi"
"""Some drivers make nothing smaller."""
_BYTES = 4 << 20
_KEPT_S = 600
# fsync, for a write that only the node has taken would pass while every write of the storage hangs.
_WRITE = f"set -e; dd if=/dev/urandom of=/data/trial bs={_BYTES} count=1 conv=fsync 2>/dev/null; sha256sum < /data/trial"
_READ = "sha256sum < /data/trial"


def name_of_trial(storage_class: str) -> str:
    """The name of everything of this class's trials: the next one finds what a dead one left."""
    return f"blackstart-trial-{hashlib.sha256(storage_class.encode()).hexdigest()[:12]}"


def labels_of_trial(name: str) -> Mapping[str, str]:
    """What every object of a trial carries."""
    return {"app.kubernetes.io/managed-by": "blackstart", LABEL: name}


def key_of(tried: Tried, storage_class: str) -> str:
    """The marker's key in its ConfigMap. Names of classes are such that a key may hold them."""
    return f"{tried.value}.{storage_class}"


def job(name: str, trial: str, image: str, limit_s: float, *, writes: bool, owner: Obj | None = None) -> Obj:
    """A Job that writes to (or reads from) the claim of its name, and prints the SHA-256 of what is there."""
    container: Obj = {
        "name": "trial", "image": image, "command": ["sh", "-c", _WRITE if writes else _READ],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        "securityContext": {"allowPrivilegeEscalation": False},
    }  # fmt: skip
    spec: Obj = {
        "restartPolicy": "Never", "automountServiceAccountToken": False, "enableServiceLinks": False,
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}, "containers": [container],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": name}}],
    }  # fmt: skip
    whole: Obj = {
        "backoffLimit": 0, "activeDeadlineSeconds": max(1, int(limit_s)), "ttlSecondsAfterFinished": int(limit_s) + _KEPT_S,
        "template": {"metadata": {"labels": dict(labels_of_trial(trial))}, "spec": spec},
    }  # fmt: skip
    return {"metadata": _metadata(name, trial, owner), "spec": whole}


def claim(name: str, trial: str, storage_class: str, owner: Obj, snapshot: str = "") -> Obj:
    """A claim of this class, empty or from a VolumeSnapshot."""
    spec: Obj = {
        "accessModes": ["ReadWriteOnce"], "storageClassName": storage_class, "resources": {"requests": {"storage": _SIZE}},
    }  # fmt: skip
    if snapshot:
        spec["dataSourceRef"] = {"apiGroup": SNAPSHOT.group, "kind": SNAPSHOT.name, "name": snapshot}
    return {"metadata": _metadata(name, trial, owner), "spec": spec}


def snapshot(name: str, trial: str, snapshot_class: str, owner: Obj) -> Obj:
    """A VolumeSnapshot of the claim of the trial's name."""
    spec: Obj = {"volumeSnapshotClassName": snapshot_class, "source": {"persistentVolumeClaimName": trial}}
    return {"metadata": _metadata(name, trial, owner), "spec": spec}


def _metadata(name: str, trial: str, owner: Obj | None) -> Obj:
    made: Obj = {"name": name, "labels": dict(labels_of_trial(trial))}
    if owner is not None:
        uid = text(owner, "metadata", "uid")
        made["ownerReferences"] = [{"apiVersion": JOB.api_version, "kind": JOB.name, "name": trial, "uid": uid}]
    return made
