"""What the Talos port promises, asked of both doors: in process, and the real adapter with the real talosctl on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from adapters.talos.errors import AlreadyBootstrapped
from adapters.talos.results import EtcdData, Phase
from engine.errors import PermanentError, TransientError
from house.model import Node
from lab.world.machines.etcd_life import EtcdDelays
from tests.contract.talos.talos_bench import Bench, ModelledBench, Racks
from tests.contract.talos.talos_wire import TalosHouseFiles, WireBench


@pytest.fixture(scope="session")
def talos_house(tmp_path_factory: pytest.TempPathFactory) -> TalosHouseFiles:
    return TalosHouseFiles(tmp_path_factory.mktemp("talos-house"))


@pytest.fixture(params=["modelled", pytest.param("wire", marks=pytest.mark.programs)])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    if request.param == "modelled":
        yield ModelledBench()
        return
    wire = WireBench(request.getfixturevalue("talos_house"), tmp_path)
    try:
        yield wire
    finally:
        wire.close()


@pytest.fixture
def racks() -> Racks:
    return Racks()


def boot(bench: Bench, racks: Racks, *nodes: Node) -> None:
    for node in nodes or bench.house.nodes:
        bench.world.power_on(node.mac, racks.of(node))
    for node in nodes or bench.house.nodes:
        bench.until(
            lambda node=node: bench.talos.phase(node.address) is Phase.MAINTENANCE, f"{node.name} in maintenance"
        )


def configure(bench: Bench, *nodes: Node) -> None:
    bench.machineconfigs.render()
    for node in nodes or bench.house.nodes:
        bench.talos.apply_config(node.address, node.name, maintenance=True)
    for node in nodes or bench.house.nodes:
        bench.until(lambda node=node: bench.talos.phase(node.address) is Phase.SECURE, f"{node.name} secure")


def test_the_client_tells_its_version_without_any_machine(bench: Bench) -> None:
    assert bench.talos.client_version().startswith("v1.")


def etcd_of(bench: Bench, node: Node) -> EtcdData:
    return bench.talos.etcd(node.address).data


def bootstrapped(bench: Bench, racks: Racks) -> None:
    cps = bench.house.control_planes
    boot(bench, racks)
    configure(bench)
    bench.until(
        lambda: all(etcd_of(bench, n) is EtcdData.NONE for n in cps), "every control plane waits for a bootstrap"
    )
    bench.talos.bootstrap_etcd(cps[0].address)
    bench.until(lambda: all(bench.talos.etcd(n.address).healthy for n in cps), "etcd healthy on every control plane")


def test_machineconfigs_are_tried_and_nothing_is_left_of_it(bench: Bench) -> None:
    before = sorted(bench.house.state_dir.rglob("*")) if bench.house.state_dir.exists() else []
    assert bench.machineconfigs.render_problem() == ""
    assert bench.machineconfigs.rendered_from() == ""
    assert (sorted(bench.house.state_dir.rglob("*")) if bench.house.state_dir.exists() else []) == before
    ends = {one.name: one.ends for one in bench.machineconfigs.authorities()}
    assert {"the Talos CA", "etcd's CA"} <= ends.keys()
    assert all(end is not None and end > 2e9 for end in ends.values()), ends


def test_a_machine_without_power_is_unreachable_and_nothing_is_known_of_its_etcd(bench: Bench) -> None:
    node = bench.house.bootstrap_node
    bench.machineconfigs.render()
    assert bench.talos.phase(node.address) is Phase.UNREACHABLE
    assert etcd_of(bench, node) is EtcdData.UNKNOWN
    with pytest.raises(TransientError):
        bench.talos.machine(node.address)


def test_a_fresh_machine_is_in_maintenance_and_shows_its_disks(bench: Bench, racks: Racks) -> None:
    node = bench.house.bootstrap_node
    bench.machineconfigs.render()
    boot(bench, racks, node)
    disks = bench.talos.disks(node.address)
    assert [(d.device, d.size) for d in disks] == [("/dev/sda", node.disks[0].size), ("/dev/sdb", node.disks[1].size)]
    assert etcd_of(bench, node) is EtcdData.UNKNOWN


def test_an_applied_config_is_what_the_node_runs(bench: Bench, racks: Racks) -> None:
    node = bench.house.bootstrap_node
    boot(bench, racks, node)
    configure(bench, node)
    assert bench.talos.applied_digest(node.address) == bench.machineconfigs.digest(node.name) != ""
    state = bench.talos.machine(node.address)
    assert (state.stage, state.ready, bench.talos.hostname(node.address)) == ("booting", False, node.name)
    assert bench.talos.version(node.address) == "v1.13.9"
    assert bench.talos.version(node.address) == "v1.13.9"
    assert [d.device for d in bench.talos.disks(node.address) if d.system] == ["/dev/sda"]


def test_a_machine_without_talos_on_disk_installs_and_restarts(bench: Bench, racks: Racks) -> None:
    node = bench.house.bootstrap_node
    racks.of(node)[1].image = "installer"  # boots from elsewhere than the install disk
    racks.of(node)[0].image = ""
    bench.world.power_on(node.mac, racks.of(node))
    bench.until(lambda: bench.talos.phase(node.address) is Phase.MAINTENANCE, "maintenance")
    configure(bench, node)
    assert bench.talos.machine(node.address).stage in ("installing", "booting")


def test_a_worker_answers_once_a_control_plane_does_and_has_no_etcd(bench: Bench, racks: Racks) -> None:
    worker = bench.house.node("w-1")
    boot(bench, racks, worker, bench.house.bootstrap_node)
    bench.machineconfigs.render()
    bench.talos.apply_config(worker.address, worker.name, maintenance=True)
    bench.until(lambda: bench.talos.phase(worker.address) is Phase.UNREACHABLE, "the worker's port closes")
    bench.let_pass(1.0)
    assert bench.talos.phase(worker.address) is Phase.UNREACHABLE
    configure_cp = bench.house.bootstrap_node
    bench.talos.apply_config(configure_cp.address, configure_cp.name, maintenance=True)
    bench.until(lambda: bench.talos.phase(worker.address) is Phase.SECURE, "the worker is admitted")
    assert etcd_of(bench, worker) is EtcdData.UNKNOWN
    with pytest.raises(PermanentError):
        bench.talos.bootstrap_etcd(worker.address)


def test_one_bootstrap_makes_one_etcd_that_the_others_join(bench: Bench, racks: Racks) -> None:
    bootstrapped(bench, racks)
    states = bench.talos.etcds([node.address for node in bench.house.control_planes])
    assert states == tuple(bench.talos.etcd(node.address) for node in bench.house.control_planes)
    assert {m.hostname for m in states[0].members} == {"cp-1", "cp-2", "cp-3"}
    assert len({frozenset(m.member_id for m in state.members) for state in states}) == 1
    assert not any(m.learner for m in states[0].members)
    assert len(bench.world.etcd.clusters) == 1
    bench.until(lambda: all(bench.talos.machine(n.address).ready for n in bench.house.nodes), "every node ready")
    told_together(bench)


def told_together(bench: Bench) -> None:
    """Nodes that are asked together tell what each tells by itself; one that is off takes nothing from what the others tell."""
    talos, nodes = bench.talos, [node.address for node in bench.house.nodes]
    planes = [node.address for node in bench.house.control_planes]
    assert talos.machines(nodes, planes) == {node: talos.machine(node) for node in nodes}
    assert talos.versions(nodes, planes) == {node: talos.version(node) for node in nodes}
    assert talos.applied_digests(nodes, planes) == {node: talos.applied_digest(node) for node in nodes}
    clocks = talos.clocks(nodes, planes)
    assert clocks.keys() == set(nodes)
    assert all(abs(talos.clock(node) - at) < 60.0 for node, at in clocks.items())
    worker, plane = bench.house.nodes[-1], bench.house.control_planes[-1]
    for off in (worker, plane):
        bench.world.power_off(off.mac)
        bench.until(lambda off=off: bench.talos.phase(off.address) is Phase.UNREACHABLE, f"{off.name} dark")
    living = [node for node in nodes if node not in (worker.address, plane.address)]
    assert talos.versions(nodes, planes).keys() <= set(living)
    assert talos.versions(living, planes).keys() == set(living), "a dead endpoint is passed by"
    assert talos.clocks(nodes, planes).keys() <= set(living)
    assert talos.machines(living, [plane.address]) == {}
    assert [state.data for state in talos.etcds(planes)] == [EtcdData.PRESENT] * 2 + [EtcdData.UNKNOWN]


def test_a_member_is_taken_off_the_list_by_its_id_and_only_while_the_others_are_a_majority(bench: Bench, racks: Racks) -> None:
    bootstrapped(bench, racks)
    first, dead, last = bench.house.control_planes
    ids = {member.hostname: member.member_id for member in bench.talos.etcd(first.address).members}
    bench.world.power_off(dead.mac)
    with pytest.raises(PermanentError):
        bench.talos.remove_member(first.address, "0000000000000abc")
    bench.talos.remove_member(first.address, ids[dead.name])
    for node in (first, last):
        assert {member.hostname for member in bench.talos.etcd(node.address).members} == {first.name, last.name}
    bench.world.power_off(last.mac)
    with pytest.raises(TransientError):
        bench.talos.remove_member(first.address, ids[last.name])
    bench.world.power_on(dead.mac, racks.of(dead))
    bench.until(lambda: bench.talos.phase(dead.address) is Phase.SECURE, "the removed one is back")
    bench.let_pass(30)
    assert not bench.talos.etcd(dead.address).healthy


def test_a_second_bootstrap_of_a_node_with_data_is_refused_by_name(bench: Bench, racks: Racks) -> None:
    bootstrapped(bench, racks)
    for node in bench.house.control_planes:
        with pytest.raises(AlreadyBootstrapped):
            bench.talos.bootstrap_etcd(node.address)
    assert len(bench.world.etcd.clusters) == 1


def test_a_bootstrap_of_another_empty_control_plane_makes_a_second_etcd(
    bench: Bench, racks: Racks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Talos has no guard across nodes; the World must not have one either, else nothing proves ours."""
    # Before the first has started the second can't have joined it, and a busy machine may take a second between the two calls.
    monkeypatch.setattr(bench.world.etcd, "_delays", EtcdDelays(start_s=3.0))
    first, second, _ = bench.house.control_planes
    boot(bench, racks, first, second)
    configure(bench, first, second)
    bench.until(lambda: etcd_of(bench, first) is EtcdData.NONE and etcd_of(bench, second) is EtcdData.NONE, "both wait")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(bench.talos.bootstrap_etcd, (first.address, second.address)))
    bench.until(lambda: all(bench.talos.etcd(n.address).healthy for n in (first, second)), "both healthy")
    ids = [{m.member_id for m in bench.talos.etcd(n.address).members} for n in (first, second)]
    assert not ids[0] & ids[1]
    assert len(bench.world.etcd.clusters) == 2


