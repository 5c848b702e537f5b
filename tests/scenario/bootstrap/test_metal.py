"""A machine of metal beside VMs, through whole runs: counted and set up by consent, never made, its power a person's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bootstrap.checks.etcd.recoverable import newest
from bootstrap.checks.etcd.standstill import Standstill
from bootstrap.checks.talos.metal import Metal
from bootstrap.course import course
from bootstrap.power import start_course, stop_course
from bootstrap.recover_etcd import course as recovery
from bootstrap.recover_etcd import saving
from bootstrap.replace_node import course as replacement
from bootstrap.standstill import gone as gone_for_good
from bootstrap.steps.apply_config import ApplyConfig
from cluster.course import Course
from engine.errors import EXIT_HELD, EXIT_STEP_FAILED, ApprovalMissing
from engine.probe import Condition
from engine.report import Outcome
from house.model import House, Node
from lab.world.machines.machine import MachineDisk
from tests.builders import a_house
from tests.scenario.loss.test_replace_node import gone, spendable
from tests.scenario.running import Running


def of_metal(house: House, *names: str) -> House:
    def bare(node: Node) -> Node:
        return replace(node, host="", vm_id=0, cores=0, memory=0, bridge="", disks=())

    return replace(house, nodes=tuple(bare(node) if node.name in names else node for node in house.nodes))


@pytest.fixture
def house(tmp_path: Path) -> Running:
    made = Running(tmp_path, of_metal(a_house(), "w-1"))
    made.backed_up()
    return made


def switched_on(house: Running, name: str = "w-1") -> None:
    """Somebody presses the button, with Talos' ISO in the machine."""
    node = house.house.node(name)
    house.home.talos.power_on(node.mac, [MachineDisk("/dev/sda", 256 << 30, {})], iso=True)
    house.clock.sleep(60)


def test_what_is_off_is_left_out_by_name_and_set_up_by_consent_once_it_is_on(house: Running) -> None:
    report = house.apply(house.bootstrap)
    assert (report.exit_code, [one.id for one in report.root_causes]) == (EXIT_STEP_FAILED, ["preflight.host/metal.w-1"])
    assert report["kubernetes.nodes"].detail == "3 nodes ready; without w-1, which does not answer"
    switched_on(house)
    refused = house.apply(house.bootstrap)
    assert [one.id for one in refused.root_causes] == ["talos.apply-config/w-1"], "it is installed over by nobody's leave"
    asked = house.plan(house.bootstrap)
    assert [act.words for act in asked.acts] == [
        "the machine at 127.10.0.14 with disks of 256 GiB becomes w-1, and is installed over"
    ]
    report = house.apply(house.bootstrap, house.consent(house.bootstrap))
    assert report.exit_code == EXIT_HELD, report.root_causes
    assert report["kubernetes.nodes"].detail == "4 nodes ready"
    assert not house.plan(house.bootstrap).changes
    assert 0 not in house.home.proxmox.vms and len(house.home.proxmox.vms) == 3


def test_of_what_does_not_answer_it_is_said_what_a_person_can_do(house: Running) -> None:
    look = house.home.look()
    vm, metal = (ApplyConfig(house.house, house.house.node(name)).probe(look) for name in ("cp-1", "w-1"))
    assert vm.hint.startswith("where VM 8001 runs, it has another address:")
    assert vm.hint.endswith("have DHCP give 127.10.0.11 to bc:24:11:00:00:01")
    assert metal.hint == "" and "nobody but you switches it on" in Metal(house.house, house.house.node("w-1")).probe(look).hint


def test_no_step_and_no_check_of_proxmox_is_about_it(house: Running) -> None:
    found = house.bootstrap
    about = [one.id for one in (*found.checks, *found.steps) if one.id.endswith("w-1")]
    assert set(about) == {"preflight.host/metal.w-1", "talos.apply-config/w-1", "talos.clock/w-1", "talos.version/w-1"}
    assert not [one.id for one in (*found.checks, *found.steps) if one.id.endswith("/")]


COURSES: dict[str, Callable[[House], Course]] = {
    "bootstrap": lambda house: course(house, {}),
    "replace-node": lambda house: replacement(house, house.node("cp-2")),
    "recover-etcd": lambda house: recovery(house, None, house.node("cp-2")),
    "save-etcd": saving,
    "stop": stop_course,
    "start": start_course,
}


