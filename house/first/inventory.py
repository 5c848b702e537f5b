"""An inventory as what a Proxmox would have told: for a first settings file of a house whose hosts answer nobody any more."""

from __future__ import annotations

from dataclasses import replace

from house.files.grammar import DISK_SLOT
from house.first.found import FoundDisk, FoundProxmox, FoundVm
from house.known.inventory import Inventory, VmRecord


def found_before(inventory: Inventory) -> FoundProxmox:
    """What the inventory knows. How its Proxmox is reached it does not say: the next one is another."""
    machines, image = inventory.machines, inventory.image
    vms = {mac: _noun(vm) for vm in (machines.vms if machines is not None else ()) if vm.node for mac in vm.macs}
    return FoundProxmox(
        url="", fingerprint="", token_id="", hosts=machines.hosts if machines is not None else (), vms=vms, taken=frozenset(),
        image_storage=image.storage if image is not None else "", image=image, since=machines.date if machines is not None else "",
    )  # fmt: skip


def joined(now: FoundProxmox, before: FoundProxmox) -> FoundProxmox:
    """What a Proxmox has now, and the VMs of before that it does not have: those are made anew. A MAC that somebody has now, or may
    have, is not one of before's."""
    gone = {mac: vm for mac, vm in before.vms.items() if mac not in now.vms and mac not in now.twice}
    return replace(now, vms={**gone, **now.vms}, image=before.image, since=before.since)


def _noun(vm: VmRecord) -> FoundVm:
    disks = tuple(FoundDisk(disk.slot, disk.storage, disk.size) for disk in vm.disks if DISK_SLOT.fits(disk.slot))
    odd = (*vm.odd, *(f"the device {one}" for one in vm.passed))
    return FoundVm(vm.name, vm.host, vm.vm_id, vm.cores, vm.memory, vm.bridge, disks, vm.hardware, odd, gone=True)
