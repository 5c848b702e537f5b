"""Which pods may go to which nodes."""

from __future__ import annotations

import pytest

from lab.parts.kube import Object
from lab.parts.scheduler import claim_names, fits

NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
CONTROL_PLANE = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}


def node(*taints: Object, name: str = "one", **labels: str) -> Object:
    return {"metadata": {"name": name, "labels": labels}, "spec": {"taints": list(taints)}}


def pod(**spec: object) -> Object:
    return {"metadata": {"name": "pod"}, "spec": spec}


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
