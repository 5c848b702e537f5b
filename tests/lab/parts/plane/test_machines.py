"""Machines of one cluster go up, down and away: etcd's members, the API behind the virtual address, nodes and their network."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import httpx
import pytest

from lab.parts.cluster import LabCluster
from lab.parts.errors import PartFailed
from lab.parts.kube import CONFIG_MAPS, NAMESPACES, NODES, PODS, SERVICE_ACCOUNTS, ApiRefused, Object, Resource
from lab.parts.plane.pki import ClusterKeys
from lab.parts.pods.images import APPLICATION_IMAGE
from lab.parts.pods.nodes import NodeSpec
from lab.parts.pods.podstatus import is_ready
from lab.parts.settings import Settings
from tests.lab.parts import objects
from tests.lab.parts.bench import BASELINE, control_planes, free_block, need_programs, running_cluster

pytestmark = [pytest.mark.programs, pytest.mark.long]
DAEMONS = Resource("/apis/apps/v1", "daemonsets")


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabCluster]:
    """Three control planes and a worker; nodes wait for the pods of a network called cilium."""
    need_programs()
    with free_block() as prefix:
        settings = Settings(tmp_path_factory.mktemp("three"), prefix, network_images=frozenset({"cilium"}))
        nodes = [*control_planes(prefix, 3), NodeSpec("worker", f"{prefix}.21")]
        with running_cluster(settings, nodes, BASELINE) as cluster:
            yield cluster


def members(cluster: LabCluster, through: str = "cp-1") -> dict[str, bool]:
    """Name → whether it only learns."""
    return {m.name: m.learner for m in cluster.control_plane(through).etcd.members()}


def note(cluster: LabCluster, name: str) -> Object:
    """Write something through the virtual address."""
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}}
    return cluster.kube.apply(CONFIG_MAPS, item)


def reads(cluster: LabCluster, name: str) -> bool:
    try:
        return cluster.kube.get(CONFIG_MAPS, name, "default") is not None
    except httpx.HTTPError:
        return False


def test_the_control_planes_are_voting_members_of_one_cluster(three: LabCluster) -> None:
    assert members(three) == {"cp-1": False, "cp-2": False, "cp-3": False}
    assert {three.etcd_state(f"cp-{n}") for n in (1, 2, 3)} == {"Running"}


@pytest.mark.parametrize("path", ["/version", "/livez", "/readyz", "/api", "/healthz"])
def test_nobody_is_answered_who_does_not_say_who_he_is(three: LabCluster, path: str) -> None:
    access = three.control_plane("cp-1").access()
    nobody = ssl.create_default_context(cafile=str(access.authority))
    answer = httpx.get(f"{access.server}{path}", verify=nobody, timeout=5.0, trust_env=False)
    assert answer.status_code == 401


def mighty(namespace: str, **of_pod: object) -> Object:
    """A pod that takes its node's files, or what is said in place of that."""
    volumes = [{"name": "host", "hostPath": {"path": "/"}}]
    containers = [{"name": "c", "image": "busybox", "securityContext": {"privileged": True}}]
    spec = {"containers": containers, "volumes": volumes} | of_pod
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "mighty", "namespace": namespace}, "spec": spec}


def test_pod_security_of_the_machineconfig_decides_where_a_namespace_says_nothing(three: LabCluster) -> None:
    # No pod is judged before its account is there, which a controller makes.
    three.wait(lambda: three.kube.get(SERVICE_ACCOUNTS, "default", "default") is not None, 60, "the account of pods in default")
    for pod in (mighty("default"), mighty("default", hostNetwork=True, volumes=[], containers=[{"name": "c", "image": "busybox"}])):
        with pytest.raises(ApiRefused, match='violates PodSecurity "baseline:latest"'):
            three.kube.apply(PODS, pod)
    marks = {"pod-security.kubernetes.io/enforce": "privileged"}
    three.kube.apply(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "open", "labels": marks}})
    for namespace in ("open", "kube-system"):
        three.kube.apply(PODS, mighty(namespace, nodeName="cp-1"))
        three.kube.delete(PODS, mighty(namespace), at_once=True)


def test_a_second_bootstrap_is_refused(three: LabCluster) -> None:
    with pytest.raises(PartFailed, match="etcd data directory is not empty"):
        three.bootstrap("cp-2")