def test_etcd_data_outlive_a_shutdown_and_a_lost_wish_to_bootstrap_does_not(bench: Bench, racks: Racks) -> None:
    node = bench.house.bootstrap_node
    boot(bench, racks, node)
    configure(bench, node)
    bench.until(lambda: etcd_of(bench, node) is EtcdData.NONE, "waits for a bootstrap")
    bench.talos.bootstrap_etcd(node.address)
    bench.until(lambda: bench.talos.etcd(node.address).healthy, "etcd healthy")
    bench.talos.shut_down(node.address)  # answers at once, and the machine goes off by itself
    bench.until(lambda: bench.talos.phase(node.address) is Phase.UNREACHABLE, "dark")
    bench.until(lambda: not bench.world.at(node.address).powered, "off")
    bench.world.power_on(node.mac, racks.of(node))
    bench.until(lambda: bench.talos.etcd(node.address).healthy, "etcd healthy again, on its data")
    assert len(bench.world.etcd.clusters) == 1


def test_a_node_of_another_ca_is_foreign(bench: Bench, racks: Racks) -> None:
    node = bench.house.bootstrap_node
    boot(bench, racks, node)
    configure(bench, node)
    bench.forget_bundle()
    assert bench.talos.phase(node.address) is Phase.FOREIGN
    assert etcd_of(bench, node) is EtcdData.UNKNOWN
    with pytest.raises(TransientError):
        bench.talos.machine(node.address)


