"""Grow each imported system disk to the size the settings want: Proxmox imports a disk at its image's own size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from bootstrap.needs import TO_CHANGE_VMS
from cluster.machines.vms import await_task, disk_sizes, find_vm, require_quorum
from engine.probe import Probe, changing, missing, satisfied, unknown
from engine.step import BaseStep, Notes, StepId
from house.model import House, Node, NodeDisk

GROW_LIMIT_S = 120.0


@dataclass(frozen=True)
class GrowDisk(BaseStep):
    """One system disk at least as large as wanted. A disk is never made smaller."""

    house: House
    node: Node
    disk: NodeDisk
    system = "proxmox"
    standing = True

    @property
    def id(self) -> StepId:
        return StepId(f"proxmox.grow-disk/{self.node.name}-{self.disk.slot}")

    @property
    def title(self) -> str:
        return f"{self.disk.slot} of VM {self.node.vm_id} has {self.disk.size >> 30} GiB"

    @property
    def needs(self) -> tuple[str, ...]:
        return (*TO_CHANGE_VMS, f"preflight.host/{self.node.host}", f"proxmox.create-vm/{self.node.name}")

    @property
    def inputs(self) -> str:
        return f"{self.node.vm_id} {self.disk.slot} {self.disk.size}"

    def probe(self, look: LookContext) -> Probe:
        vm = find_vm(look.proxmox, self.house, self.node)
        if vm is None:
            return unknown(f"VM {self.node.vm_id} is not there")
        if vm.lock:
            return changing(f"VM {vm.vm_id} is locked: {vm.lock}")
        size = next((disk.size for disk in vm.disks if disk.slot == self.disk.slot), None)
        if size is None:
            return unknown(f"VM {vm.vm_id} has no {self.disk.slot}")
        if size >= self.disk.size:
            return satisfied(f"{size >> 20} MiB")
        # A grow that broke off has grown the image, and asking for the same size again changes nothing.
        grown = disk_sizes(look.proxmox, vm)[self.disk.slot]
        if grown >= self.disk.size:
            return satisfied(
                f"{grown >> 20} MiB; its configuration says {size >> 20} MiB, which this mends: qm disk rescan --vmid {vm.vm_id}"
            )
        return missing(f"{grown >> 20} MiB, wanted {self.disk.size >> 20} MiB")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        require_quorum(act.proxmox)
        ref = act.proxmox.grow_disk(self.node.host, self.node.vm_id, self.disk.slot, self.disk.size)
        await_task(act.proxmox, act.clock, notes, ref, GROW_LIMIT_S)

    def by_hand(self) -> str:
        return f"qm resize {self.node.vm_id} {self.disk.slot} {self.disk.size >> 30}G   # on {self.node.host}"


def steps(house: House) -> Iterator[GrowDisk]:
    """One for every system disk."""
    for node in house.vms:
        for disk in node.disks:
            if disk.system:
                yield GrowDisk(house, node, disk)
