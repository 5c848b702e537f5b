"""In which order the hosts of a house go off, what runs on each that is not ours, and which nodes are on still. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from adapters.ports import ProxmoxView
from adapters.proxmox.results import PowerState, ProxmoxCluster, Vm
from adapters.talos.results import Phase
from engine.errors import TransientError
from house.model import House, Node
from house.values.nas import Nas


@dataclass(frozen=True)
class Parting:
    """All hosts of the Proxmox cluster, by name: those that go off first, those on which a NAS of the house runs after them, and at
    the end the `last`, which is asked all the while. `resumed`: some are dark, and no node is on: a stop has come so far before.
    """

    first: tuple[str, ...]
    with_nas: tuple[str, ...]
    last: str
    resumed: bool = False

    @property
    def hosts(self) -> tuple[str, ...]:
        """All of them, in this order."""
        return (*self.first, *self.with_nas, self.last)


def parting(look: LookContext, house: House) -> Parting:
    """As Proxmox has it now; raises what it raises. A host that is dark is among the first."""
    cluster, vms = look.proxmox.cluster(), look.proxmox.vms()
    nas_at = {vm.host for vm in vms if any(is_nas(vm, nas) for nas in house.nas)}
    last = cluster.asked or cluster.online[-1]
    others = [name for name in (*cluster.online, *cluster.offline) if name != last]
    first = tuple(sorted(name for name in others if name not in nas_at))
    resumed = bool(cluster.offline) and not awake(look, house, cluster)
    return Parting(first, tuple(sorted(name for name in others if name in nas_at)), last, resumed)


def is_nas(vm: Vm, nas: Nas) -> bool:
    """Whether this is the VM of a NAS of the settings, by id and name both."""
    return bool(nas.vm) and vm.vm_id == nas.vm and vm.name.lower() == nas.vm_name.lower()


def strangers(proxmox: ProxmoxView, house: House, host: str) -> tuple[str, ...]:
    """Guests of this host that run, or may, and are neither nodes of this house nor its NAS: `200 dns` each, by id."""
    ours = {(node.vm_id, house.owner_token(node)) for node in house.vms}  # a clone carries its origin's token, and is none
    found = [vm for vm in proxmox.vms() if vm.host == host and vm.power is not PowerState.STOPPED]
    if blind := [vm for vm in found if not vm.readable]:
        raise TransientError(f"VM {blind[0].vm_id} on {host} cannot be read: it may be coming or going")
    return tuple(
        f"{vm.vm_id} {vm.name}"
        for vm in found if (vm.vm_id, vm.token) not in ours and not any(is_nas(vm, nas) for nas in house.nas)
    )  # fmt: skip


def awake(doors: LookContext | ActContext, house: House, cluster: ProxmoxCluster) -> tuple[Node, ...]:
    """Nodes that are on, or may be. One whose VM is on a host that the others do not see is on where its Talos answers: that host
    may be cut off from them, and not off. A VM that is not ours is no node, whatever id it has."""
    there = {vm.vm_id: vm for vm in doors.proxmox.vms()}
    lit, shaded = [], [node for node in house.nodes if node.metal]
    for node in house.vms:
        vm = there.get(node.vm_id)
        if vm is not None and not vm.readable and vm.host in cluster.offline:
            shaded.append(node)
        elif vm is not None and not vm.readable:
            raise TransientError(f"VM {vm.vm_id} on {vm.host} cannot be read: it may be coming or going")
        elif vm is not None and vm.token == house.owner_token(node) and vm.power is not PowerState.STOPPED:
            lit.append(node)
    phases = doors.talos.phases(tuple(node.address for node in shaded))
    return (*lit, *(node for node, phase in zip(shaded, phases, strict=True) if phase is not Phase.UNREACHABLE))
