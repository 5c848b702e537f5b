"""The Talos door as a person's talosctl and a failing network meet it."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from adapters.talos.results import EtcdData, Phase
from engine.errors import BlackstartError, TransientError
from house.model import Node
from lab.world.faults import Fault
from lab.world.machines.machine import Port
from tests.contract.apiserver import program
from tests.contract.talos.talos_bench import Racks
from tests.contract.talos.talos_wire import TalosHouseFiles, WireBench

pytestmark = pytest.mark.programs


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> TalosHouseFiles:
    return TalosHouseFiles(tmp_path_factory.mktemp("talos-house"))


@pytest.fixture
def bench(files: TalosHouseFiles, tmp_path: Path) -> Iterator[WireBench]:
    made = WireBench(files, tmp_path)
    made.machineconfigs.render()
    try:
        yield made
    finally:
        made.close()


def waiting(bench: WireBench, *nodes: Node) -> None:
    """These nodes configured; control planes wait for a bootstrap."""
    racks = Racks()
    for node in nodes:
        bench.world.power_on(node.mac, racks.of(node))
        bench.until(lambda node=node: bench.talos.phase(node.address) is Phase.MAINTENANCE, "maintenance")
        bench.talos.apply_config(node.address, node.name, maintenance=True)
    for node in nodes:
        bench.until(lambda node=node: bench.talos.phase(node.address) is Phase.SECURE, "secure")


def typed(bench: WireBench, *args: str, nodes: Sequence[Node]) -> subprocess.CompletedProcess[str]:
    """What a person types, with every node as `-n` and the first as endpoint."""
    found = program("talosctl")
    assert found is not None
    config = bench.house.state_dir / "machineconfigs" / "talosconfig"
    where = ["--talosconfig", str(config), "-e", nodes[0].address, "-n", ",".join(n.address for n in nodes)]
    return subprocess.run([found, *args, *where], capture_output=True, text=True, timeout=50, env={"HOME": str(bench.files.folder)})


def bootstrap_with(bench: WireBench, fault: Fault) -> Node:
    node = bench.house.bootstrap_node
    waiting(bench, node)
    bench.world.world.faults.arm("talos.bootstrap_etcd/*", fault)
    return node


def test_a_lost_reply_is_an_error_although_the_act_was_done(bench: WireBench) -> None:
    node = bootstrap_with(bench, Fault.LOSE_REPLY)
    with pytest.raises(TransientError):
        bench.talos.bootstrap_etcd(node.address)
    bench.until(lambda: bench.talos.etcd(node.address).healthy, "etcd runs")


def test_server_errors_come_twice_and_change_nothing(bench: WireBench) -> None:
    node = bootstrap_with(bench, Fault.ERROR_TWICE)
    for _ in range(2):
        with pytest.raises(TransientError):
            bench.talos.bootstrap_etcd(node.address)
        assert not bench.world.at(node.address).bootstrap_wanted
    bench.talos.bootstrap_etcd(node.address)
    bench.until(lambda: bench.talos.etcd(node.address).healthy, "etcd runs")


def test_a_lie_is_an_ok_without_the_act(bench: WireBench) -> None:
    node = bootstrap_with(bench, Fault.LIE_ONCE)
    bench.talos.bootstrap_etcd(node.address)
    assert not bench.world.at(node.address).bootstrap_wanted
    assert bench.talos.etcd(node.address).data is EtcdData.NONE


@pytest.mark.parametrize(("fault", "done"), [(Fault.DIE_BEFORE, False), (Fault.DIE_AFTER, True)])
def test_a_death_is_told_to_whoever_runs_the_tool(bench: WireBench, fault: Fault, done: bool) -> None:
    node = bootstrap_with(bench, fault)
    deaths: list[str] = []
    bench.world.world.on_death = deaths.append
    with pytest.raises(TransientError):
        bench.talos.bootstrap_etcd(node.address)
    assert deaths == [f"talos.bootstrap_etcd/{node.address}"]
    assert (bench.world.at(node.address).bootstrap_wanted or bool(bench.world.etcd.clusters)) is done


def test_mutations_have_the_names_of_the_in_process_door(bench: WireBench) -> None:
    node = bench.house.bootstrap_node
    waiting(bench, node)
    bench.talos.bootstrap_etcd(node.address)
    bench.talos.fetch_kubeconfig(node.address)
    assert bench.world.world.faults.reached == [
        "talos.apply_config/cp-1#1",
        f"talos.bootstrap_etcd/{node.address}#1",
        f"talos.fetch_kubeconfig/{node.address}#1",
    ]


def test_a_person_bootstraps_reboots_and_resets_with_talosctl_alone(bench: WireBench) -> None:
    first, second = bench.house.control_planes[:2]
    waiting(bench, first, second)
    assert typed(bench, "bootstrap", nodes=[first]).returncode == 0
    bench.until(lambda: bench.talos.etcd(second.address).healthy, "the second joined")
    health = typed(bench, "health", "--wait-timeout", "20s", nodes=[first])
    assert (health.returncode, health.stderr.strip()[-2:]) == (0, "OK")
    assert "post check passed" in typed(bench, "reboot", "--timeout", "40s", nodes=[second]).stderr
    reset = typed(bench, "reset", "--reboot", "--system-labels-to-wipe", "EPHEMERAL", "--timeout", "40s", nodes=[second])
    assert reset.returncode == 0, reset.stderr
    bench.until(lambda: bench.talos.etcd(second.address).healthy, "joined again")
    assert len(bench.world.etcd.clusters) == 1


def test_a_dead_node_among_several_is_named_and_the_others_answer(bench: WireBench) -> None:
    first, second = bench.house.control_planes[:2]
    waiting(bench, first)
    several = typed(bench, "version", "--short", nodes=[first, second])
    assert several.returncode == 0
    assert several.stdout.count("Tag:") == 1
    assert "1 error occurred" in several.stderr
    assert f"{second.address}" in several.stderr


def test_without_a_certificate_a_configured_node_answers_nobody(bench: WireBench) -> None:
    node = bench.house.bootstrap_node
    waiting(bench, node)
    found = program("talosctl")
    assert found is not None
    answer = subprocess.run(
        [found, "version", "--insecure", "-n", node.address], capture_output=True, text=True, timeout=50,
        env={"HOME": str(bench.files.folder)},
    )  # fmt: skip
    assert answer.returncode == 1
    assert "certificate required" in answer.stderr


def test_maintenance_shows_disks_and_refuses_what_needs_an_admin(bench: WireBench) -> None:
    node = bench.house.bootstrap_node
    bench.world.power_on(node.mac, Racks().of(node))
    bench.until(lambda: bench.talos.phase(node.address) is Phase.MAINTENANCE, "maintenance")
    with pytest.raises(BlackstartError):
        bench.talos.bootstrap_etcd(node.address)
    with pytest.raises(TransientError):
        bench.talos.applied_digest(node.address)
    assert bench.world.at(node.address).port is Port.MAINTENANCE


def test_what_the_lab_leaves_out_is_refused_by_name(bench: WireBench) -> None:
    node = bench.house.bootstrap_node
    waiting(bench, node)
    answer = typed(bench, "processes", nodes=[node])
    assert answer.returncode == 1
    assert "/machine.MachineService/Processes is not simulated" in answer.stderr
    assert "/machine.MachineService/Processes" in bench.world.unknown


def test_nothing_is_left_of_a_closed_door(files: TalosHouseFiles, tmp_path: Path) -> None:
    before = set(threading.enumerate())
    bench = WireBench(files, tmp_path)
    bench.machineconfigs.render()
    node = bench.house.bootstrap_node
    bench.world.power_on(node.mac, Racks().of(node))
    bench.until(lambda: bench.talos.phase(node.address) is Phase.MAINTENANCE, "maintenance")
    bench.close()
    assert set(threading.enumerate()) <= before  # one of theirs may have ended meanwhile
    assert bench.talos.phase(node.address) is Phase.UNREACHABLE
