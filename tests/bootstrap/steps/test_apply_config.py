"""talos.apply-config: a node runs exactly the machineconfig that was rendered for it, and a stranger's is never touched."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.errors import PermanentError, TransientError
from engine.probe import Condition, Identity
from engine.step import Hazard
from tests.hands import Notebook, do, see, step
from tests.scenario.running import Running

STEP = "talos.apply-config/cp-1"


def test_a_dark_node_is_unknown_and_not_missing(with_vms: Running) -> None:
    assert see(with_vms, with_vms.bootstrap, STEP).condition is Condition.UNKNOWN


def test_a_node_in_maintenance_gets_its_configuration_and_disturbs_nobody(in_maintenance: Running) -> None:
    house = in_maintenance
    do(house, house.bootstrap, "talos.render-configs")
    seen = see(house, house.bootstrap, STEP)
    assert seen.condition is Condition.MISSING
    assert step(house.bootstrap, STEP).hazard(seen) is Hazard.NONE
    do(house, house.bootstrap, STEP)
    house.clock.sleep(10)
    assert see(house, house.bootstrap, STEP).condition is Condition.SATISFIED


@pytest.mark.parametrize("change", ["another size", "one less", "none"])
def test_a_bare_machine_with_other_disks_is_not_taken_for_ours(in_maintenance: Running, change: str) -> None:
    machine = in_maintenance.home.talos.at("127.10.0.11")
    first, *others = machine.disks
    machine.disks = {
        "another size": (replace(first, size=first.size * 2), *others),
        "one less": tuple(others),
        "none": (),
    }[change]
    do(in_maintenance, in_maintenance.bootstrap, "talos.render-configs")
    seen = see(in_maintenance, in_maintenance.bootstrap, STEP)
    assert (seen.condition, seen.detail) == (
        Condition.UNKNOWN, "the machine in maintenance at 127.10.0.11 has other disks than VM 8001",
    )  # fmt: skip
    assert len(seen.evidence) == 2


def test_a_size_that_was_rounded_is_the_same_and_what_is_passed_through_comes_on_top(in_maintenance: Running) -> None:
    machine = in_maintenance.home.talos.at("127.10.0.11")
    rounded = tuple(replace(disk, size=disk.size + (4 << 20)) for disk in machine.disks)
    machine.disks = (replace(rounded[0], device="/dev/nvme0n1", size=1 << 40), *rounded)
    assert see(in_maintenance, in_maintenance.bootstrap, STEP).condition is Condition.MISSING


def test_a_bare_machine_at_the_address_of_a_vm_that_is_not_there_is_nobodys(in_maintenance: Running) -> None:
    del in_maintenance.home.proxmox.vms[8001]
    assert see(in_maintenance, in_maintenance.bootstrap, STEP).condition is Condition.UNKNOWN


def test_applying_what_was_not_rendered_is_refused(in_maintenance: Running) -> None:
    with pytest.raises(PermanentError, match="not rendered"):
        do(in_maintenance, in_maintenance.bootstrap, STEP)


def test_a_node_that_serves_and_differs_is_disrupted_by_name(built: Running) -> None:
    assert see(built, built.bootstrap, STEP).condition is Condition.SATISFIED
    built.home.files.edits += 1
    do(built, built.bootstrap, "talos.render-configs")
    seen = see(built, built.bootstrap, STEP)
    wanted = built.home.look().machineconfigs.digest("cp-1")[:12]
    assert (seen.condition, seen.evidence) == (Condition.DRIFTED, ("machineconfig", f"to {wanted}"))
    found = step(built.bootstrap, STEP)
    assert (found.hazard(seen), str(found.identity(seen))) == (Hazard.DISRUPTS, f"cp-1 may restart: machineconfig to {wanted}")
    do(built, built.bootstrap, STEP)
    assert see(built, built.bootstrap, STEP).condition is Condition.SATISFIED


@pytest.mark.parametrize("stage", ["installing", "upgrading", "rebooting", "resetting"])
def test_a_node_that_is_at_something_is_waited_for(built: Running, stage: str) -> None:
    built.home.talos.at("127.10.0.11").stage = stage
    assert see(built, built.bootstrap, STEP).condition is Condition.CHANGING


def test_a_node_of_another_cluster_is_a_permanent_no(built: Running) -> None:
    machine = built.home.talos.at("127.10.0.11")
    assert machine.config is not None
    machine.config = replace(machine.config, os_ca=replace(machine.config.os_ca, crt="somebody else's"))
    with pytest.raises(PermanentError, match="of another cluster") as refused:
        see(built, built.bootstrap, STEP)
    assert refused.value.hint


def test_no_two_nodes_that_serve_are_disturbed_at_once(built: Running) -> None:
    systems = {each.system for each in built.bootstrap.steps if each.id.startswith("talos.apply-config/")}
    assert len(systems) == 1
    assert systems <= set(built.bootstrap.guards)


def test_a_consent_to_one_machineconfig_is_none_to_the_next(built: Running) -> None:
    def named() -> Identity | None:
        built.home.files.edits += 1
        do(built, built.bootstrap, "talos.render-configs")
        return step(built.bootstrap, STEP).identity(see(built, built.bootstrap, STEP))

    assert named() != named()


def test_a_node_that_answers_at_another_nodes_address_gets_nothing(built: Running) -> None:
    first, worker = (built.home.talos.at(built.house.node(name).address) for name in ("cp-1", "w-1"))
    first.address, worker.address = worker.address, first.address
    with pytest.raises(PermanentError, match=r"w-1 answers at 127\.10\.0\.11, the address of cp-1"):
        see(built, built.bootstrap, STEP)


def test_consent_names_the_machine_as_it_calls_itself(built: Running) -> None:
    machine = built.home.talos.at("127.10.0.11")
    assert machine.config is not None
    renamed = machine.config.text.replace('"cp-1"', '"old-name"')
    machine.config = replace(machine.config, text=renamed, hostname="old-name")
    seen = see(built, built.bootstrap, STEP)
    named = step(built.bootstrap, STEP).identity(seen)
    assert str(named).endswith("it calls itself old-name")


def test_what_was_seen_in_maintenance_and_serves_now_is_looked_at_again(in_maintenance: Running) -> None:
    house = in_maintenance
    do(house, house.bootstrap, "talos.render-configs")
    seen = see(house, house.bootstrap, STEP)
    do(house, house.bootstrap, STEP)
    house.clock.sleep(60)
    found = step(house.bootstrap, STEP)
    happened = len(house.home.world.happenings)
    with pytest.raises(TransientError, match="out of maintenance"):
        found.apply(house.home.act("late"), seen, Notebook())
    assert house.home.world.happenings[happened:] == []
