"""Which pods may go to which nodes."""

from __future__ import annotations

import pytest

from lab.parts.kube import Object
from lab.parts.pods.fitting import CORDONED, TAINTED, objections, quantity, requests, told
from lab.parts.pods.scheduler import claim_names

NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
CONTROL_PLANE = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}


def node(*taints: Object, name: str = "one", **labels: str) -> Object:
    return {"metadata": {"name": name, "labels": labels}, "spec": {"taints": list(taints)}}


def pod(**spec: object) -> Object:
    return {"metadata": {"name": "pod"}, "spec": {"containers": [], **spec}}


def fits(wanted: Object, where: Object) -> bool:
    return not objections(wanted, where, [])


def required(*expressions: Object, key: str = "matchExpressions") -> Object:
    terms = {"nodeSelectorTerms": [{key: list(expressions)}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


@pytest.mark.parametrize(
    ("tolerations", "fitting"),
    [
        ([], False),
        ([{"operator": "Exists"}], True),
        ([{"key": NOT_READY["key"], "operator": "Exists"}], True),
        ([{"key": NOT_READY["key"], "operator": "Exists", "effect": "NoExecute"}], False),
        ([{"key": NOT_READY["key"], "operator": "Equal", "value": "other"}], False),
        ([{"key": CONTROL_PLANE["key"], "operator": "Exists"}], False),
    ],
)
def test_a_taint_keeps_away_whoever_does_not_tolerate_it(tolerations: list[Object], fitting: bool) -> None:
    assert fits(pod(tolerations=tolerations), node(NOT_READY)) is fitting


def test_every_taint_must_be_tolerated() -> None:
    tolerations = [{"key": NOT_READY["key"], "operator": "Exists"}]
    assert not fits(pod(tolerations=tolerations), node(NOT_READY, CONTROL_PLANE))


def test_preferences_keep_nobody_away() -> None:
    assert fits(pod(), node({"key": "busy", "effect": "PreferNoSchedule"}))


def test_node_selector_and_affinity() -> None:
    assert fits(pod(nodeSelector={"disk": "ssd"}), node(disk="ssd"))
    assert not fits(pod(nodeSelector={"disk": "ssd"}), node(disk="hdd"))
    own = {"key": "metadata.name", "operator": "In", "values": ["two"]}  # how a DaemonSet ties its pods to nodes
    assert not fits(pod(affinity=required(own, key="matchFields")), node(name="one"))
    assert fits(pod(affinity=required(own, key="matchFields")), node(name="two"))
    assert fits(pod(affinity=required({"key": "gpu", "operator": "DoesNotExist"})), node())
    assert not fits(pod(affinity=required({"key": "gpu", "operator": "Exists"})), node())
    assert not fits(pod(affinity=required({"key": "zone", "operator": "NotIn", "values": ["a"]})), node(zone="a"))


def test_the_claims_of_a_pod_include_those_made_for_it_alone() -> None:
    volumes = [
        {"name": "a", "persistentVolumeClaim": {"claimName": "data"}},
        {"name": "b", "ephemeral": {}},
        {"name": "c"},
    ]
    assert claim_names(pod(volumes=volumes)) == ["data", "pod-b"]


def asking(name: str = "pod", on: str = "", phase: str = "Running", **amounts: str) -> Object:
    """A pod of one container that asks for so much."""
    container = {"name": "main", "resources": {"requests": amounts}}
    return {
        "metadata": {"name": name},
        "spec": {"containers": [container], **({"nodeName": on} if on else {})},
        "status": {"phase": phase},
    }


def roomy(**allocatable: str) -> Object:
    return {**node(), "status": {"allocatable": allocatable}}


def test_a_pod_that_asks_for_more_than_the_node_has_left_goes_nowhere() -> None:
    there = roomy(cpu="2", memory="4Gi", pods="10")
    assert objections(asking(cpu="1500m", memory="1Gi"), there, []) == []
    assert objections(asking(cpu="64", memory="1Ti"), there, []) == ["Insufficient cpu", "Insufficient memory"]
    busy = [asking("a", "one", cpu="1"), asking("b", "one", "Succeeded", cpu="1"), asking("c", "two", cpu="1")]
    assert objections(asking(cpu="1"), there, busy) == []
    assert objections(asking(cpu="1001m"), there, busy) == ["Insufficient cpu"]
    assert objections(asking(**{"gpu.example/card": "1"}), there, []) == ["Insufficient gpu.example/card"]
    assert objections(asking(), roomy(pods="1"), busy) == ["Too many pods"]


def test_a_cordoned_node_takes_no_pod() -> None:
    cordoned = {**node(), "spec": {"unschedulable": True}}
    assert objections(pod(), cordoned, []) == [CORDONED]
    assert objections(pod(tolerations=[{"operator": "Exists"}]), cordoned, []) == []


def test_what_the_scheduler_says_counts_the_nodes() -> None:
    assert told([["Insufficient cpu", "Insufficient memory"], ["Insufficient cpu"], [TAINTED]]) == (
        "0/3 nodes are available: 1 Insufficient memory, 1 node(s) had untolerated taint(s), 2 Insufficient cpu. "
        "preemption: 0/3 nodes are available: 1 Preemption is not helpful for scheduling, "
        "2 No preemption victims found for incoming pod."
    )
    assert told([]) == "no nodes available to schedule pods"


def test_init_containers_count_where_they_ask_for_more() -> None:
    both = asking(cpu="100m", memory="64Mi")
    both["spec"]["initContainers"] = [{"name": "init", "resources": {"requests": {"cpu": "1", "memory": "1Mi"}}}]
    assert requests(both) == {"cpu": quantity("1"), "memory": quantity("64Mi")}
    assert [int(quantity(text)) for text in ("1e3", "2k", "1Ki", "1500m")] == [1000, 2000, 1024, 1]
