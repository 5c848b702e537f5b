"""A lab that is killed leaves nothing for long, and what was on its machines' disks is there when they are switched on again."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from lab.parts.cluster import LabCluster
from lab.parts.errors import PartFailed
from lab.parts.kube import CONFIG_MAPS, PODS, SERVICE_ACCOUNTS
from lab.parts.plane.pki import ClusterKeys
from lab.parts.pods.images import APPLICATION_IMAGE
from lab.parts.pods.podstatus import is_ready
from lab.parts.settings import Settings
from lab.parts.supervisor import ProcessId
from tests.lab.parts import objects
from tests.lab.parts.bench import control_planes, free_block, need_programs

pytestmark = pytest.mark.programs


def live(root: Path, prefix: str) -> None:
    """The first life: a cluster with an application, and a line for each process once all is up. Never ends by itself."""
    keys = ClusterKeys.make()
    (root / "keys").write_bytes(pickle.dumps(keys))
    cluster = LabCluster(Settings(root / "lab", prefix))
    cluster.start()
    (node,) = control_planes(prefix, 1)
    cluster.order(lambda: cluster.node_up(node, keys))
    cluster.order(lambda: cluster.begin(node.name))
    cluster.wait(
        lambda: cluster.etcd_state(node.name) == "Running" if node.name in cluster.machines else False, 30, "etcd"
    )
    cluster.wait_ready()
    kube = cluster.kube
    kube.apply(
        CONFIG_MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kept", "namespace": "default"}}
    )
    cluster.wait(lambda: kube.get(SERVICE_ACCOUNTS, "default", "default") is not None, 20, "the account")
    pod = objects.pod("default", "app", image=APPLICATION_IMAGE, arguments=("/tmp",))
    kube.apply(PODS, pod)
    cluster.wait(lambda: is_ready(kube.get(PODS, "app", "default") or {}), 20, "the application")
    for name, pid in cluster.supervisor.running().items():
        sys.stdout.write(f"{name} {pid}\n")
    sys.stdout.write("up\n")
    sys.stdout.flush()
    sys.stdin.read()


def killed_life(root: Path, prefix: str) -> dict[str, ProcessId]:
    """Live once, be killed; the processes that were left come back."""
    code = (
        "import sys, pathlib; from tests.lab.parts.plane.test_lives import live; live(pathlib.Path(sys.argv[1]), sys.argv[2])"
    )
    command = [sys.executable, "-c", code, str(root), prefix]
    left = {}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as life:
        assert life.stdout is not None
        while (line := life.stdout.readline().strip()) != "up":
            assert line, "the first life did not get up"
            name, pid = line.split()
            identity = ProcessId.of(int(pid))
            assert identity is not None
            left[name] = identity
        life.kill()
        life.communicate()
    return left


@pytest.mark.long
def test_the_next_start_ends_what_a_killed_lab_left_and_goes_on_with_its_data(tmp_path: Path) -> None:
    need_programs()
    with free_block() as prefix:
        left = killed_life(tmp_path, prefix)
        assert any("etcd" in name for name in left)
        assert any(name.startswith("pod-default-app") for name in left)
        assert all(i.alive() for i in left.values())
        cluster = LabCluster(Settings(tmp_path / "lab", prefix))
        try:
            cluster.start()
            assert not any(i.alive() for i in left.values())
            cluster.node_up(control_planes(prefix, 1)[0], pickle.loads((tmp_path / "keys").read_bytes()))
            cluster.wait_ready()
            assert cluster.kube.get(CONFIG_MAPS, "kept", "default") is not None
            cluster.wait(
                lambda: any("pod-default-app" in n for n in cluster.supervisor.running()), 20, "the application"
            )
        finally:
            cluster.down()
    assert cluster.supervisor.running() == {}
    assert cluster.supervisor.sweep() == ()


def test_an_order_that_fails_is_told(tmp_path: Path) -> None:
    with free_block() as prefix:
        cluster = LabCluster(Settings(tmp_path, prefix))
        cluster.start()
        cluster.order(lambda: cluster.begin("nobody"))
        cluster.wait(lambda: bool(cluster.errors), 10, "the refusal")
        cluster.down()
    assert cluster.errors == ["an order failed: nobody is no control plane"]


def test_who_waits_for_orders_sees_them_done(tmp_path: Path) -> None:
    done: list[str] = []
    with free_block() as prefix:
        cluster = LabCluster(Settings(tmp_path, prefix))
        cluster.order(lambda: done.append("first"))
        with pytest.raises(PartFailed, match="not done after 0 s"):
            cluster.obey(0.0)
        cluster.start()
        cluster.order(lambda: done.append("second"))
        cluster.obey(10.0)
        assert done == ["first", "second"]
        cluster.down()
