"""The simulated Talos machines: what is lost with the power, how etcd joins, leaves and stays broken."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab.wire.talos import machine_api
from lab.wire.talos.calls import ADMIN, Call
from lab.wire.talos.pb import talos_pb2 as pb
from lab.world.machines.health import first_problem
from lab.world.machines.machine import Machine, Port, Refused
from lab.world.machines.machineconfig import ConfigRefused, parse
from tests.builders import a_house
from tests.contract.talos.talos_bench import ModelledBench, Racks


class Rack(ModelledBench):
    """Machines, and short words for what is done to them."""

    def __init__(self) -> None:
        super().__init__()
        self.racks = Racks()
        self.machineconfigs.render()

    def up(self, *names: str) -> list[Machine]:
        """Boot and configure these nodes, and let them run their configuration."""
        nodes = [self.house.node(name) for name in names]
        for node in nodes:
            self.world.power_on(node.mac, self.racks.of(node))
        self.wait(13)
        for node in nodes:
            self.world.apply(self.machine(node.name), self.state.rendered[node.name])
        self.wait(10)
        return [self.machine(name) for name in names]

    def machine(self, name: str) -> Machine:
        return self.world.machines[self.house.node(name).mac]

    def wait(self, seconds: float) -> None:
        for _ in range(int(seconds)):
            self.clock.sleep(1)
            with self.world.world.looking():
                self.world.settle()

    def again(self, machine: Machine) -> None:
        self.world.power_off(machine.mac)
        self.world.power_on(machine.mac, machine.disks)


@pytest.fixture
def rack() -> Rack:
    return Rack()


def test_the_wish_to_bootstrap_is_lost_with_the_power(rack: Rack) -> None:
    (cp,) = rack.up("cp-1")
    rack.world.bootstrap(cp)
    rack.again(cp)
    rack.wait(60)
    assert cp.service_state("etcd") == "Preparing"
    assert rack.world.etcd.clusters == []


def test_a_bootstrap_before_the_data_are_there_is_accepted_again(rack: Rack) -> None:
    (cp,) = rack.up("cp-1")
    rack.world.bootstrap(cp)
    rack.world.bootstrap(cp)
    rack.wait(30)
    assert len(rack.world.etcd.clusters) == 1
    with pytest.raises(Refused, match="AlreadyExists: etcd data directory is not empty"):
        rack.world.bootstrap(cp)


def test_one_learner_at_a_time(rack: Rack) -> None:
    first, *others = rack.up("cp-1", "cp-2", "cp-3")
    rack.world.bootstrap(first)
    seen: list[int] = []
    for _ in range(40):
        rack.wait(1)
        seen += [sum(m.learner for m in cluster.members.values()) for cluster in rack.world.etcd.clusters]
    assert max(seen) == 1
    assert all(rack.world.etcd.healthy(machine) for machine in (first, *others))


def test_two_of_three_control_planes_down_is_no_quorum_and_it_comes_back(rack: Rack) -> None:
    machines = rack.up("cp-1", "cp-2", "cp-3")
    rack.world.bootstrap(machines[0])
    rack.wait(60)
    for machine in machines[1:]:
        rack.world.power_off(machine.mac)
    assert not rack.world.etcd.healthy(machines[0])
    assert rack.world.unmet(machines[0]) == (("services", "etcd not healthy"),)
    rack.world.power_on(machines[1].mac, machines[1].disks)
    rack.wait(40)
    assert rack.world.etcd.healthy(machines[0])


def test_a_wiped_ephemeral_partition_joins_again_in_place_of_its_old_member(rack: Rack) -> None:
    machines = rack.up("cp-1", "cp-2", "cp-3")
    rack.world.bootstrap(machines[0])
    rack.wait(60)
    before = {m.member_id for m in rack.world.etcd.members(machines[0])}
    rack.world.reset(machines[2], ["EPHEMERAL"], graceful=False, reboot=True)
    rack.wait(80)
    members = rack.world.etcd.members(machines[0])
    assert sorted(m.hostname for m in members) == ["cp-1", "cp-2", "cp-3"]
    assert len({m.member_id for m in members} & before) == 2
    assert len(rack.world.etcd.clusters) == 1


def test_a_graceful_reset_leaves_the_cluster_and_a_wiped_disk_boots_nothing(rack: Rack) -> None:
    machines = rack.up("cp-1", "cp-2", "cp-3")
    rack.world.bootstrap(machines[0])
    rack.wait(60)
    off: list[str] = []
    rack.world.on_guest_off.append(lambda machine: off.append(machine.mac))
    rack.world.reset(machines[2], [], graceful=True, reboot=False)
    assert [m.hostname for m in rack.world.etcd.members(machines[0])].count("cp-3") == 0
    rack.wait(5)
    assert off == [machines[2].mac]
    rack.world.power_on(machines[2].mac, machines[2].disks)
    rack.wait(60)
    assert machines[2].port is Port.CLOSED


def test_a_lost_disk_is_a_machine_that_was_never_there(rack: Rack) -> None:
    (cp,) = rack.up("cp-1")
    rack.world.bootstrap(cp)
    rack.wait(30)
    rack.world.power_off(cp.mac)
    rack.racks.disks.clear()
    rack.world.power_on(cp.mac, rack.racks.of(rack.house.node("cp-1")))
    rack.wait(13)
    assert (cp.port, cp.etcd_dir, cp.stage) == (Port.MAINTENANCE, None, "maintenance")


def test_real_parts_are_told_what_to_start_and_what_to_end(rack: Rack) -> None:
    told: list[tuple[str, str]] = []
    life = rack.world.etcd
    for word, hooks in (
        ("new", life.on_bootstrap),
        ("join", life.on_join),
        ("go on", life.on_resume),
        ("end", life.on_stop),
    ):
        hooks.append(lambda machine, word=word: told.append((word, machine.name)))
    first, second = rack.up("cp-1", "cp-2")
    rack.world.bootstrap(first)
    rack.wait(40)
    rack.again(second)
    rack.wait(40)
    assert told == [("new", "cp-1"), ("join", "cp-2"), ("end", "cp-2"), ("go on", "cp-2")]


def test_a_real_etcd_that_is_not_healthy_is_not_called_so(rack: Rack) -> None:
    (cp,) = rack.up("cp-1")
    rack.world.bootstrap(cp)
    rack.wait(30)
    assert cp.stage == "running"
    rack.world.etcd.really_healthy = lambda machine: False
    assert not rack.talos.etcd(cp.address).healthy


def test_a_staged_configuration_counts_after_the_next_boot(rack: Rack) -> None:
    (cp,) = rack.up("cp-1")
    rack.state.edits += 1
    rack.machineconfigs.render()
    text = rack.state.rendered["cp-1"]
    assert rack.world.apply(cp, text, "staged") == "Staged configuration to be applied after the next reboot"
    assert cp.config is not None
    assert cp.config.text != text
    rack.world.reboot(cp)
    rack.wait(30)
    assert cp.config is not None
    assert cp.config.text == text


def document(**machine: Any) -> str:
    ca = {"crt": "crt", "key": "key"}
    cluster = {"controlPlane": {"endpoint": "https://127.10.0.10:6443"}, "clusterName": "x"}
    return json.dumps({"machine": {"type": "controlplane", "ca": ca, **machine}, "cluster": cluster})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [", "failed to parse config"),
        ("", "no documents"),
        (document(type="gateway"), "machine type 'gateway'"),
        (document(ca={"crt": "crt", "key": ""}), "machine.ca is required"),
    ],
)
def test_a_machine_says_what_is_wrong_with_a_configuration(text: str, reason: str) -> None:
    with pytest.raises(ConfigRefused, match=reason):
        parse(text)


def test_a_hostname_may_stand_in_a_document_of_its_own() -> None:
    config = parse(document() + "\n---\napiVersion: v1alpha1\nkind: HostnameConfig\nhostname: cp-9\n")
    assert config is not None
    assert config.hostname == "cp-9"


def test_a_document_without_v1alpha1_leaves_a_machine_in_maintenance(rack: Rack) -> None:
    node = a_house().node("cp-1")
    rack.world.power_on(node.mac, rack.racks.of(rack.house.node("cp-1")))
    rack.wait(13)
    machine = rack.machine("cp-1")
    rack.world.apply(machine, "apiVersion: v1alpha1\nkind: HostnameConfig\nhostname: cp-9\n")
    rack.wait(10)
    assert machine.port is Port.MAINTENANCE


# The health check.


def healthy_rack(rack: Rack) -> list[Machine]:
    """Three control planes of one etcd, and a worker."""
    machines = rack.up("cp-1", "cp-2", "cp-3", "w-1")
    rack.world.bootstrap(machines[0])
    rack.wait(90)
    assert first_problem(rack.world, machines[0]) == ""
    return machines


@pytest.mark.parametrize("which", [1, 2, 3])
def test_a_member_without_power_is_no_healthy_cluster(rack: Rack, which: int) -> None:
    machines = healthy_rack(rack)
    rack.world.power_off(machines[which].mac)
    assert first_problem(rack.world, machines[0]) == f"{machines[which].address}: API not reachable"


def test_nor_is_one_of_whose_control_planes_nothing_is_left(rack: Rack) -> None:
    machines = healthy_rack(rack)
    rack.world.power_off(machines[2].mac)
    del rack.world.machines[machines[2].mac]
    assert "has no node" in first_problem(rack.world, machines[0])


def test_who_lists_nodes_is_told_of_those_alone(rack: Rack) -> None:
    machines = healthy_rack(rack)
    rack.world.power_off(machines[3].mac)
    assert first_problem(rack.world, machines[0], [machine.address for machine in machines[:3]]) == ""


class TestReset:
    """At the door's own call: what talosctl cannot be brought to ask, other clients do."""

    def asked(self, rack: Rack, *wiped: tuple[str, bool]) -> Machine:
        (machine,) = rack.up("cp-1")
        partitions = [pb.ResetPartition(label=label, wipe=wipe) for label, wipe in wiped]
        request = pb.ResetRequest(graceful=False, reboot=True, system_partitions_to_wipe=partitions)
        machine_api.reset(Call(rack.world, machine, ADMIN, request))
        return machine

    @pytest.mark.parametrize(("label", "code"), [("META", "Unimplemented"), ("ephemeral", "Unknown"), ("", "Unknown")])
    def test_a_partition_that_is_not_wiped_is_not_said_to_be(self, rack: Rack, label: str, code: str) -> None:
        with pytest.raises(Refused) as caught:
            self.asked(rack, ("EPHEMERAL", True), (label, True))
        assert caught.value.code == code and rack.machine("cp-1").stage != "resetting"

    def test_one_that_names_what_is_kept_wipes_no_whole_disk(self, rack: Rack) -> None:
        with pytest.raises(Refused, match="Unimplemented"):
            self.asked(rack, ("STATE", False))
        rack.wait(30)
        assert rack.machine("cp-1").port is Port.SECURE and rack.machine("cp-1").config is not None


def test_a_machine_has_the_memory_of_its_vm(rack: Rack) -> None:
    node = rack.house.node("cp-1")
    rack.world.power_on(node.mac, rack.racks.of(node), memory=6 << 30)
    told = machine_api.memory(Call(rack.world, rack.machine("cp-1"), ADMIN, None)).meminfo
    assert (told.memtotal, told.memfree) == (6 << 20, 3 << 20)
