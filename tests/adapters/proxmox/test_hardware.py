"""Machines as people have them: the settings make exactly what Proxmox's schema takes, and what a VM has can be said again."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from adapters.proxmox.hardware import beyond, hardware_of
from adapters.proxmox.making import create_parameters
from adapters.proxmox.results import DiskSpec, PowerState, Vm, VmDisk
from cluster.machines.differing import hardware_differences, lost
from engine.errors import PermanentError
from house.files.yamlfile import parse
from house.settings.hardware import HardwareSection, hardware
from house.values.hardware import Hardware
from lab.wire.proxmox.schema import Schema
from lab.world.pve.notation import new_vm
from tests.builders import GIB, ROOT, a_node
from tests.contract.proxmox.proxmox_doors import IMAGE, a_spec

SCHEMAS = sorted((Path(__file__).parents[3].parent / "shared" / "pve-api").glob("*.json"))
NOTHING = HardwareSection()

# Lines of a node in blackstart.yaml, and what Proxmox is asked for them.
SAID: list[tuple[str, dict[str, object]]] = [
    ("vlan: 20\nmtu: 9000\nfirewall: true", {"net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1,mtu=9000,tag=20"}),
    ("card: e1000e", {"net0": "e1000e=BC:24:11:00:00:01,bridge=vmbr0"}),
    ("cards: [{bridge: vmbr1, mac: 'bc:24:11:00:01:01', vlan: 30, mtu: 1}]",
     {"net1": "virtio=BC:24:11:00:01:01,bridge=vmbr1,mtu=1,tag=30"}),
    ("cpu: host", {"cpu": "host"}),
    ("cpu: 'x86-64-v3,flags=+aes;+pcid'", {"cpu": "x86-64-v3,flags=+aes;+pcid"}),
    ("sockets: 2", {"sockets": 2, "cores": 2}),
    ("numa: true", {"numa": True}),
    ("machine: pc-q35-9.2+pve1", {"machine": "pc-q35-9.2+pve1"}),
    ("scsi_controller: virtio-scsi-pci", {"scsihw": "virtio-scsi-pci", "scsi1": "local-lvm:50,discard=on,ssd=1"}),
    ("tpm: tank", {"tpmstate0": "tank:0,version=v2.0"}),
    ("efi: tank", {"efidisk0": "tank:0,efitype=4m,pre-enrolled-keys=0"}),
    ("pci: [{mapping: gpu}, {mapping: hba, pcie: false, rombar: false}]",
     {"hostpci0": "mapping=gpu,pcie=1", "hostpci1": "mapping=hba,rombar=0"}),
    ("usb: [{mapping: zigbee, usb3: true}]", {"usb0": "mapping=zigbee,usb3=1"}),
    ("tags: [k8s]", {"tags": "talos;blackstart;k8s"}),
    ("start: {order: 3, up: 30}", {"startup": "order=3,up=30"}),
    ("agent: true", {"agent": "enabled=1"}),
    ("pool: kubernetes", {"pool": "kubernetes"}),
]  # fmt: skip


def read(text: str) -> Hardware:
    """What these lines of a node say."""
    (document,) = parse(text) or (None,)
    return hardware(HardwareSection.model_validate(document.value), NOTHING)


@pytest.mark.parametrize(("text", "asked"), SAID, ids=[text.partition(":")[0] for text, _ in SAID])
def test_each_setting_is_asked_for_and_nothing_else_changes(text: str, asked: dict[str, object]) -> None:
    plain, made = create_parameters(a_spec()), create_parameters(a_spec(hardware=read(text)))
    changed = {name: value for name, value in made.items() if plain.get(name) != value}
    assert {name: changed.get(name) for name in asked} == asked
    assert set(changed) <= {*asked, "scsi0"}


def test_without_uefi_there_are_no_variables_and_without_a_console_no_port() -> None:
    made = create_parameters(a_spec(hardware=read("firmware: seabios\nserial: false")))
    assert made["bios"] == "seabios"
    assert not {"efidisk0", "serial0"} & made.keys()


def test_a_virtio_disk_has_no_option_that_it_does_not_know() -> None:
    disks = (DiskSpec("virtio0", "ceph", 20 * GIB, IMAGE), DiskSpec("virtio1", "ceph", 50 * GIB))
    made = create_parameters(a_spec(disks=disks))
    assert made["virtio0"] == f"ceph:0,import-from={IMAGE},discard=on,iothread=1"
    assert (made["virtio1"], made["boot"]) == ("ceph:50,discard=on,iothread=1", "order=virtio0")


def test_cores_that_fit_no_number_of_sockets_are_refused() -> None:
    with pytest.raises(PermanentError, match="no multiple of its 3 sockets"):
        create_parameters(a_spec(hardware=Hardware(sockets=3)))


@pytest.mark.parametrize("file", SCHEMAS, ids=[file.stem for file in SCHEMAS])
@pytest.mark.parametrize("text", [text for text, _ in SAID], ids=[text.partition(":")[0] for text, _ in SAID])
def test_proxmox_own_schema_takes_every_parameter(text: str, file: Path) -> None:
    known = qemu_parameters(file)
    for name, value in create_parameters(a_spec(hardware=read(text))).items():
        rule = known.get(name) or known[re.sub(r"\d+$", "[n]", name)]
        told = str(int(value)) if isinstance(value, bool) else str(value)
        assert told in rule.get("enum", [told])
        if isinstance(shape := rule.get("format"), dict):
            for word in told.split(","):
                key, equals, inner = word.partition("=")
                part = shape.get(key) if equals else next(one for one in shape.values() if one.get("default_key"))
                assert part is not None, f"{name}: {key} is no part of it"
                assert inner in part.get("enum", [inner])


def qemu_parameters(file: Path) -> dict[str, Any]:
    def nodes(found: list[Any]) -> Any:
        for node in found:
            yield node
            yield from nodes(node.get("children", []))

    path = "/nodes/{node}/qemu"
    (post,) = [node["info"]["POST"] for node in nodes(json.loads(file.read_text())) if node["path"] == path]
    known: dict[str, Any] = post["parameters"]["properties"]
    return known


def a_vm(config: dict[str, object], **changes: Any) -> Vm:
    disks = (VmDisk("scsi0", "local-lvm", "x", 20 * GIB), VmDisk("scsi1", "local-lvm", "y", 50 * GIB))
    values: dict[str, Any] = {"disks": disks, "hardware": hardware_of(config, changes.pop("pool", "")), "beyond": beyond(config)}
    return Vm(8001, "cp-1", "pve-1", PowerState.RUNNING, "", "", 4, 8 * GIB, (), (), agent=False, tags=(), digest="",
              **(values | changes))  # fmt: skip


def as_config(said: Hardware) -> tuple[dict[str, object], str]:
    """What Proxmox keeps of what it was asked for, as the lab's door does, and the pool."""
    made = create_parameters(a_spec(hardware=said))
    new = new_vm("pve-1", made)
    disks = {drive.slot: f"{drive.storage}:vm-8001-disk-0,size=4M" for drive in new.drives}
    return {**new.options, **disks, **{slot: nic.text() for slot, nic in new.nics.items()}}, new.pool


