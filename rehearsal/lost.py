"""The house as if its VMs were gone: what a rebuild would meet, looked at through the living house's own doors. Changes nothing.

So the checks of a bootstrap say of today what they would say on the day: a chart is asked for, and no VM counts as there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from adapters.context import LookContext
from adapters.ports import ProxmoxView
from adapters.proxmox.results import HostStatus, PowerState, Storage, StoredImage, Vm
from house.model import House


def as_if_lost(look: LookContext, house: House) -> LookContext:
    """The same views, with a Proxmox on which nothing of this house is."""
    return replace(look, proxmox=cast("ProxmoxView", _Lost(look.proxmox, house)))


@dataclass(frozen=True)
class _Lost:
    """Hides the house's own VMs, their disks, and the image that was fetched for them; what they take counts as free again.

    Somebody else's VM on an id of ours stays: a rebuild meets it. An image that a person has put there stays as well: nobody
    could fetch it.
    """

    door: ProxmoxView
    house: House

    def __getattr__(self, name: str) -> object:
        return getattr(self.door, name)

    def vms(self) -> tuple[Vm, ...]:
        """Those that are not ours."""
        ours = {vm.vm_id for vm in self._ours()}
        return tuple(vm for vm in self.door.vms() if vm.vm_id not in ours)

    def hosts(self) -> tuple[HostStatus, ...]:
        """With the memory that our VMs have now."""
        running = [vm for vm in self._ours() if vm.power is not PowerState.STOPPED]
        return tuple(
            replace(host, memory_free=host.memory_free + sum(vm.memory for vm in running if vm.host == host.name))
            for host in self.door.hosts()
        )

    def storages(self, host: str) -> tuple[Storage, ...]:
        """With the space of our VMs' disks: where they are thin it was promised, and is promised again."""
        ours = self._ours()
        return tuple(
            replace(
                one,
                available=one.available + sum(
                    disk.size for vm in ours if one.shared or vm.host == host for disk in vm.disks if disk.storage == one.name
                ),
            )
            for one in self.door.storages(host)
        )  # fmt: skip

    def images(self, host: str, storage: str) -> tuple[StoredImage, ...]:
        """Without the image that was fetched: it must be had once more."""
        found = self.door.images(host, storage)
        fetched = {image.volume for image in self.house.images if image.url}
        return tuple(one for one in found if one.volume not in fetched)

    def left_disks(self, host: str, storage: str, vm_id: int) -> tuple[StoredImage, ...]:
        """Without the disks of the VMs that are hidden."""
        return () if vm_id in {vm.vm_id for vm in self._ours()} else self.door.left_disks(host, storage, vm_id)

    def _ours(self) -> tuple[Vm, ...]:
        tokens = {self.house.owner_token(node) for node in self.house.vms}
        return tuple(vm for vm in self.door.vms() if vm.readable and vm.token in tokens)
