"""A VM that a real Proxmox starts and a real Talos does not boot on stays dark here too, and it is told why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.modelled.house import ModelledHome
from lab.modelled.sample import sample_house
from lab.world.clock import VirtualClock
from lab.world.machines.machine import Machine, Port
from lab.world.pve.images import Volumes
from lab.world.pve.making import Making
from lab.world.pve.vm import LabVm, NewDrive, NewVm, Nic, PowerEvent


def booted(options: dict[str, str | int], slot: str = "scsi0", mac: str = "") -> tuple[Machine, list[str]]:
    """The first node's machine a minute after its VM was made with these options and started; what happened in the World."""
    clock = VirtualClock()
    home = ModelledHome(sample_house(), clock)
    clock.drives(home.world)
    node, image, pve = home.house.nodes[0], home.house.image, home.proxmox
    with home.world.looking():
        Volumes(pve).download("root@pam", node.host, image.storage, image.filename, image.url, "", "")
    clock.sleep(60)
    drive = NewDrive(slot, "local-lvm", 0, f"{image.storage}:import/{image.filename}")
    new = NewVm(node.vm_id, node.host, options, (drive,), {"net0": Nic("virtio", mac or node.mac.upper(), "vmbr0")}, start=True)
    with home.world.looking():
        Making(pve).create("root@pam", new)
    clock.sleep(60)
    with home.world.looking():
        assert pve.vms[node.vm_id].running
        return replace(home.talos.at(node.address)), [happening.what for happening in home.world.happenings]


@pytest.mark.parametrize("options", [{"cpu": "host"}, {"cpu": "x86-64-v2-AES", "boot": "order=net0;scsi0"}, {"cpu": "cputype=max"}])
def test_a_vm_as_talos_wants_it_boots(options: dict[str, str | int]) -> None:
    machine, _ = booted(options)
    assert (machine.port, machine.stuck) == (Port.MAINTENANCE, "")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({}, "x86-64-v2, and the CPU is kvm64"),
        ({"cpu": "cputype=qemu64,flags=+aes"}, "the CPU is qemu64"),
        ({"cpu": "host", "boot": "order=ide2;net0"}, "the boot order is order=ide2;net0, the disks are scsi0"),
    ],
)
def test_a_vm_that_cannot_boot_talos_stays_dark_and_says_why(options: dict[str, str | int], why: str) -> None:
    machine, happened = booted(options)
    assert machine.port is Port.CLOSED
    assert why in machine.stuck
    assert any(why in line for line in happened)


def test_a_card_that_the_network_does_not_know_is_told() -> None:
    machine, happened = booted({"cpu": "host"}, mac="BC:24:11:FF:FF:FF")
    assert not machine.powered
    assert "bc:24:11:ff:ff:ff: power on, and the network has no address for it" in happened


def test_a_dead_twin_with_the_same_card_has_no_say_in_the_power_of_the_one_that_runs() -> None:
    clock = VirtualClock()
    home = ModelledHome(sample_house(), clock)
    clock.drives(home.world)
    pve, node = home.proxmox, home.house.nodes[0]
    card = {"net0": Nic("virtio", node.mac.upper(), "vmbr0")}
    dead, alive = (LabVm(vm_id, host, {"cpu": "host"}, {}, dict(card)) for vm_id, host in ((1, "pve-2"), (2, "pve-1")))
    with home.world.looking():
        pve.vms |= {1: dead, 2: alive}
        pve.power(alive, PowerEvent.STARTED)
        assert pve.vm_of_mac(node.mac) is alive
        pve.power(alive, PowerEvent.STOPPED)
        assert not home.talos.at(node.address).powered
        pve.power(alive, PowerEvent.STARTED)
        pve.remove(dead)
        assert home.talos.at(node.address).powered
        home.talos.power_off(node.mac)
    assert list(pve.vms) == [2]
