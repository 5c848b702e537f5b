"""Whether each host has the memory, and each storage the content types and the space, for what is still to be made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from adapters.context import LookContext
from adapters.proxmox.results import PowerState
from cluster.machines.differing import storages_of
from cluster.machines.vms import find_vm
from cluster.storage.nas.starting import to_start
from engine.probe import Probe, Risk, missing, satisfied, unknown
from engine.step import BaseCheck, StepId
from engine.text.words import number
from house.model import House, Node
from house.values.nas import Nas

_THICK = frozenset({"lvm", "iscsi", "iscsidirect"})
"""Kinds of storages on which a disk takes all of its size at once."""
_HINT = (
    "give the VMs less, or end what else runs there; memory that a file-system cache holds is given back (ZFS: zfs_arc_max), and a "
    "thin pool fills by what is written: where you know better, consent to it"
)


@dataclass(frozen=True)
class Tight(Risk):
    """VMs are made and started although by Proxmox' numbers their host lacks room for them: by the host and the nodes."""

    host: str
    nodes: tuple[str, ...]
    words: str = field(default="", compare=False)

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True)
class Room(BaseCheck):
    """One host: memory for what does not run yet (a NAS that this run starts is one of them), storages and their content types.
    What exists needs no more space. How much is free is an estimate, so that a person may consent to too little of it; a storage
    that is not there, or takes no such content, is none."""

    house: House
    host: str

    @property
    def id(self) -> StepId:
        return StepId(f"preflight.room/{self.host}")

    @property
    def title(self) -> str:
        return f"{self.host} has memory and space"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"preflight.host/{self.host}",)

    def probe(self, look: LookContext) -> Probe:
        here = [(node, find_vm(look.proxmox, self.house, node)) for node in self.house.vms if node.host == self.host]
        to_make = [node for node, vm in here if vm is None]
        off = [node for node, vm in here if vm is None or vm.power is PowerState.STOPPED]
        problems, tight = list[str](), list[str]()
        status = next((h for h in look.proxmox.hosts() if h.name == self.host), None)
        if status is None:
            return missing(f"no host {self.host}")
        boxes = _boxes(look, self.house, self.host) if off else {}
        memory = sum(node.memory for node in off) + sum(boxes.values())
        if memory > status.memory_free:
            of_it = "".join(f", {_gib(size)} of it by NAS {name}" for name, size in boxes.items())
            tight.append(f"memory: {_gib(memory)} wanted{of_it}, {_gib(status.memory_free)} free")
        storages = {s.name: s for s in look.proxmox.storages(self.host)}
        used = {name for node in self.house.vms if node.host == self.host for name in storages_of(node)}
        used |= {self.house.image_of(node).storage for node, _ in here}
        silent = {name for name in used if name in storages and not storages[name].active}
        problems += [f"storage {name}: not active" for name in sorted(silent)]
        wanted = self._space(look, to_make, frozenset(name for name, storage in storages.items() if storage.shared))
        small = (name for node in to_make for name in storages_of(node))  # UEFI variables and TPMs take a few MiB
        contents = [(name, "images") for name in dict.fromkeys((*wanted, *small))]
        images = dict.fromkeys(map(self.house.image_of, to_make))
        contents += dict.fromkeys((image.storage, "iso" if image.iso else "import") for image in images)
        for name, content in contents:
            storage = storages.get(name)
            if storage is None:
                problems.append(f"storage {name}: not on this host")
            elif name in silent:
                continue
            elif content not in storage.content:
                enabled = ",".join(sorted(storage.content | {content}))
                problems.append(f"storage {name}: content type '{content}' is not enabled: pvesm set {name} --content {enabled}")
            elif wanted[name] > storage.available:
                told = problems if storage.kind in _THICK else tight
                told.append(f"storage {name}: {_gib(wanted[name])} wanted, {_gib(storage.available)} free")
        if problems:
            return missing(f"{self.host} lacks room", *tight, *problems)
        if tight:
            nodes = tuple(node.name for node in off)
            words = f"{', '.join(nodes)} may not start on {self.host}, or fill its storage: {'; '.join(tight)}"
            return missing(f"{self.host} lacks room", *tight, hint=_HINT, identity=Tight(self.host, nodes, words))
        return satisfied(f"{number(len(to_make), 'VM')} to make, and room" if to_make else "nothing to make")

    def _space(self, look: LookContext, to_make: list[Node], shared: frozenset[str]) -> Counter[str]:
        """Bytes that are wanted of each storage this host's VMs need; of a shared one also what other hosts' VMs will take."""
        wanted: Counter[str] = Counter()
        for disk in (disk for node in to_make for disk in node.disks):
            wanted[disk.storage] += disk.size
        if shared & set(wanted):
            there = {vm.vm_id for vm in look.proxmox.vms()}  # whose VMs those are is for their own hosts' checks
            others = [node for node in self.house.vms if node.host != self.host and node.vm_id not in there]
            for disk in (disk for node in others for disk in node.disks if disk.storage in shared & set(wanted)):
                wanted[disk.storage] += disk.size
        return wanted

    def by_hand(self) -> str:
        wanted = ", ".join(f"{node.name} {_gib(node.memory)}" for node in self.house.vms if node.host == self.host)
        return f"free -h; pvesm status   # on {self.host}: memory for {wanted}, and space on their storages"