@pytest.mark.parametrize("verb", COURSES)
def test_each_course_of_a_house_with_metal_is_a_graph(tmp_path: Path, verb: str) -> None:
    house = Running(tmp_path, of_metal(a_house(), "cp-1", "w-1"))
    assert house.plan(COURSES[verb](house.house)).lines


def test_what_stands_still_for_a_silent_machine_of_metal_is_told_with_what_a_person_can_do(tmp_path: Path) -> None:
    house = Running(tmp_path, of_metal(a_house(), "cp-1"))
    seen = Standstill(house.house).probe(house.home.look())
    assert (seen.condition, seen.detail) == (Condition.UNKNOWN, "cp-1 gives no answer: nobody knows what etcd has there")
    assert "to give its data up, boot it from Talos' ISO" in seen.hint and "Proxmox" not in seen.hint


def test_a_control_plane_of_metal_that_is_silent_may_have_data(tmp_path: Path) -> None:
    house = Running(tmp_path, of_metal(a_house(), "cp-1"))
    house.backed_up()
    look, node = house.home.look(), house.house.node("cp-1")
    assert not gone_for_good(look.proxmox, look.talos, house.house, node)
    report = house.apply(house.bootstrap)
    assert report.exit_code == EXIT_STEP_FAILED
    assert not [call for call in house.home.world.faults.reached if "bootstrap_etcd" in str(call)]


def test_etcd_is_made_again_before_a_machine_of_metal_is_set_up_for_it(tmp_path: Path) -> None:
    """Set up first, it would change what the consent to the recovery names."""
    house = Running(tmp_path, of_metal(spendable(), "cp-1"))
    house.backed_up()
    switched_on(house, "cp-1")
    house.apply(house.bootstrap)
    house.apply(house.bootstrap, house.consent(house.bootstrap))
    gone(house, "cp-2")
    house.home.talos.power_off(house.house.node("cp-1").mac)
    switched_on(house, "cp-1")  # with an empty disk
    house.apply(saving(house.house))
    again = recovery(house.house, newest(house.home.look().etcd.kept()), house.house.node("cp-3"))
    report = house.apply(again, house.consent(again))
    assert report["etcd.recover"].outcome is Outcome.CHANGED
    assert isinstance(report["talos.apply-config/cp-1"].error, ApprovalMissing), "it asks for its own consent"
    assert house.apply(again, house.consent(again)).converged
    assert sorted(one.hostname for one in house.home.talos.etcd.clusters[-1].voters()) == ["cp-1", "cp-2", "cp-3"]


@pytest.mark.parametrize("metal", [("cp-1",), ("cp-1", "cp-2", "cp-3")], ids=" ".join)
def test_control_planes_of_metal_are_set_up_by_consent_where_there_is_no_etcd_yet(
    tmp_path: Path, metal: tuple[str, ...]
) -> None:
    """The guard of etcd cannot say yes while one of them waits to be set up: it is not asked."""
    house = Running(tmp_path, of_metal(a_house(), *metal))
    house.backed_up()
    for name in metal:
        switched_on(house, name)
    house.apply(house.bootstrap)
    report = house.apply(house.bootstrap, house.consent(house.bootstrap))
    assert report.exit_code == EXIT_HELD, report.root_causes
    assert report["kubernetes.nodes"].detail == "4 nodes ready"


def test_a_stop_switches_it_off_too_and_says_that_only_its_button_starts_it(house: Running) -> None:
    house.apply(house.bootstrap)
    switched_on(house)
    house.apply(house.bootstrap, house.consent(house.bootstrap))
    stop = stop_course(house.house)
    asked = house.plan(stop)["preflight.switch-off"]
    assert "w-1: a machine of metal, which only its own button starts again" in asked.evidence
    report = house.apply(stop, house.consent(stop))
    unseen = "of w-1, of metal, nobody here knows more than that no Talos answers"
    assert report["stop.nodes/workers"].detail == f"1 node off; {unseen}"
    assert house.plan(stop)["preflight.switch-off"].detail == f"4 nodes off; {unseen}"
    assert not house.home.talos.at("127.10.0.14").powered
