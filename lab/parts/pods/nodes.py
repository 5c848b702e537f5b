"""The Node object of one simulated machine, registered by its kubelet and Ready once the cluster's network runs on it; its Lease.

A machine that is off renews nothing: that it is dead is for the real node-lifecycle controller to tell.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

from lab.parts.kube import LEASES, NODES, ApiRefused, Kube, Object
from lab.parts.pods.execdoor import FEATURE
from lab.parts.pods.fitting import quantity
from lab.parts.pods.logserver import PORT
from lab.parts.pods.podstatus import stamp

RENEWED_EVERY_S = 5.0
_LEASES = "kube-node-lease"
_NOT_READY_TAINT = "node.kubernetes.io/not-ready"
# Without it the attach-detach controller leaves the node's volumes to its kubelet.
_ATTACHED_BY_CONTROLLER = "volumes.kubernetes.io/controller-managed-attach-detach"
_CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


@dataclass(frozen=True)
class NodeSpec:
    """One machine. `cpu` in cores, `memory_mib` in MiB; `taints` as Kubernetes writes them."""

    name: str
    address: str
    control_plane: bool = False
    version: str = "v1.36.3"
    cpu: int = 4
    memory_mib: int = 8192
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Mapping[str, str], ...] = ()


def static_pods(spec: NodeSpec) -> list[Object]:
    """The mirror pods of a control plane's own programs, which real kubelets show and health checks count."""
    if not spec.control_plane:
        return []
    return [_mirror(spec, name) for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")]


def _mirror(spec: NodeSpec, name: str) -> Object:
    marks = {f"kubernetes.io/config.{kind}": f"{name}-{spec.name}" for kind in ("hash", "mirror")}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{name}-{spec.name}",
            "namespace": "kube-system",
            "labels": {"k8s-app": name, "tier": "control-plane"},
            "annotations": {**marks, "kubernetes.io/config.source": "file"},
        },
        "spec": {
            "nodeName": spec.name,
            "hostNetwork": True,
            "tolerations": [{"operator": "Exists"}],
            "containers": [{"name": name, "image": f"registry.k8s.io/{name}:{spec.version}"}],
        },
    }


def register(kube: Kube, spec: NodeSpec) -> Object:
    """The Node as it is stored, made when it was not there (with the taint that keeps pods away until it is Ready)."""
    found = kube.get(NODES, spec.name)
    if found is not None:
        return found
    labels = {
        "kubernetes.io/hostname": spec.name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        **({_CONTROL_PLANE: ""} if spec.control_plane else {}),
        **spec.labels,
    }
    taints = [{"key": _NOT_READY_TAINT, "effect": "NoSchedule"}, *map(dict, spec.taints)]
    node: Object = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": spec.name, "labels": labels, "annotations": {_ATTACHED_BY_CONTROLLER: "true"}},
        "spec": {"taints": taints},
    }
    return kube.create(NODES, node)


def renew(kube: Kube, spec: NodeSpec) -> None:
    """Write that this node lives, as a kubelet does every ten seconds: its Lease, made when it was not there."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    lease: Object = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": spec.name, "namespace": _LEASES},
        "spec": {"holderIdentity": spec.name, "leaseDurationSeconds": 40, "renewTime": now},
    }
    try:
        kube.patch(LEASES, lease, {"spec": lease["spec"]})
    except ApiRefused as error:
        if error.status != 404:
            raise
        kube.create(LEASES, lease)


def report(kube: Kube, spec: NodeSpec, node: Object, *, network: bool) -> bool:
    """Write what the kubelet says of its node; `network` tells whether the network's pod runs here. Whether it wrote."""
    wanted = "True" if network else "False"
    said = {c["type"]: c["status"] for c in node.get("status", {}).get("conditions") or []}
    if said.get("Ready") == wanted and _is_size(node.get("status", {}).get("capacity") or {}, _sizes(spec)[0]):
        return False
    kube.patch(NODES, node, {"status": _status(spec, network=network)}, "status")
    return True


def _sizes(spec: NodeSpec) -> tuple[Object, Object]:
    """Capacity and allocatable. Between them lies what Talos reserves for the system, and the kubelet's eviction threshold."""
    rest = {"pods": "250", "ephemeral-storage": "50Gi"}
    reserved_mib = (512 if spec.control_plane else 384) + 100
    capacity: Object = {"cpu": str(spec.cpu), "memory": f"{spec.memory_mib * 1024}Ki", **rest}
    left_mib = max(0, spec.memory_mib - reserved_mib)
    return capacity, {"cpu": f"{spec.cpu * 1000 - 50}m", "memory": f"{left_mib * 1024}Ki", **rest}


def _is_size(told: Object, wanted: Object) -> bool:
    """Whether two say the same, however each writes it."""
    return told.keys() == wanted.keys() and all(quantity(told[name]) == quantity(wanted[name]) for name in wanted)


def _status(spec: NodeSpec, *, network: bool) -> Object:
    capacity, allocatable = _sizes(spec)
    bad = {"reason": "KubeletNotReady", "message": "container runtime network not ready: cni plugin not initialized"}
    good = {"reason": "KubeletReady", "message": "kubelet is posting ready status"}
    now = stamp()
    ready = {
        "type": "Ready",
        "status": "True" if network else "False",
        "lastTransitionTime": now,
        **(good if network else bad),
    }
    pressure = [
        {
            "type": kind,
            "status": "False",
            "reason": f"KubeletHasNo{kind}",
            "lastTransitionTime": now,
            "lastHeartbeatTime": now,
        }
        for kind in ("MemoryPressure", "DiskPressure", "PIDPressure")
    ]
    return {
        "addresses": [{"type": "InternalIP", "address": spec.address}, {"type": "Hostname", "address": spec.name}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": PORT}},
        "declaredFeatures": [FEATURE],
        "capacity": capacity,
        "allocatable": allocatable,
        "conditions": [*pressure, {**ready, "lastHeartbeatTime": now}],
        "nodeInfo": {
            "architecture": "amd64",
            "bootID": "",
            "containerRuntimeVersion": "lab://1",
            "kernelVersion": "6.18.0-lab",
            "kubeProxyVersion": "",
            "kubeletVersion": spec.version,
            "machineID": "",
            "operatingSystem": "linux",
            "osImage": "Talos (lab)",
            "systemUUID": "",
        },
    }
