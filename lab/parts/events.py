"""Warnings about pods, written as the components of a real cluster write them. Knows no component."""

from __future__ import annotations

import uuid

from lab.parts.kube import EVENTS, Kube, Object
from lab.parts.pods.podstatus import stamp


def warn(kube: Kube, pod: Object, component: str, reason: str, message: str) -> None:
    """One warning about a pod. ApiRefused when the API server does not take it."""
    meta, now = pod["metadata"], stamp()
    about = {"apiVersion": "v1", "kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]}
    event: Object = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"namespace": meta["namespace"], "name": f"{meta['name']}.{uuid.uuid4().hex[:16]}"},
        "involvedObject": about,
        "type": "Warning",
        "reason": reason,
        "message": message,
        "source": {"component": component},
        "reportingComponent": component,
        "count": 1,
        "firstTimestamp": now,
        "lastTimestamp": now,
    }
    kube.create(EVENTS, event)
