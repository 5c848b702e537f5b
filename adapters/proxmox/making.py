"""The parameters that make a VM as Talos wants it. Pure text: knows no connection."""

from __future__ import annotations

import re
import uuid

from adapters.proxmox.owner import describe
from adapters.proxmox.results import DiskSpec, VmSpec
from engine.errors import PermanentError
from engine.text.words import number
from house.values.hardware import Card, Hardware, Passthrough

_GIB = 1 << 30
_SLOT = re.compile(r"scsi([0-9]|[12][0-9]|30)|virtio([0-9]|1[0-5])")
Parameters = dict[str, str | int | bool]


def create_parameters(spec: VmSpec) -> Parameters:
    """What POST /nodes/{host}/qemu takes for this VM.

    UEFI without pre-enrolled keys, q35, one SCSI controller per disk, memory that neither balloons nor grows.
    house/values/hardware.py says what else holds where the settings say nothing.
    Raises PermanentError for what this way of making VMs cannot express.
    """
    if not spec.disks:
        raise PermanentError(f"VM {spec.vm_id} has no disk to boot from")
    made = spec.hardware.filled()
    if spec.cores % made.sockets:
        raise PermanentError(f"VM {spec.vm_id} has {spec.cores} cores, which is no multiple of its {made.sockets} sockets")
    parameters: Parameters = {
        "vmid": spec.vm_id,
        "name": spec.name,
        "description": describe(spec.token),
        "ostype": "l26",
        "bios": made.firmware,
        "machine": made.machine,
        "scsihw": made.scsi,
        # A disk that nothing was installed on yet does not boot: then the ISO's turn comes, and later never again.
        "boot": f"order={spec.boot or _boot(spec.disks)}{';ide2' if spec.iso else ''}",
        "cpu": made.cpu,
        "cores": spec.cores // made.sockets,
        "sockets": made.sockets,
        "memory": str(spec.memory >> 20),
        "balloon": 0,
        # The default also takes `usb`; memory must not be in it, Talos does not see memory that comes later.
        "hotplug": "network,disk,usb",
        "net0": _card(made.card, spec.mac, spec.bridge),
        "agent": "enabled=1" if made.agent else "enabled=0",
        "tablet": False,
        "onboot": True,
        # A machine identity that a VM made again keeps.
        "smbios1": f"uuid={uuid.uuid5(uuid.NAMESPACE_URL, spec.token)}",
        **_devices(made, spec.disks[0].storage),
    }
    if spec.iso:
        parameters["ide2"] = f"{spec.iso},media=cdrom"
    if tags := dict.fromkeys((*spec.tags, *made.tags)):
        parameters["tags"] = ";".join(tags)
    for disk in spec.disks:
        if disk.slot in parameters:
            raise PermanentError(f"VM {spec.vm_id} names disk slot {disk.slot} twice")
        parameters[disk.slot] = _disk(disk, made.scsi)
    return parameters


def _devices(made: Hardware, storage: str) -> Parameters:
    """Firmware's and TPM's state, serial console, further cards, what is passed through, start order, pool."""
    found: Parameters = {}
    if made.firmware == "ovmf":
        found["efidisk0"] = f"{made.efi or storage}:0,efitype=4m,pre-enrolled-keys=0"
    if made.tpm:
        found["tpmstate0"] = f"{made.tpm}:0,version=v2.0"
    if made.serial:
        found["serial0"] = "socket"
    if made.numa:
        found["numa"] = True
    found |= {f"net{place}": _card(card, card.mac, card.bridge) for place, card in enumerate(made.cards, start=1)}
    found |= {f"hostpci{place}": _passed(one) for place, one in enumerate(made.pci)}
    found |= {f"usb{place}": _passed(one) for place, one in enumerate(made.usb)}
    said = [f"{name}={value}" for name, value in zip(("order", "up", "down"), made.start, strict=True) if value >= 0]
    if said:
        found["startup"] = ",".join(said)
    if made.pool:
        found["pool"] = made.pool
    return found


def _card(card: Card, mac: str, bridge: str) -> str:
    words = [f"{card.model}={mac.upper()}", f"bridge={bridge}"]
    words += [f"firewall={int(card.firewall)}"] if card.firewall else []
    words += [f"mtu={card.mtu}"] if card.mtu else []
    words += [f"tag={card.vlan}"] if card.vlan else []
    return ",".join(words)


def _passed(one: Passthrough) -> str:
    return ",".join([f"mapping={one.mapping}", *(f"{name}={value}" for name, value in one.options)])


def _boot(disks: tuple[DiskSpec, ...]) -> str:
    """The disk that Talos is on, wherever in the list it is."""
    return next((disk.slot for disk in disks if disk.import_from), disks[0].slot)


def _disk(disk: DiskSpec, controller: str) -> str:
    if not _SLOT.fullmatch(disk.slot):
        raise PermanentError(
            f"disk slot {disk.slot} is none of scsi0 to scsi30 and virtio0 to virtio15",
            hint="Talos names scsi disks /dev/sda, sdb, … and virtio disks /dev/vda, vdb, …, each in slot order",
        )
    if disk.import_from:
        source = f"{disk.storage}:0,import-from={disk.import_from}"
    elif disk.size <= 0 or disk.size % _GIB:
        raise PermanentError(f"disk {disk.slot} is not a whole number of GiB", evidence=(f"{number(disk.size, 'byte')}",))
    else:
        source = f"{disk.storage}:{disk.size // _GIB}"
    if disk.slot.startswith("virtio"):
        return f"{source},discard=on,iothread=1"
    # Any other controller serves all its disks in one thread, and Proxmox warns of each that asks for its own.
    thread = ",iothread=1" if controller == "virtio-scsi-single" else ""
    return f"{source},discard=on{thread},ssd=1"
