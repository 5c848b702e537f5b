"""The inventory as a file: what is written is read again, one line a record; what is no inventory is refused and stays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import SettingsInvalid
from house.files.yamlfile import value
from house.first.found import FoundProxmox
from house.first.inventory import found_before, joined
from house.first.machines import nodes_text, proxmox_text
from house.known.inventory import (
    INVENTORY_FILE,
    CephRecord,
    DiskRecord,
    HouseRecord,
    ImageRecord,
    Inventory,
    LonghornRecord,
    Machines,
    MonitorRecord,
    ReplicaRecord,
    Stores,
    VmRecord,
    VolumeRecord,
    inventory_path,
    known_inventory,
    read_inventory,
)
from house.known.inventory_text import inventory_text, write_inventory
from house.repository.talconfigs.talconfig import TalosNode
from house.settings.values import FILL_IN
from house.values.hardware import Card, Hardware, Passthrough
from tests.builders import a_house

DATE = "2026-11-29T22:00:00Z"
MAC = "bc:24:11:00:00:01"
HARDWARE = Hardware(
    cpu="host", numa=True, card=Card("vmbr0", MAC, "virtio", 20), pci=(Passthrough("gpu", (("pcie", "1"),)),), start=(3, 30, -1)
)
VM = VmRecord(
    8001, "cp-1", "pve-1", (MAC,), 4, 8 << 30, "cp-1", "vmbr0", (DiskRecord("scsi0", "fast", 20 << 30, "fast:vm-8001-disk-0"),),
    HARDWARE, ("scsi4 /dev/disk/by-id/ata-1",), ("HA, started",),
)  # fmt: skip
IMAGE = ImageRecord("https://factory.talos.dev/image/ab12/v1.13.9/nocloud-amd64.qcow2", "local", "ab" * 32)
ODD = ReplicaRecord("w-1", "/var/lib/longhorn", 'pvc-1-8f: "odd"\nname', failed=True)
WHOLE = Inventory(
    HouseRecord("a1b2c3d4e5f60718", "yes"),
    IMAGE,
    Machines(DATE, ("1e3", "pve-1"), (VM,), (CephRecord("", "proxmox", "6f1d"),)),
    Stores(
        DATE,
        (VolumeRecord("pvc-1", "apps/notes", "driver.longhorn.io", "pvc-1", "1Gi", attributes=(("numberOfReplicas", "3"),)),),
        (CephRecord("rook-ceph", "rook-ceph", "6f1e", (MonitorRecord("a", "10.96.0.1:6789", "w-1"),)),),
        (LonghornRecord("pvc-1", "apps/notes", 1 << 30, (ODD,)),),
    ),
)


def test_what_is_written_is_read_and_each_record_has_a_line_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / INVENTORY_FILE
    write_inventory(file, WHOLE)
    assert read_inventory(file) == WHOLE
    assert list(tmp_path.iterdir()) == [file]
    moved = replace(WHOLE, machines=replace(WHOLE.machines, vms=(replace(VM, host="pve-2"),)))
    changed = set(inventory_text(moved).splitlines()) ^ set(inventory_text(WHOLE).splitlines())
    assert len(changed) == 2
    assert value(inventory_text(WHOLE))["house"]["name"] == "yes"


@pytest.mark.parametrize("part", ["image", "machines", "cluster"])
def test_what_nobody_has_looked_at_is_not_there_and_nothing_in_it_is_empty(part: str, tmp_path: Path) -> None:
    file = tmp_path / INVENTORY_FILE
    less = replace(WHOLE, **{part: None})
    write_inventory(file, less)
    assert read_inventory(file) == less
    none = replace(WHOLE, cluster=Stores(DATE), machines=Machines(DATE, (), ()))
    write_inventory(file, none)
    assert read_inventory(file) == none


@pytest.mark.parametrize(("text", "told"), [
    ("", "is empty"), ("- a\n", "house: field required"), ("house: {id: a, name: b}\n---\na: 1\n", "more than one document"),
    ("house: {id: a, name: b}\nmachines: {date: 2026-11-29T22:00:00Z, hosts: [], vms: [{vm_id: many}]}\n",
     f"{INVENTORY_FILE}:2: machines.vms[0].vm_id: input should be a valid integer"),
    ("house: {id: a, name: b}\ncluster: {date: yesterday}\n", "is no time as this file has them"),
    ("house: {id: a, name: b}\nhouse: {id: c, name: b}\n", "house"), ("house: [\n", INVENTORY_FILE),
])  # fmt: skip
def test_what_is_no_inventory_is_refused_with_its_place(text: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / INVENTORY_FILE
    file.write_text(text)
    with pytest.raises(SettingsInvalid) as caught:
        read_inventory(file)
    assert told in "\n".join((caught.value.what, *caught.value.evidence))
    assert file.read_text() == text


def test_no_file_is_no_inventory_and_another_houses_is_refused(tmp_path: Path) -> None:
    house = a_house(settings_file=tmp_path / "blackstart.yaml")
    assert known_inventory(house) is None
    write_inventory(inventory_path(house), WHOLE)
    with pytest.raises(SettingsInvalid, match="of another house"):
        known_inventory(house)
    write_inventory(inventory_path(house), replace(WHOLE, house=HouseRecord(house.id, "x")))
    assert known_inventory(house) is not None


# A first settings file of it.

NODE = TalosNode("cp-1", "10.0.0.11", MAC, True, "/dev/sda", 1)


def test_without_a_proxmox_its_nodes_are_as_they_were_and_its_address_is_asked_for() -> None:
    before = found_before(WHOLE)
    text = nodes_text((NODE,), before)
    assert FILL_IN not in text
    assert "    vm_id: 8001  # as it was: VM cp-1\n" in text and "vlan: 20" in text
    assert "# It has what no setting says, and a rebuild loses: the device scsi4 /dev/disk/by-id/ata-1" in text
    assert f"- url: {FILL_IN}" in proxmox_text(before) and '  hosts: ["1e3", pve-1]  # as they were\n' in proxmox_text(before)


def asked(*hosts: str, **changes: object) -> FoundProxmox:
    return replace(FoundProxmox("https://10.0.0.9:8006", "ab", "a@pve!b", hosts, {}, frozenset(), "local"), **changes)  # type: ignore[arg-type]


def test_a_new_proxmox_says_its_hosts_and_what_is_taken_there() -> None:
    text = nodes_text((NODE,), joined(asked("new-1", "new-2", taken=frozenset({8001})), found_before(WHOLE)))
    assert f"    host: {FILL_IN}  # it was on pve-1; the host it is to run on: one of new-1, new-2\n" in text
    assert f"    vm_id: {FILL_IN}  # it was VM 8001, which is another one now; one that is free, as 8000\n" in text
    assert "    host: pve-1\n" in nodes_text((NODE,), joined(asked("pve-1"), found_before(WHOLE)))


def test_a_vm_that_is_there_wins_and_a_mac_that_two_have_is_nobodys() -> None:
    before = found_before(WHOLE)
    there = replace(before.vms[MAC], vm_id=9001, host="new-1", gone=False)
    assert joined(asked("new-1", vms={MAC: there}), before).vms[MAC] is there
    assert joined(asked("new-1", twice={MAC: "VM 1 and VM 2"}), before).vms == {}
