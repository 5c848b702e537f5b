"""The systems of a house for the lab's API servers: workloads that nodes really run as pods, and objects as operators leave them.

A workload that is down is one whose pods were lost and whose image cannot be pulled any more for it, though it may be for another:
what its object says then is what Kubernetes' own controllers write, not we.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from adapters.kubernetes.kinds import Kind
from lab.parts.knobs import PodsOf
from lab.parts.kube import DEPLOYMENTS, NAMESPACES, PODS, Kube, Object, Resource
from lab.parts.objects.storage import resource_of, serve

_DAEMON_SETS = Resource("/apis/apps/v1", "daemonsets")
_WORKLOADS = {"Deployment": DEPLOYMENTS, "DaemonSet": _DAEMON_SETS}
_CLUSTER_WIDE = frozenset({"ClusterIssuer", "ClusterSecretStore", "ClusterExternalSecret", "Connector", "ProxyGroup"})
_READY = ("numberReady", "readyReplicas")


def put_components(kube: Kube, wanted: Iterable[Object], lost: Iterable[Object] = ()) -> None:
    """Let these be there, and the lost ones not. Workloads that something else brought are left to that."""
    found, gone = list(wanted), list(lost)
    for namespace in sorted({one["metadata"]["namespace"] for one in found if "namespace" in one["metadata"]}):
        kube.apply(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    own = [one for one in found if one["kind"] not in _WORKLOADS]
    serve(kube, {kind_of(one) for one in [*own, *gone]})
    for one in own:
        kube.apply(resource_of(kind_of(one)), _bare(one))
    for one in found:
        if one["kind"] in _WORKLOADS and not is_down(one):
            kube.apply(_WORKLOADS[one["kind"]], _workload(one))
    for one in gone:
        kube.delete(resource_of(kind_of(one)), _bare(one))


def pods_of(kube: Kube, workloads: Iterable[Object]) -> Iterator[PodsOf]:
    """How the pods of these workloads are found; a workload that is not there has none."""
    for one in workloads:
        meta = one["metadata"]
        there = kube.get(_WORKLOADS[one["kind"]], meta["name"], meta["namespace"])
        if there is not None:
            yield PodsOf(meta["namespace"], tuple(there["spec"]["selector"]["matchLabels"].items()))


def lose_pods(kube: Kube, lost: Iterable[PodsOf]) -> None:
    """These pods are gone."""
    for one in lost:
        for pod in kube.list(PODS, one.namespace, ",".join(f"{key}={value}" for key, value in one.labels)):
            kube.delete(PODS, pod, at_once=True)


def name_of(one: Object) -> tuple[str, str, str]:
    """What tells an object from all others: its kind, its namespace, its name."""
    return one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]


def is_workload(one: Object) -> bool:
    """Whether pods come of it."""
    return one["kind"] in _WORKLOADS


def is_down(one: Object) -> bool:
    """Whether this is a workload that no pod of is ready."""
    status = one["status"]
    return one["kind"] in _WORKLOADS and not any(status.get(key) for key in _READY)


def kind_of(one: Object) -> Kind:
    """The kind of an object, by what is usual: its plural is not written in it."""
    group, _, version = one["apiVersion"].rpartition("/")
    name = one["kind"]
    plural = f"{name.lower()}{'es' if name.endswith('s') else 's'}"
    return Kind(group, version, plural, name, namespaced=name not in _CLUSTER_WIDE)


def _bare(one: Object) -> Object:
    """Without what a server writes by itself."""
    kept = {key: value for key, value in one["metadata"].items() if key not in ("creationTimestamp", "generation")}
    return one | {"metadata": kept}


def _workload(one: Object) -> Object:
    """As a chart would have it: with the labels that its pods are found by, and no status."""
    bare, labels = _bare(one), {"app": one["metadata"]["name"]}
    template = {"metadata": {"labels": labels}, "spec": one["spec"]["template"]["spec"]}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    replicas = {} if one["kind"] == "DaemonSet" else {"replicas": one["spec"]["replicas"]}
    return {key: value for key, value in bare.items() if key != "status"} | {"spec": spec | replicas}
