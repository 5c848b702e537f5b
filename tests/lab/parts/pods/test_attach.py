"""Where volumes may be used and pods may run: one node, one pod, and only with room. Said as the real controllers say it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.parts.kube import CLAIMS, EVENTS, PODS, Object
from lab.parts.objects.manifests import define, install_storage
from lab.parts.pods.nodes import NodeSpec
from lab.parts.settings import Settings
from lab.wire.pki import LabCA
from tests.lab.parts import objects
from tests.lab.parts.bench import Bench, control_planes, free_block, need_programs, running_cluster

pytestmark = pytest.mark.programs


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A cluster of two machines, of four cores and two, with storage."""
    need_programs()
    root = tmp_path_factory.mktemp("two")
    with free_block() as prefix:
        nodes = [*control_planes(prefix, 1), NodeSpec("worker", f"{prefix}.21", cpu=2, memory_mib=4096)]
        with running_cluster(Settings(root, prefix), nodes) as cluster:
            define(cluster.kube, "snapshots")
            install_storage(cluster.kube)
            yield Bench(cluster, root, LabCA(root / "servers"))


@pytest.fixture
def space(two: Bench) -> str:
    return two.namespace()


def on(node: str, pod: Object) -> Object:
    pod["spec"]["nodeSelector"] = {"kubernetes.io/hostname": node}
    return pod


def shared(space: str, mode: str) -> Object:
    claim = objects.claim(space, "data")
    claim["spec"]["accessModes"] = [mode]
    return claim


def events(bench: Bench, space: str, pod: str) -> dict[str, str]:
    """Reason → message of the pod's warnings."""
    found = [e for e in bench.kube.list(EVENTS, space) if e["type"] == "Warning"]
    return {e["reason"]: e["message"] for e in found if e["involvedObject"]["name"] == pod}


def state(bench: Bench, space: str, pod: str) -> tuple[str, str]:
    """The pod's phase, and what its container waits for."""
    status = bench.status(PODS, space, pod)
    containers = status.get("containerStatuses") or [{}]
    return status.get("phase", ""), containers[0].get("state", {}).get("waiting", {}).get("reason", "")


def test_a_claim_for_one_node_is_refused_to_a_second_until_the_first_has_let_go(two: Bench, space: str) -> None:
    two.kube.apply(CLAIMS, shared(space, "ReadWriteOnce"))
    two.kube.apply(PODS, on("cp-1", objects.pod(space, "first", "data")))
    two.wait_ready(space, "first")
    two.kube.apply(PODS, on("cp-1", objects.pod(space, "beside", "data")))
    two.wait_ready(space, "beside")
    two.kube.apply(PODS, on("worker", objects.pod(space, "second", "data")))
    two.until(lambda: "FailedAttachVolume" in events(two, space, "second"), "the refusal")
    said = events(two, space, "second")["FailedAttachVolume"]
    volume = (two.kube.get(CLAIMS, "data", space) or {})["spec"]["volumeName"]
    assert said.startswith(f'Multi-Attach error for volume "{volume}" Volume is already used by pod(s) ')
    assert set(said.partition("pod(s) ")[2].split(", ")) == {"first", "beside"}
    assert state(two, space, "second") == ("Pending", "ContainerCreating")
    two.kube.delete(PODS, objects.pod(space, "first", "data"))
    two.kube.delete(PODS, objects.pod(space, "beside", "data"))
    two.wait_ready(space, "second")


def test_a_pod_that_has_ended_keeps_its_volume_from_nobody(two: Bench, space: str) -> None:
    two.kube.apply(CLAIMS, shared(space, "ReadWriteOnce"))
    once = on("cp-1", objects.pod(space, "once", "data"))
    once["spec"]["restartPolicy"] = "Never"
    two.kube.apply(PODS, once)
    two.until(lambda: two.phase(PODS, space, "once") == "Succeeded", "the end of the first")
    two.kube.apply(PODS, on("worker", objects.pod(space, "next", "data")))
    two.wait_ready(space, "next")


def test_a_claim_for_many_nodes_is_used_on_both(two: Bench, space: str) -> None:
    two.kube.apply(CLAIMS, shared(space, "ReadWriteMany"))
    for number, node in enumerate(("cp-1", "worker")):
        two.kube.apply(PODS, on(node, objects.pod(space, f"user-{number}", "data")))
        two.wait_ready(space, f"user-{number}")


def test_a_claim_for_one_pod_is_used_by_one_pod_even_on_one_node(two: Bench, space: str) -> None:
    two.kube.apply(CLAIMS, shared(space, "ReadWriteOncePod"))
    two.kube.apply(PODS, on("cp-1", objects.pod(space, "only", "data")))
    two.wait_ready(space, "only")
    two.kube.apply(PODS, objects.pod(space, "other", "data"))
    two.until(lambda: "FailedScheduling" in events(two, space, "other"), "the refusal")
    assert events(two, space, "other")["FailedScheduling"] == (
        "0/2 nodes are available: 2 node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already "
        "in-use by another pod. preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod."
    )
    (scheduled,) = [c for c in two.status(PODS, space, "other")["conditions"] if c["type"] == "PodScheduled"]
    assert (scheduled["status"], scheduled["reason"]) == ("False", "Unschedulable")
    two.kube.delete(PODS, objects.pod(space, "only", "data"))
    two.wait_ready(space, "other")


def test_a_pod_that_asks_for_more_than_any_node_has_waits_and_says_so(two: Bench, space: str) -> None:
    huge = objects.pod(space, "huge")
    huge["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "3", "memory": "1Ti"}}
    two.kube.apply(PODS, huge)
    two.until(lambda: "FailedScheduling" in events(two, space, "huge"), "the refusal")
    said = events(two, space, "huge")["FailedScheduling"]
    assert said.startswith("0/2 nodes are available: 1 Insufficient cpu, 2 Insufficient memory. preemption: ")
    assert two.phase(PODS, space, "huge") == "Pending"
    large = objects.pod(space, "large")
    large["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "3"}}
    two.kube.apply(PODS, large)
    assert two.wait_ready(space, "large")["spec"]["nodeName"] == "cp-1"
