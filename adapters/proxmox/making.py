"""The parameters that make a VM as Talos wants it. Pure text: knows no connection."""

from __future__ import annotations

import re
import uuid

from adapters.proxmox.owner import describe
from adapters.proxmox.results import DiskSpec, VmSpec
from engine.errors import PermanentError

_GIB = 1 << 30
_SLOT = re.compile(r"scsi([0-9]|[12][0-9]|30)")


def create_parameters(spec: VmSpec) -> dict[str, str | int | bool]:
    """What POST /nodes/{host}/qemu takes for this VM.

    UEFI without pre-enrolled keys, q35, one SCSI controller per disk, a CPU model that Talos boots on and that hosts of
    different age share, memory that neither balloons nor grows, a serial console for the first seconds of a boot.
    Raises PermanentError for a disk that this way of making VMs cannot express.
    """
    if not spec.disks:
        raise PermanentError(f"VM {spec.vm_id} has no disk to boot from")
    parameters: dict[str, str | int | bool] = {
        "vmid": spec.vm_id,
        "name": spec.name,
        "description": describe(spec.token),
        "ostype": "l26",
        "bios": "ovmf",
        "machine": "q35",
        "efidisk0": f"{spec.disks[0].storage}:0,efitype=4m,pre-enrolled-keys=0",
        "scsihw": "virtio-scsi-single",
        "boot": f"order={spec.disks[0].slot}",
        "cpu": "x86-64-v2-AES",
        "cores": spec.cores,
        "sockets": 1,
        "memory": str(spec.memory >> 20),
        "balloon": 0,
        # The default also takes `usb`; memory must not be in it, Talos does not see memory that comes later.
        "hotplug": "network,disk,usb",
        "net0": f"virtio={spec.mac.upper()},bridge={spec.bridge}",
        "serial0": "socket",
        "agent": "enabled=1" if spec.agent else "enabled=0",
        "tablet": False,
        "onboot": True,
        # A machine identity that a VM made again keeps.
        "smbios1": f"uuid={uuid.uuid5(uuid.NAMESPACE_URL, spec.token)}",
    }
    if spec.tags:
        parameters["tags"] = ";".join(spec.tags)
    for disk in spec.disks:
        if disk.slot in parameters:
            raise PermanentError(f"VM {spec.vm_id} names disk slot {disk.slot} twice")
        parameters[disk.slot] = _disk(disk)
    return parameters


def _disk(disk: DiskSpec) -> str:
    if not _SLOT.fullmatch(disk.slot):
        raise PermanentError(
            f"disk slot {disk.slot} is not one of scsi0 to scsi30",
            hint="Talos names scsi disks /dev/sda, sdb, … in slot order",
        )
    if disk.import_from:
        source = f"{disk.storage}:0,import-from={disk.import_from}"
    elif disk.size <= 0 or disk.size % _GIB:
        raise PermanentError(f"disk {disk.slot} is not a whole number of GiB", evidence=(f"{disk.size} bytes",))
    else:
        source = f"{disk.storage}:{disk.size // _GIB}"
    return f"{source},discard=on,iothread=1,ssd=1"
