"""The parameters of a new VM: what Talos needs, and nothing a token may not set."""

from __future__ import annotations

import pytest

from adapters.proxmox.making import create_parameters
from adapters.proxmox.results import DiskSpec
from engine.errors import PermanentError
from house.values.hardware import Hardware
from lab.wire.proxmox.schema import Schema
from tests.builders import GIB
from tests.contract.proxmox.proxmox_doors import IMAGE, TOKEN, a_spec


def test_a_vm_as_talos_wants_it() -> None:
    parameters = create_parameters(a_spec())
    assert TOKEN in str(parameters.pop("description")).splitlines()
    assert parameters == {
        "vmid": 8001,
        "name": "cp-1",
        "tags": "talos;blackstart",
        "ostype": "l26",
        "bios": "ovmf",
        "machine": "q35",
        "efidisk0": "local-lvm:0,efitype=4m,pre-enrolled-keys=0",
        "scsihw": "virtio-scsi-single",
        "scsi0": f"local-lvm:0,import-from={IMAGE},discard=on,iothread=1,ssd=1",
        "scsi1": "local-lvm:50,discard=on,iothread=1,ssd=1",
        "boot": "order=scsi0",
        "cpu": "x86-64-v2-AES",
        "cores": 4,
        "sockets": 1,
        "memory": "8192",
        "balloon": 0,
        "hotplug": "network,disk,usb",
        "net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0",
        "serial0": "socket",
        "agent": "enabled=0",
        "tablet": False,
        "onboot": True,
    } | {"smbios1": parameters["smbios1"]}


def test_the_machine_identity_is_the_same_each_time_and_each_nodes_own() -> None:
    first, again = create_parameters(a_spec())["smbios1"], create_parameters(a_spec(vm_id=9001))["smbios1"]
    assert first == again != create_parameters(a_spec(token="blackstart:5f1d7c2a9e:cp-2"))["smbios1"]


def test_every_parameter_passes_the_schema() -> None:
    given = {
        name: str(int(value)) if isinstance(value, bool) else str(value)
        for name, value in create_parameters(a_spec()).items()
    }
    assert Schema().check("POST /nodes/{node}/qemu", {"node": "pve-1", **given})["scsi0"]


def test_the_agent_is_on_only_where_the_image_has_one() -> None:
    assert create_parameters(a_spec(hardware=Hardware(agent=True)))["agent"] == "enabled=1"


def test_it_boots_from_the_disk_with_the_image_whatever_its_slot() -> None:
    disks = (DiskSpec("scsi2", "fast", 20 * GIB, IMAGE), DiskSpec("scsi0", "slow", GIB))
    parameters = create_parameters(a_spec(disks=disks))
    assert (parameters["boot"], parameters["efidisk0"]) == ("order=scsi2", "fast:0,efitype=4m,pre-enrolled-keys=0")


@pytest.mark.parametrize(
    "disks",
    [
        (),
        (DiskSpec("sata0", "local-lvm", GIB),),
        (DiskSpec("scsi31", "local-lvm", GIB),),
        (DiskSpec("scsi0", "local-lvm", GIB + 1),),
        (DiskSpec("scsi0", "local-lvm", 0),),
        (DiskSpec("scsi0", "local-lvm", GIB), DiskSpec("scsi0", "local-lvm", GIB)),
    ],
)
def test_disks_that_cannot_be_made_are_refused(disks: tuple[DiskSpec, ...]) -> None:
    with pytest.raises(PermanentError):
        create_parameters(a_spec(disks=disks))
