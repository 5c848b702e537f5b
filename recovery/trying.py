"""What a person types to try a storage class: a claim, a pod that writes to it, and both taken away again."""

from __future__ import annotations

import json
import shlex

NAME = "trial-by-hand"


def by_hand(storage_class: str, limit_s: float) -> str:
    """One line for a shell. It ends with the write's own exit code, and leaves nothing."""
    claim = {
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": NAME},
        "spec": {
            "accessModes": ["ReadWriteOnce"], "storageClassName": storage_class, "resources": {"requests": {"storage": "1Gi"}},
        },
    }  # fmt: skip
    pod = {
        "restartPolicy": "Never", "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": NAME}}],
        "containers": [{
            "name": "trial", "image": "busybox", "volumeMounts": [{"name": "data", "mountPath": "/data"}],
            "command": ["dd", "if=/dev/urandom", "of=/data/trial", "bs=4M", "count=1", "conv=fsync"],
        }],
    }  # fmt: skip
    job = {
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": NAME},
        "spec": {"backoffLimit": 0, "template": {"spec": pod}},
    }  # fmt: skip
    objects = shlex.quote(json.dumps({"apiVersion": "v1", "kind": "List", "items": [claim, job]}))
    there = "kubectl -n blackstart"
    waited = f"{there} wait --for=condition=complete job/{NAME} --timeout={limit_s:.0f}s"
    return f"printf '%s' {objects} | {there} create -f - && {waited}; RC=$?; {there} delete job,pvc {NAME}; (exit $RC)"
