"""Pools of the simulated Proxmox: names with a comment, the VMs and storages in each. Knows no request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from lab.world.pve.access import Access, Refusal
from lab.world.pve.tasks import Busy
from lab.world.pve.vm import LabVm

# How long Proxmox tries to lock a file of the cluster's own configuration.
CLUSTER_LOCK_S = 10.0


class Pools:
    """All pools, in the cluster's own configuration: without a quorum none is made or removed."""

    def __init__(self, access: Access, quorate: Callable[[], bool], vms: Mapping[int, LabVm]) -> None:
        self._access = access
        self._quorate = quorate
        self._vms = vms
        self.comments: dict[str, str] = {}
        self.storages: dict[str, set[str]] = {}
        access.pool_of = self.having

    def having(self, path: str) -> str:
        """The pool that has the VM or the storage at a path of the access list, "" for none."""
        area, _, name = path.removeprefix("/").partition("/")
        if area == "vms" and name.isdecimal():
            vm = self._vms.get(int(name))
            return vm.pool if vm is not None else ""
        return next((pool for pool, held in self.storages.items() if area == "storage" and name in held), "")

    def seen_by(self, actor: str) -> list[tuple[str, str]]:
        """Name and comment of those that the actor may see; others are left out without a word."""
        every = sorted(self.comments.items())
        return [(name, told) for name, told in every if self._access.may(actor, f"/pool/{name}", "Pool.Audit")]

    def need(self, name: str) -> None:
        """Raise PVE's refusal when there is none of this name."""
        if name not in self.comments:
            raise Refusal(403, f"Permission check failed (pool '{name}' does not exist)")

    def members(self, name: str) -> tuple[list[LabVm], list[str]]:
        """VMs and storages of a pool that there is."""
        if name not in self.comments:
            raise Refusal(500, f"pool '{name}' does not exist")
        return [vm for _, vm in sorted(self._vms.items()) if vm.pool == name], sorted(self.storages.get(name, ()))

    def make(self, actor: str, name: str, comment: str) -> None:
        """Make one; a Refusal when there is one of this name."""
        self._access.require(actor, f"/pool/{name}", "Pool.Allocate")
        self._writable("create pool")
        if name in self.comments:
            raise Refusal(500, f"create pool failed: pool '{name}' already exists")
        above = name.rpartition("/")[0]
        if above and above not in self.comments:
            raise Refusal(500, f"create pool failed: parent pool '{above}' does not exist")
        self.comments[name] = comment

    def change(
        self,
        actor: str,
        name: str,
        comment: str | None,
        vm_ids: Iterable[int],
        storages: Iterable[str],
        *,
        delete: bool,
        move: bool,
    ) -> None:
        """Say something else of one, put VMs and storages into it, or with `delete` take them out."""
        self._access.require(actor, f"/pool/{name}", "Pool.Allocate")
        self._writable("update pools")
        self._no(name not in self.comments, f"pool '{name}' does not exist")
        changed: list[LabVm] = []
        for vm_id in vm_ids:
            vm = self._vms.get(vm_id)
            self._access.require(actor, f"/vms/{vm_id}", "VM.Allocate", "Permissions.Modify")
            self._no(vm is None or (delete and vm.pool != name), f"VM {vm_id} is not a pool member")
            if vm is not None:
                self._no(not delete and vm.pool == name, f"VM {vm_id} is already a pool member")
                elsewhere = not delete and not move and bool(vm.pool)
                self._no(elsewhere, f"VM {vm_id} belongs already to pool '{vm.pool}' and 'allow-move' is not set")
                changed.append(vm)
        held, wanted = self.storages.get(name, set()), frozenset(storages)
        for storage in wanted:
            self._access.require(actor, f"/storage/{storage}", "Datastore.Allocate", "Permissions.Modify")
            self._no(delete and storage not in held, f"Storage '{storage}' is not a pool member")
            self._no(not delete and storage in held, f"Storage '{storage}' is already a pool member")
        # All of it or nothing is written.
        if comment is not None:
            self.comments[name] = comment
        for vm in changed:
            vm.pool = "" if delete else name
        self.storages[name] = held ^ wanted

    def remove(self, actor: str, name: str) -> None:
        """Remove an empty one; a Refusal when there is none of this name."""
        self._access.require(actor, f"/pool/{name}", "Pool.Allocate")
        self._writable("delete pool")
        if name not in self.comments:
            raise Refusal(500, f"delete pool failed: pool '{name}' does not exist")
        for below in sorted(pool for pool in self.comments if pool.startswith(f"{name}/")):
            raise Refusal(500, f"delete pool failed: pool '{name}' is not empty (contains pool '{below}')")
        vms, storages = self.members(name)
        for vm in vms:
            raise Refusal(500, f"delete pool failed: pool '{name}' is not empty (contains VMID {vm.vm_id})")
        for storage in storages:
            raise Refusal(500, f"delete pool failed: pool '{name}' is not empty (contains storage '{storage}')")
        del self.comments[name]
        self.storages.pop(name, None)

    def _no(self, wrong: bool, words: str) -> None:
        if wrong:
            raise Refusal(500, f"update pools failed: {words}")

    def _writable(self, doing: str) -> None:
        if not self._quorate():
            raise Busy(CLUSTER_LOCK_S, f"{doing} failed: cfs-lock 'file-user_cfg' error: no quorum!")