@pytest.mark.parametrize("text", [text for text, _ in SAID], ids=[text.partition(":")[0] for text, _ in SAID])
def test_what_a_vm_has_beyond_the_settings_is_told_as_the_lines_that_say_it(text: str) -> None:
    """An adopted VM with this hardware: the lines that it is told with, added to the settings, make the same VM."""
    config, pool = as_config(read(text))
    found = lost(a_vm(config, pool=pool), a_node(1))
    assert found.by_hand == ()
    said = read("\n".join(found.add))
    assert create_parameters(a_spec(hardware=said)) == create_parameters(a_spec(hardware=read(text)))
    again = lost(a_vm(config, pool=pool), a_node(1, hardware=said))
    assert (again.add, again.by_hand) == ((), ())
    assert hardware_differences(hardware_of(config), said) == ()


def test_a_vm_that_was_made_here_has_nothing_beyond() -> None:
    config, _ = as_config(Hardware())
    assert lost(a_vm(config), a_node(1)) == lost(a_vm(config), a_node(1, hardware=Hardware()))
    assert lost(a_vm(config), a_node(1)).add == ()


def test_a_vm_made_by_the_web_page_is_told_whole() -> None:
    """kvm64, i440fx and lsi are never written down: they are what a VM without these options has."""
    config: dict[str, object] = {"net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0", "scsi0": "tank:vm-1-disk-0", "scsi1": "tank:x"}
    told = lost(a_vm(config), a_node(1))
    assert {"cpu: kvm64", "machine: pc", "firmware: seabios", "scsi_controller: lsi"} <= set(told.add)
    assert hardware_of(config).filled() == hardware_of(config)