def test_an_install_disk_that_is_not_there_is_refused(bench: Bench, racks: Racks) -> None:
    node = bench.house.bootstrap_node
    racks.disks[node.name] = tuple(d for d in racks.of(node) if d.device != "/dev/sda")
    racks.disks[node.name][0].image = "talos"
    boot(bench, racks, node)
    bench.machineconfigs.render()
    with pytest.raises(PermanentError, match="machineconfig"):
        bench.talos.apply_config(node.address, node.name, maintenance=True)
    assert bench.talos.phase(node.address) is Phase.MAINTENANCE


def test_time_that_is_not_in_sync_delays_the_bootstrap_and_shows_in_the_clock(bench: Bench, racks: Racks) -> None:
    node = bench.house.bootstrap_node
    boot(bench, racks, node)
    configure(bench, node)
    machine = bench.world.at(node.address)
    machine.time_synced = False
    with pytest.raises(TransientError):
        bench.talos.bootstrap_etcd(node.address)
    machine.time_synced, machine.clock_offset = True, 90.0
    assert bench.talos.clock(node.address) == pytest.approx(bench.world.world.clock.now() + 90.0, abs=5.0)


def test_rendering_is_repeatable_and_the_kubeconfig_is_of_the_same_bundle(bench: Bench, racks: Racks) -> None:
    assert bench.machineconfigs.rendered_from() == ""
    assert bench.machineconfigs.bundle_problem() == ""
    assert not bench.machineconfigs.kubeconfig_ok()
    bench.machineconfigs.render()
    first = [bench.machineconfigs.digest(n.name) for n in bench.house.nodes]
    assert bench.machineconfigs.rendered_from() == bench.machineconfigs.wanted() != ""
    bench.machineconfigs.render()
    assert [bench.machineconfigs.digest(n.name) for n in bench.house.nodes] == first
    node = bench.house.bootstrap_node
    boot(bench, racks, node)
    configure(bench, node)
    bench.talos.fetch_kubeconfig(node.address)
    assert bench.machineconfigs.kubeconfig_ok()


