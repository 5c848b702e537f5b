"""What a VM needs to start: a host that is large enough, its bridges, and every volume that its configuration names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lab.world.disks import LabStorage, Storages
from lab.world.pve.vm import LabVm

_QEMU = "start failed: QEMU exited with code 1"


@dataclass(frozen=True)
class Room:
    """What a host has for one VM: processors, memory in bytes, bridges."""

    cpus: int
    memory: int
    bridges: tuple[str, ...]


def why_not(vm: LabVm, room: Room, storages: Storages) -> tuple[str, ...]:
    """Lines of the worker of a start that fails, the last one is its end; () where the VM starts. In qemu-server's order."""
    for volume in _named(vm):
        if said := _missing(volume, vm.host, storages):
            return (said,)
    if vm.cores > room.cpus:
        return (f"MAX {room.cpus} vcpus allowed per VM on this node",)
    for nic in vm.nics.values():
        if nic.bridge and nic.bridge not in room.bridges:
            return (f"bridge '{nic.bridge}' does not exist",)
    at_first = int(vm.options.get("vcpus", 0)) or vm.cores
    if at_first > vm.cores:
        return (f"kvm: Invalid CPU topology: maxcpus must be equal to or greater than smp: {vm.cores} < {at_first}", _QEMU)
    if vm.memory > room.memory:
        return ("kvm: cannot set up guest memory 'pc.ram': Cannot allocate memory", _QEMU)
    return ()


def _named(vm: LabVm) -> Iterator[str]:
    """Ids of the volumes that a VM is started with; a disk that is not used is none of them."""
    for slot, drive in vm.drives.items():
        name = drive.volume.volume if drive.volume is not None else drive.fixed
        if ":" in name and not slot.startswith("unused"):
            yield name


def _missing(volume: str, host: str, storages: Storages) -> str:
    """Why a volume cannot be had, "" where it can."""
    storage, rest = volume.partition(":")[0], volume.partition(":")[2]
    found, trouble = storages.find(host, storage), storages.trouble(host, storage)
    if found is None or trouble:
        return trouble
    content = "iso" if rest.startswith("iso/") else "images"
    if content not in found.content:
        return f"storage '{storage}' does not support content-type '{content}'"
    return "" if volume in found.volumes else _gone(found, volume, rest)


def _gone(storage: LabStorage, volume: str, name: str) -> str:
    if storage.kind not in ("lvm", "lvmthin"):
        return f"volume '{volume}' does not exist"
    place = f"{storage.options.get('vgname', storage.name)}/{name}"
    words = "activate_lv" if storage.kind == "lvmthin" else "can't activate LV"
    return f"{words} '{place}' error:   Failed to find logical volume \"{place}\""