# What no setting can say, and the word that it is told by.
BEYOND = [
    ({"hostpci0": "0000:01:00,pcie=1"}, "hostpci0 (it has no mapping"), ({"usb0": "host=1-2"}, "usb0 (it has no mapping"),
    ({"args": "-device x"}, "args (no setting"), ({"hookscript": "local:snippets/a.pl"}, "hookscript ("),
    ({"ide2": "local-lvm:vm-1-cloudinit,media=cdrom"}, "ide2 ("), ({"scsi3": "/dev/disk/by-id/ata-X"}, "scsi3 ("),
    ({"balloon": 2048}, "balloon ("), ({"vga": "virtio"}, "vga ("), ({"serial1": "socket"}, "serial1 ("),
    ({"cpulimit": "2"}, "cpulimit ("), ({"protection": 1}, "protection ("), ({"rng0": "source=/dev/urandom"}, "rng0 ("),
]  # fmt: skip


@pytest.mark.parametrize(("more", "told"), BEYOND, ids=[next(iter(more)) for more, _ in BEYOND])
def test_what_no_setting_says_is_told_by_its_name_and_never_by_its_value(more: dict[str, object], told: str) -> None:
    config, _ = as_config(Hardware())
    found = lost(a_vm(config | more), a_node(1))
    assert [line.startswith(told) for line in found.by_hand] == [True]
    assert not any(str(value) in line for value in more.values() for line in found.by_hand if len(str(value)) > 3)


def test_ha_and_disks_that_are_not_listed_are_told() -> None:
    config, _ = as_config(Hardware())
    first, second = VmDisk("scsi0", "local-lvm", "x", 20 * GIB), VmDisk("scsi2", "tank", "z", 100 * GIB)
    disks = (first, second, VmDisk("sata0", "tank", "s", GIB))
    found = lost(a_vm(config, disks=disks, ha="started"), a_node(1))
    assert found.add == ("disks: one more, {slot: scsi2, size: 100GiB, storage: tank}",)
    assert found.by_hand == (
        "sata0 (only scsi and virtio disks are made)", "HA, started (afterwards: `ha-manager add vm:8001`)"
    )  # fmt: skip


# The settings say something that the VM is not: never changed, and told by its key.
DIFFERS = [
    ("cpu: host", "cpu"), ("vlan: 20", "net0.vlan"), ("cards: [{bridge: vmbr1, mac: 'bc:24:11:00:01:01'}]", "net1"),
    ("tpm: tank", "tpm"), ("pci: [{mapping: gpu}]", "pci.gpu"), ("usb: [{mapping: key}]", "usb.key"), ("numa: true", "numa"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "key"), DIFFERS, ids=[key for _, key in DIFFERS])
def test_what_is_said_and_not_so_is_a_difference(text: str, key: str) -> None:
    config, _ = as_config(Hardware())
    assert hardware_differences(hardware_of(config), read(text)) == (key,)


def test_the_labs_door_takes_each_of_them() -> None:
    for text, _ in SAID:
        made = create_parameters(a_spec(hardware=read(text)))
        made.pop("pool", None)
        given = {name: str(int(value)) if isinstance(value, bool) else str(value) for name, value in made.items()}
        assert Schema().check("POST /nodes/{node}/qemu", {"node": "pve-1", **given})
    assert ROOT