def test_new_secrets_are_made_once_and_only_where_there_are_none(bench: Bench, racks: Racks) -> None:
    with pytest.raises(PermanentError, match="is there already, and is never replaced"):
        bench.machineconfigs.make_bundle()
    bench.machineconfigs.render()
    before = bench.machineconfigs.wanted()
    bench.lose_bundle()
    assert not bench.machineconfigs.bundle_there()
    assert "is missing" in bench.machineconfigs.bundle_problem()
    bench.machineconfigs.make_bundle()
    assert bench.machineconfigs.bundle_there()
    assert (bench.machineconfigs.bundle_problem(), bench.machineconfigs.age_key_problem()) == ("", "")
    assert bench.machineconfigs.wanted() != before
    bench.machineconfigs.render()
    assert bench.machineconfigs.rendered_from() == bench.machineconfigs.wanted()


def test_without_a_bundle_nobody_can_tell_whose_a_node_is(bench: Bench, racks: Racks) -> None:
    node = bench.house.bootstrap_node
    boot(bench, racks, node)
    configure(bench, node)
    bench.lose_bundle()
    with pytest.raises(PermanentError, match="cannot tell whose"):
        bench.talos.phase(node.address)
    assert "is missing" in bench.machineconfigs.render_problem()
    with pytest.raises(PermanentError):
        bench.machineconfigs.authorities()