@dataclass(frozen=True)
class BoxRoom(BaseCheck):
    """Memory for the VM of a NAS where no host's row counts it: on a host of no node, or of nodes that all run."""

    house: House
    nas: Nas

    @property
    def id(self) -> StepId:
        return StepId(f"preflight.room/nas.{self.nas.name}")

    @property
    def title(self) -> str:
        return f"its host has memory for NAS {self.nas.name}"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"nas.may-start/{self.nas.name}",)

    def probe(self, look: LookContext) -> Probe:
        vms = {vm.vm_id: vm for vm in look.proxmox.vms()}
        vm = vms.get(self.nas.vm)
        if vm is None:
            return unknown(f"Proxmox shows no VM {self.nas.vm}")
        if vm.power is not PowerState.STOPPED:
            return satisfied(f"VM {vm.vm_id} on {vm.host} is not off")
        here = [vms.get(node.vm_id) for node in self.house.vms if node.host == vm.host]
        if any(one is None or one.power is PowerState.STOPPED for one in here):
            return satisfied(f"it is counted with the nodes of {vm.host}")
        status = next((host for host in look.proxmox.hosts() if host.name == vm.host), None)
        if status is None:
            return unknown(f"how much memory {vm.host} has free is not known: it does not answer", hint="bring that host back")
        together = _boxes(look, self.house, vm.host) | {self.nas.name: vm.memory}
        if sum(together.values()) > status.memory_free:
            of_them = ", ".join(f"{_gib(size)} wanted by NAS {name}" for name, size in together.items())
            told = f"memory: {of_them}, {_gib(status.memory_free)} free"
            return missing(f"{vm.host} lacks room", told, hint=f"end what else runs there, or give VM {vm.vm_id} less")
        return satisfied(f"{_gib(vm.memory)} on {vm.host}, of {_gib(status.memory_free)} free")

    def by_hand(self) -> str:
        return f"qm config {self.nas.vm} | grep memory; free -h   # on its host"


def boxes(house: House, wanted: Iterable[Nas]) -> Iterator[BoxRoom]:
    """One for each NAS of these."""
    for nas in wanted:
        yield BoxRoom(house, nas)


def _boxes(look: LookContext, house: House, host: str) -> dict[str, int]:
    """Each NAS that is a VM of this host, is off and is started by a run → bytes of memory."""
    vms = {vm.vm_id: vm for vm in look.proxmox.vms() if vm.host == host and vm.power is PowerState.STOPPED}
    wanted = to_start(house, house.claims, mounts=True)
    return {nas.name: vms[nas.vm].memory for nas in wanted if nas.vm in vms}


def _gib(size: int) -> str:
    return f"{size / (1 << 30):.1f} GiB"


def checks(house: House) -> Iterator[Room]:
    """One for every host that a node's VM is on."""
    for host in sorted({node.host for node in house.vms}):
        yield Room(house, host)
