"""Make the VM a node lives in, or adopt the one that carries our token. Knows nothing of Talos."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from adapters.proxmox.making import create_parameters
from adapters.proxmox.results import DiskSpec, Vm, VmSpec
from bootstrap.needs import BEFORE_ANYTHING, of_disks, on_host
from cluster.machines.differing import OWN_TAGS, hardware_differences
from cluster.machines.images import image_step
from cluster.machines.vms import await_task, find_vm, require_quorum
from engine.errors import PermanentError
from engine.probe import Probe, changing, drifted, missing, satisfied
from engine.step import BaseStep, Notes, StepId
from engine.text.digest import digest
from house.model import House, Node, TalosImage

CREATE_LIMIT_S = 900.0


@dataclass(frozen=True)
class CreateVm(BaseStep):
    """One VM, with its system disk imported from the Talos image. Never changes a VM that exists: drift is for a person.

    `after`: steps that must be done before, where one of its name has to go first.
    """

    house: House
    node: Node
    after: tuple[str, ...] = ()
    system = "proxmox"
    standing = True
    ready_s = CREATE_LIMIT_S

    @property
    def id(self) -> StepId:
        return StepId(f"proxmox.create-vm/{self.node.name}")

    @property
    def title(self) -> str:
        return f"VM {self.node.vm_id} for {self.node.name} on {self.node.host}"

    @property
    def needs(self) -> tuple[str, ...]:
        first = (BEFORE_ANYTHING, *on_host(self.node.host), of_disks(self.node.name))
        return (*self.after, *first, f"proxmox.fetch-image/{image_step(self.image, self.node.host)}")

    @property
    def image(self) -> TalosImage:
        """What its system disk is imported from."""
        return self.house.image_of(self.node)

    @property
    def inputs(self) -> str:
        return digest(self.spec(""))

    def spec(self, image_volume: str) -> VmSpec:
        """The VM this node wants; only system disks are imported from the image, and none where it is an ISO."""
        node, iso = self.node, self.image.iso
        return VmSpec(
            node.vm_id, node.name, node.host, self.house.owner_token(node), node.cores, node.memory, node.mac, node.bridge,
            tuple(DiskSpec(d.slot, d.storage, d.size, image_volume if d.system and not iso else "") for d in node.disks),
            tags=OWN_TAGS, hardware=node.hardware,
            iso=image_volume if iso else "", boot=next((d.slot for d in node.disks if d.system), ""),
        )  # fmt: skip

    def probe(self, look: LookContext) -> Probe:
        vm = find_vm(look.proxmox, self.house, self.node)
        if vm is None:
            return missing(f"no VM {self.node.vm_id}")
        if vm.lock:
            return changing(f"VM {vm.vm_id} is locked: {vm.lock}")
        different = differences(vm, self.node)
        if different:
            return drifted(f"VM {vm.vm_id} differs", *different)
        return satisfied(f"VM {vm.vm_id} is ours")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        if find_vm(act.proxmox, self.house, self.node) is not None:
            raise PermanentError(
                f"VM {self.node.vm_id} exists and differs from the settings; it is not changed",
                evidence=seen.evidence,
                hint="make the settings say what the VM is, or change the VM in Proxmox, or destroy it there",
                next_command="invoke cluster.plan",
            )
        require_quorum(act.proxmox)
        ref = act.proxmox.create_vm(self.spec(self.image.volume))
        await_task(act.proxmox, act.clock, notes, ref, CREATE_LIMIT_S)

    def by_hand(self) -> str:
        wanted = create_parameters(self.spec(self.image.volume))
        wanted["description"] = self.house.owner_token(self.node)  # on one line; known again just as well
        options = [
            f"--{name} {shlex.quote(str(int(value) if isinstance(value, bool) else value))}"
            for name, value in wanted.items() if name != "vmid"
        ]  # fmt: skip
        return f"qm create {self.node.vm_id} {' '.join(options)}   # on {self.node.host}"


def differences(vm: Vm, node: Node) -> tuple[str, ...]:
    """Key paths in which the VM differs from what the node wants; a data disk may be larger than asked, never smaller."""
    found = []
    if vm.host != node.host:
        found.append("host")
    if node.mac not in vm.macs:
        found.append("net0.mac")
    if node.bridge not in vm.bridges:
        found.append("net0.bridge")
    if vm.cores != node.cores:
        found.append("cores")
    if vm.memory != node.memory:
        found.append("memory")
    sizes = {disk.slot: disk.size for disk in vm.disks}
    for disk in node.disks:
        if disk.slot not in sizes:
            found.append(f"{disk.slot}")
        elif sizes[disk.slot] < disk.size and not disk.system:
            found.append(f"{disk.slot}.size")
    return (*found, *hardware_differences(vm.hardware, node.hardware))


def steps(house: House) -> Iterator[CreateVm]:
    """One for every node."""
    for node in house.vms:
        yield CreateVm(house, node)
