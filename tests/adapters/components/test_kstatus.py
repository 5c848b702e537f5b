"""How far an object is, by kstatus' rules: each rule with what makes it say so, and what must not."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.components.kstatus import status_of
from adapters.components.results import Status

Object = dict[str, Any]


def said(**conditions: str) -> list[Object]:
    return [{"type": kind, "status": status, "reason": "Because", "message": "so"} for kind, status in conditions.items()]


def obj(kind: str, api: str = "apps/v1", *, spec: Object | None = None, generation: int = 1, **status: Any) -> Object:
    return {"apiVersion": api, "kind": kind, "metadata": {"generation": generation}, "spec": spec or {}, "status": status}


ROLLED = [{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}, {"type": "Available", "status": "True"}]
LATE = [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}]
POD = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "readyReplicas": 2}
ON_ALL = {"desiredNumberScheduled": 3, "currentNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 3,
          "numberReady": 3}  # fmt: skip
SET = {"replicas": 2, "readyReplicas": 2, "currentReplicas": 2, "updatedReplicas": 2, "currentRevision": "a", "updateRevision": "a"}
TWO = {"replicas": 2}
FROM_ONE: Object = {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}}
DEADLINE = {"replicas": 2, "progressDeadlineSeconds": 600}

CASES: list[tuple[str, Object, Status]] = [
    ("a Deployment with all of its pods", obj("Deployment", spec=TWO, **POD, conditions=ROLLED), Status.CURRENT),
    ("one that lacks a pod", obj("Deployment", spec=TWO, **POD | {"availableReplicas": 1}, conditions=ROLLED), Status.IN_PROGRESS),
    ("one whose old pods are still there", obj("Deployment", spec=TWO, **POD | {"replicas": 3}, conditions=ROLLED),
     Status.IN_PROGRESS),
    ("one that has not begun", obj("Deployment", spec=TWO, conditions=ROLLED), Status.IN_PROGRESS),
    ("one that gave up", obj("Deployment", spec=TWO, **POD, conditions=LATE), Status.FAILED),
    ("one that says nothing of its rollout", obj("Deployment", spec=DEADLINE, **POD, conditions=ROLLED[1:]), Status.IN_PROGRESS),
    ("one that is not available", obj("Deployment", spec=TWO, **POD, conditions=ROLLED[:1]), Status.IN_PROGRESS),
    ("one that is scaled to none", obj("Deployment", spec={"replicas": 0}, replicas=0, conditions=ROLLED), Status.CURRENT),
    ("one whose newest spec nobody has seen", obj("Deployment", generation=2, observedGeneration=1, **POD), Status.IN_PROGRESS),
    ("a DaemonSet on all nodes", obj("DaemonSet", **ON_ALL), Status.CURRENT),
    ("one that is not ready on a node", obj("DaemonSet", **ON_ALL | {"numberReady": 2}), Status.IN_PROGRESS),
    ("one of which nobody has counted", obj("DaemonSet"), Status.IN_PROGRESS),
    ("a StatefulSet", obj("StatefulSet", spec=TWO, **SET), Status.CURRENT),
    ("one that lacks a pod", obj("StatefulSet", spec=TWO, **SET | {"readyReplicas": 1}), Status.IN_PROGRESS),
    ("one in the middle of a rollout", obj("StatefulSet", spec=TWO, **SET | {"updateRevision": "b"}), Status.IN_PROGRESS),
    ("one that is rolled out by hand", obj("StatefulSet", spec={"updateStrategy": {"type": "OnDelete"}}), Status.CURRENT),
    ("one that is rolled as far as its partition", obj("StatefulSet", spec=TWO | FROM_ONE, **SET | {"updatedReplicas": 1}),
     Status.CURRENT),
    ("one that is not as far", obj("StatefulSet", spec=TWO | FROM_ONE, **SET | {"updatedReplicas": 0}), Status.IN_PROGRESS),
    ("one with a pod too many", obj("StatefulSet", spec=TWO, **SET | {"replicas": 3, "readyReplicas": 3}), Status.IN_PROGRESS),
    ("a ReplicaSet", obj("ReplicaSet", spec=TWO, **POD), Status.CURRENT),
    ("one that lacks a pod", obj("ReplicaSet", spec=TWO, **POD | {"readyReplicas": 1}), Status.IN_PROGRESS),
    ("a pod that runs", obj("Pod", "v1", phase="Running", conditions=said(Ready="True")), Status.CURRENT),
    ("one that is not ready", obj("Pod", "v1", phase="Running", conditions=said(Ready="False")), Status.IN_PROGRESS),
    ("one that waits for a node", obj("Pod", "v1", phase="Pending"), Status.IN_PROGRESS),
    ("one that nobody has looked at", obj("Pod", "v1"), Status.IN_PROGRESS),
    ("one that has ended well", obj("Pod", "v1", phase="Succeeded"), Status.CURRENT),
    ("one that has not", obj("Pod", "v1", phase="Failed"), Status.FAILED),
    ("a Service", obj("Service", "v1", spec={"type": "ClusterIP"}), Status.CURRENT),
    ("one at a balancer", obj("Service", "v1", spec={"type": "LoadBalancer", "clusterIP": "10.96.0.9"}), Status.CURRENT),
    ("one at a balancer that has no address", obj("Service", "v1", spec={"type": "LoadBalancer"}), Status.IN_PROGRESS),
    ("a budget that is kept", obj("PodDisruptionBudget", "policy/v1", desiredHealthy=2, currentHealthy=2), Status.CURRENT),
    ("one that is not", obj("PodDisruptionBudget", "policy/v1", desiredHealthy=2, currentHealthy=1), Status.IN_PROGRESS),
    ("a claim that is bound", obj("PersistentVolumeClaim", "v1", phase="Bound"), Status.CURRENT),
    ("one that is not", obj("PersistentVolumeClaim", "v1", phase="Pending"), Status.IN_PROGRESS),
    ("a Job that has failed", obj("Job", "batch/v1", startTime="now", conditions=said(Failed="True")), Status.FAILED),
    ("a Job at work", obj("Job", "batch/v1", startTime="now"), Status.CURRENT),
    ("a Job that has not begun", obj("Job", "batch/v1"), Status.IN_PROGRESS),
    ("a Job that is complete", obj("Job", "batch/v1", conditions=said(Complete="True")), Status.CURRENT),
    ("a definition", obj("CustomResourceDefinition", "apiextensions.k8s.io/v1", conditions=said(Established="True")),
     Status.CURRENT),
    ("one whose name is another's", obj("CustomResourceDefinition", "apiextensions.k8s.io/v1",
                                        conditions=said(Established="True", NamesAccepted="False")), Status.FAILED),
    ("one that is not established", obj("CustomResourceDefinition", "apiextensions.k8s.io/v1"), Status.IN_PROGRESS),
    ("an object that is Ready", obj("HelmRelease", "helm/v2", conditions=said(Ready="True")), Status.CURRENT),
    ("one that is not", obj("HelmRelease", "helm/v2", conditions=said(Ready="False")), Status.IN_PROGRESS),
    ("one that does not know", obj("HelmRelease", "helm/v2", conditions=said(Ready="Unknown")), Status.IN_PROGRESS),
    ("one that stalled", obj("HelmRelease", "helm/v2", conditions=said(Ready="False", Stalled="True")), Status.FAILED),
    ("one at work", obj("HelmRelease", "helm/v2", conditions=said(Ready="True", Reconciling="True")), Status.IN_PROGRESS),
    ("what has nothing to say", obj("ConfigMap", "v1"), Status.CURRENT),
    ("a kind of the same name in another group", obj("Deployment", "other/v1"), Status.CURRENT),
    ("what is malformed", {"kind": "X", "status": {"conditions": "no"}}, Status.CURRENT),
]  # fmt: skip


@pytest.mark.parametrize(("name", "item", "status"), CASES, ids=[case[0] for case in CASES])
def test_an_object_is_as_far_as_its_status_says(name: str, item: Object, status: Status) -> None:
    found, why = status_of(item)
    assert found is status
    assert bool(why) == (status is not Status.CURRENT), why


def test_what_is_being_deleted_is_nothing_else() -> None:
    item = obj("Deployment", spec=TWO, **POD, conditions=ROLLED)
    item["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert status_of(item)[0] is Status.TERMINATING
