"""The status a kubelet writes for a pod, field by field. Writes nothing itself."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from lab.parts.kube import Object

_CONDITIONS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")


@dataclass(frozen=True)
class SidecarEnd:
    """How often a sidecar has ended, and of the last time the code, when that life began and when it ended (epoch seconds)."""

    times: int
    code: int
    began: float
    ended: float

    @property
    def told(self) -> Object:
        """As a kubelet writes it."""
        reason = "Completed" if self.code == 0 else "Error"
        return {"exitCode": self.code, "reason": reason, "startedAt": stamp_of(self.began), "finishedAt": stamp_of(self.ended)}


@dataclass(frozen=True)
class Sidecar:
    """One sidecar of a pod: when its newest life began (epoch seconds, None where it has none yet), and how the last one ended."""

    image: str
    began: float | None
    last: SidecarEnd | None

    @property
    def lives(self) -> bool:
        """Whether that life goes on, as long as its pod does."""
        return self.began is not None and (self.last is None or self.began > self.last.ended)


def stamp(seconds_ago: float = 0.0) -> str:
    """Now, or some time ago, as Kubernetes writes it."""
    return stamp_of(datetime.datetime.now(datetime.UTC).timestamp() - seconds_ago)


def stamp_of(at: float) -> str:
    """A time since the epoch as Kubernetes writes it."""
    return datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def waiting(pod: Object, host: str, reason: str, message: str = "") -> Object:
    """Pending: the containers wait, for this reason."""
    state = {"waiting": {"reason": reason, "message": message}}
    return {
        "phase": "Pending",
        "hostIP": host,
        "hostIPs": [{"ip": host}],
        "startTime": pod.get("status", {}).get("startTime") or stamp(),
        "conditions": _conditions(pod, ready=False, reason="ContainersNotReady"),
        "containerStatuses": [_container(c, state, ready=False, started=False) for c in pod["spec"]["containers"]],
    }


def running(pod: Object, host: str, address: str, *, ready: bool, started_at: str, restarts: int = 0) -> Object:
    """Running: all containers run, and are ready or not."""
    state = {"running": {"startedAt": started_at}}
    return {
        "phase": "Running",
        "hostIP": host,
        "hostIPs": [{"ip": host}],
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": pod.get("status", {}).get("startTime") or started_at,
        "conditions": _conditions(pod, ready=ready, reason="" if ready else "ContainersNotReady"),
        "containerStatuses": [
            _container(c, state, ready=ready, started=True, restarts=restarts) for c in pod["spec"]["containers"]
        ],
    }


def ended(pod: Object, code: int, *, started_at: str, finished_at: str) -> Object:
    """Succeeded or Failed: all containers have ended with this code."""
    state = {
        "terminated": {
            "exitCode": code,
            "reason": "Completed" if code == 0 else "Error",
            "startedAt": started_at,
            "finishedAt": finished_at,
        }
    }
    return {
        "phase": "Succeeded" if code == 0 else "Failed",
        "conditions": _conditions(pod, ready=False, reason="PodCompleted" if code == 0 else "PodFailed"),
        "containerStatuses": [_container(c, state, ready=False, started=False) for c in pod["spec"]["containers"]],
    }


def with_sidecars(status: Object, sidecars: Mapping[str, Sidecar]) -> Object:
    """The status of a pod that runs or has ended, with what is said of its sidecars by their names: one that lives when its pod
    ends is killed then, whatever its life before came to."""
    found, over = [], status["phase"] != "Running"
    (of_pod,) = status["containerStatuses"][0]["state"].values()
    for name, one in sidecars.items():
        since = stamp_of(one.began) if one.began is not None else of_pod["startedAt"]
        killed = {"exitCode": 137, "reason": "Error", "startedAt": since, "finishedAt": of_pod.get("finishedAt")}
        if not over:
            state: Object = {"running": {"startedAt": since}}
        else:
            state = {"terminated": killed if one.lives or one.last is None else one.last.told}
        container = {"name": name, "image": one.image}
        told = _container(container, state, ready=not over, started=not over, restarts=one.last.times if one.last else 0)
        found.append(told | ({"lastState": {"terminated": one.last.told}} if one.last else {}))
    return status | {"initContainerStatuses": found}


def is_ready(pod: Object) -> bool:
    """Whether the pod's Ready condition is true."""
    conditions = pod.get("status", {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _container(container: Object, state: Object, *, ready: bool, started: bool, restarts: int = 0) -> Object:
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": f"lab://{container['image']}",
        "containerID": f"lab://{container['name']}",
        "state": state,
        "ready": ready,
        "started": started,
        "restartCount": restarts,
    }


def _conditions(pod: Object, *, ready: bool, reason: str) -> list[Object]:
    before = {c["type"]: c for c in pod.get("status", {}).get("conditions") or []}
    found = []
    for kind in _CONDITIONS:
        status = "True" if ready or kind not in ("Ready", "ContainersReady") else "False"
        condition: Object = {"type": kind, "status": status, "lastTransitionTime": stamp()}
        if kind in before and before[kind]["status"] == status:
            condition["lastTransitionTime"] = before[kind].get("lastTransitionTime") or stamp()
        if status == "False" and reason:
            condition["reason"] = reason
        found.append(condition)
    return found