def test_nodes_are_not_ready_and_take_no_pods_until_the_network_runs_on_them(three: LabCluster) -> None:
    def ready() -> dict[str, bool]:
        return {n["metadata"]["name"]: is_ready(n) for n in three.kube.list(NODES)}

    three.wait(lambda: len(ready()) == 4, 20, "the nodes")
    assert not any(ready().values())
    three.wait(lambda: three.kube.get(SERVICE_ACCOUNTS, "default", "default") is not None, 20, "the account")
    three.kube.apply(PODS, objects.pod("default", "early"))
    labels = {"k8s-app": "cilium"}
    template = {
        "metadata": {"labels": labels},
        "spec": {
            "hostNetwork": True,
            "tolerations": [{"operator": "Exists"}],
            "containers": [{"name": "agent", "image": "quay.io/cilium/cilium:v1.19.0"}],
        },
    }
    meta = {"name": "cilium", "namespace": "kube-system"}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    three.wait(lambda: three.kube.get(SERVICE_ACCOUNTS, "default", "kube-system") is not None, 20, "the account")
    assert "nodeName" not in (three.kube.get(PODS, "early", "default") or {})["spec"]
    three.kube.apply(DAEMONS, {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta, "spec": spec})
    three.wait(lambda: all(ready().values()), 20, "the network")
    three.wait(lambda: is_ready(three.kube.get(PODS, "early", "default") or {}), 20, "the early pod")


def test_the_api_survives_the_loss_of_a_machine_and_the_machine_comes_back(three: LabCluster) -> None:
    note(three, "before")
    spec, keys = three.control_plane("cp-1"), three.keys_of("cp-1")
    three.node_down("cp-1")
    three.wait(lambda: reads(three, "before"), 20, "the virtual address")
    three.node_up(NodeSpec("cp-1", spec.address, control_plane=True), keys)
    three.wait_ready()
    assert members(three, "cp-2") == {"cp-1": False, "cp-2": False, "cp-3": False}


def test_a_machine_that_lost_its_disk_joins_anew(three: LabCluster) -> None:
    address, keys = three.control_plane("cp-3").address, three.keys_of("cp-3")
    three.destroy("cp-3")
    three.node_up(NodeSpec("cp-3", address, control_plane=True), keys)
    three.wait_ready()
    three.wait(lambda: members(three) == {"cp-1": False, "cp-2": False, "cp-3": False}, 30, "the third member")
    assert reads(three, "before")


def test_a_killed_api_server_is_started_again(three: LabCluster) -> None:
    plane = three.control_plane("cp-2")
    three.supervisor.stop(plane.program, 0.0)
    three.wait(plane.ready, 30, "the API server of cp-2")


def test_without_a_quorum_nothing_serves_and_afterwards_all_goes_on(three: LabCluster) -> None:
    etcd = three.control_plane("cp-1").etcd
    for name in ("etcd-cp-2", "etcd-cp-3"):
        three.supervisor.pause(name)
    three.wait(lambda: not etcd.healthy(), 20, "the loss of the quorum")
    assert three.etcd_state("cp-1") == "Starting"
    for name in ("etcd-cp-2", "etcd-cp-3"):
        three.supervisor.go_on(name)
    three.wait(etcd.healthy, 20, "the quorum")
    three.wait(lambda: reads(three, "before"), 20, "the API")


def test_etcd_begins_again_from_a_copy_and_what_ran_on_a_worker_ran_on(three: LabCluster) -> None:
    def running(name: str) -> list[int]:
        return [pid for program, pid in three.supervisor.running().items() if program.startswith(f"pod-default-{name}-")]

    def start(name: str) -> None:
        pod = objects.pod("default", name, image=APPLICATION_IMAGE, arguments=("/tmp",))
        pod["spec"]["nodeName"] = "worker"
        three.kube.apply(PODS, pod)
        three.wait(lambda: bool(running(name)), 30, name)

    start("kept")
    plane, keys = three.control_plane("cp-1"), three.keys_of("cp-1")
    with pytest.raises(PartFailed, match="is not restored"):
        three.control_plane("cp-2").etcd.start_from(b"no database", skip_hash=True)
    content, before = plane.etcd.snapshot(), running("kept")
    start("late")
    for name in ("cp-1", "cp-2", "cp-3"):
        three.destroy(name)
    assert running("kept") == before
    three.node_up(NodeSpec("cp-1", plane.address, control_plane=True), keys)
    three.begin("cp-1", content)
    three.wait_ready()
    assert members(three) == {"cp-1": False}
    assert reads(three, "before")
    three.wait(lambda: is_ready(three.kube.get(PODS, "kept", "default") or {}), 20, "the pod that ran on")
    assert running("kept") == before
    three.wait(lambda: not running("late"), 20, "the end of a pod that no snapshot has")


def test_a_cluster_that_was_destroyed_can_be_built_again_with_other_keys(three: LabCluster) -> None:
    prefix = three.settings.prefix
    for name in sorted(three.machines):
        three.destroy(name)
    with pytest.raises(PartFailed, match="no API server yet"):
        assert three.kube
    keys = ClusterKeys.make()
    node = NodeSpec("cp-1", f"{prefix}.11", control_plane=True)
    three.node_up(node, keys)
    assert three.etcd_state("cp-1") == "Preparing"
    three.bootstrap("cp-1")
    three.wait_ready()
    assert not reads(three, "before")
    assert [n["metadata"]["name"] for n in three.kube.list(NODES)] == ["cp-1"]
