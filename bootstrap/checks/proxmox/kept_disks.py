"""Whether disks of a lost VM still lie on the storage, where the settings say that they are to be kept: a person decides then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import LookContext
from engine.probe import Probe, drifted, satisfied
from engine.step import BaseCheck, StepId
from engine.text.words import number, some
from house.known.inventory import INVENTORY_FILE, known_inventory
from house.model import DiskFate, House, Node


@dataclass(frozen=True)
class KeptDisks(BaseCheck):
    """One node. A VM is made with new disks: without this, data that survived the VM would lie beside it, forgotten."""

    house: House
    node: Node

    @property
    def id(self) -> StepId:
        return StepId(f"preflight.kept-disks/{self.node.name}")

    @property
    def title(self) -> str:
        return f"no disk of an earlier VM {self.node.vm_id} is forgotten"

    @property
    def needs(self) -> tuple[str, ...]:
        # And so the privileges: Proxmox lists a VM's disks only to who may configure it.
        return (f"preflight.host/{self.node.host}",)

    def probe(self, look: LookContext) -> Probe:
        if any(vm.vm_id == self.node.vm_id for vm in look.proxmox.vms()):
            return satisfied("a VM has them")  # whose it is, other checks ask
        kept = [disk for disk in self.node.disks if disk.fate is DiskFate.KEEP]
        found = [
            volume
            for storage in dict.fromkeys(disk.storage for disk in kept)
            for volume in look.proxmox.left_disks(self.node.host, storage, self.node.vm_id)
        ]
        if found:
            return drifted(
                f"VM {self.node.vm_id} is gone, and {number(len(found), 'disk')} of it not",
                *(f"{volume.volume}, {volume.size / (1 << 30):.1f} GiB{self._known(volume.volume)}" for volume in found),
                *self._replicas(),
                hint=f"keep one: create VM {self.node.vm_id} by hand with it and {self.house.owner_token(self.node)} as a line of "
                f"its description; else remove it (pvesm free), or say `fate: create` for {', '.join(d.slot for d in kept)}",
            )
        return satisfied("nothing is left of an earlier VM")

    def _known(self, volume: str) -> str:
        """What the inventory has of a disk of this name."""
        known = known_inventory(self.house)
        vm = known.vm_of(self.node.name) if known is not None else None
        disk = next((one for one in vm.disks if one.volume == volume), None) if vm is not None else None
        return f": {disk.slot} of {self.node.name} by {INVENTORY_FILE}" if disk is not None else ""

    def _replicas(self) -> Iterator[str]:
        """Whose data of Longhorn's lay on this node, by the inventory."""
        known = known_inventory(self.house)
        volumes = known.cluster.longhorn if known is not None and known.cluster is not None else ()
        here = [one.claim or one.name for one in volumes if any(each.node == self.node.name for each in one.replicas)]
        if here:
            yield f"Longhorn had replicas of {some(here, 5)} on {self.node.name}, by {INVENTORY_FILE}"

    def by_hand(self) -> str:
        storages = dict.fromkeys(disk.storage for disk in self.node.disks if disk.fate is DiskFate.KEEP)
        lists = "; ".join(f"pvesm list {name} --vmid {self.node.vm_id}" for name in storages)
        return f"{lists}   # on {self.node.host}: no disk of a lost VM that you want to keep"


def checks(house: House) -> Iterator[KeptDisks]:
    """One for every node with a disk to keep."""
    for node in house.vms:
        if any(disk.fate is DiskFate.KEEP for disk in node.disks):
            yield KeptDisks(house, node)
