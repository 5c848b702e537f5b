"""Takes the inventory of a living house, and says how a known one differs from it. Looks only; writes no file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from adapters.context import LookContext
from adapters.ports import ProxmoxView
from adapters.proxmox.results import Vm
from cluster.hold.holding import still_held
from cluster.machines.differing import by_hand_alone
from engine.errors import BlackstartError, TransientError
from house.known.inventory import (
    CephRecord,
    DiskRecord,
    HouseRecord,
    ImageRecord,
    Inventory,
    LonghornRecord,
    Machines,
    Stores,
    VmRecord,
    VolumeRecord,
    dated,
    seen_on,
)
from house.model import House

_T = TypeVar("_T")


@dataclass(frozen=True)
class Taken:
    """What was looked at: None in it for what could not be, and `silent` says why, by section (`machines`, `cluster`). `waiting`
    are claims by key that are held, and so wait for their data."""

    seen: Inventory
    silent: Mapping[str, str]
    waiting: frozenset[str] = frozenset()

    def with_lost(self, known: Inventory | None) -> Inventory:
        """What was seen, and what was known of volumes of claims that wait and have none: such a volume may have outlived its
        cluster, and whoever wrote the file without it would have nobody left who knows where it lies."""
        cluster = self.seen.cluster
        if cluster is None or known is None or known.cluster is None:
            return self.seen
        lost = self.waiting - {one.claim for one in cluster.volumes}
        if not lost:
            return self.seen
        # With the Ceph that each was seen on: its namespace may be another Ceph's by now.
        before = (one for one in seen_on(known.cluster).volumes if one.claim in lost)
        volumes = sorted((*cluster.volumes, *before), key=lambda one: (one.claim, one.name))
        there = {one.name for one in cluster.longhorn}
        longhorn = (one for one in known.cluster.longhorn if one.claim in lost and one.name not in there)
        whole = replace(cluster, volumes=tuple(volumes), longhorn=(*cluster.longhorn, *longhorn))
        return replace(self.seen, cluster=whole)

    def kept(self, known: Inventory | None) -> Inventory:
        """With what was known of the sections that could not be looked at, each with its own date, and of a Ceph that does not say
        its id now."""
        if known is None:
            return self.seen
        seen = self.with_lost(known)
        machines, cluster = seen.machines or known.machines, seen.cluster or known.cluster
        if machines is not None and known.machines is not None:
            machines = replace(machines, ceph=_with_ids(machines.ceph, known.machines.ceph))
        if cluster is not None and known.cluster is not None:
            volumes = _with_fsids(cluster.volumes, known.cluster)
            cluster = replace(cluster, ceph=_with_ids(cluster.ceph, known.cluster.ceph), volumes=volumes)
        return replace(self.seen, machines=machines, cluster=cluster)


def take(look: LookContext, house: House) -> Taken:
    """Look at all of it. A section that could not be looked at whole is not taken: half of one would be believed."""
    now, silent = look.clock.now(), dict[str, str]()

    def tried(section: str, body: Callable[[], _T]) -> _T | None:
        try:
            return body()
        except BlackstartError as error:
            silent[section] = error.what
            return None

    machines = tried("machines", lambda: machines_of(look.proxmox, house, now))
    cluster = tried("cluster", lambda: seen_on(replace(look.inventory.look(), date=dated(now))))
    image = house.image
    made_of = ImageRecord(image.url, image.storage, image.sha256) if image.url else ImageRecord(volume=image.volume)
    held = tried("cluster", lambda: still_held(look.hold.record().claims)) if cluster is not None else ()
    waiting = frozenset(one.key for one in held or ())
    seen = Inventory(HouseRecord(house.id, house.name), made_of, machines, cluster if held is not None else None)
    return Taken(seen, silent, waiting)


def machines_of(proxmox: ProxmoxView, house: House, now: float) -> Machines:
    """Hosts, and the VM of each node and NAS. TransientError where one cannot be read, or a node has none."""
    told, vms = proxmox.cluster(), proxmox.vms()
    tokens = {house.owner_token(node): node.name for node in house.vms}
    macs = {node.mac: node.name for node in house.vms if node.mac}
    boxes = {box.vm for box in house.nas if box.vm}
    ids = {node.vm_id for node in house.vms} | boxes
    if blind := [vm for vm in vms if not vm.readable and vm.vm_id in ids]:
        raise TransientError(f"VM {blind[0].vm_id} on {blind[0].host} cannot be read: its host does not answer")
    found = []
    for vm in vms:
        node = tokens.get(vm.token) or next((macs[mac] for mac in vm.macs if mac in macs), "")
        if node or vm.vm_id in boxes:
            found.append(record_of(vm, node))
    there = {vm.node for vm in found}
    if lost := [node.name for node in house.vms if node.name not in there]:
        raise TransientError(f"no VM is the node {lost[0]}: an inventory is taken of a house that is whole")
    hosts = tuple(sorted((*told.online, *told.offline)))
    hosted = proxmox.ceph()
    ceph = (CephRecord("", "proxmox", hosted.status.fsid),) if hosted is not None else ()
    return Machines(dated(now), hosts, tuple(sorted(found, key=lambda vm: vm.vm_id)), ceph)


def record_of(vm: Vm, node: str = "") -> VmRecord:
    """What is written down of one VM."""
    disks = tuple(DiskRecord(disk.slot, disk.storage, disk.size, disk.volume) for disk in vm.disks)
    bridge = vm.hardware.card.bridge or next(iter(vm.bridges), "")
    return VmRecord(
        vm.vm_id, vm.name, vm.host, vm.macs, vm.cores, vm.memory, node, bridge, disks, vm.hardware, vm.passed, by_hand_alone(vm)
    )


def differences(known: Inventory, seen: Inventory) -> tuple[str, ...]:
    """What is not as the inventory has it, in words, of the sections that both have."""
    told: list[str] = []
    if known.image != seen.image:
        told.append(f"the image: {'another than in the settings' if known.image is not None else 'never written down'}")
    if known.machines is not None and seen.machines is not None:
        told += _between(known.machines.vms, seen.machines.vms, lambda vm: f"VM {vm.vm_id}", _vm_words)
        gone = set(known.machines.hosts) ^ set(seen.machines.hosts)
        told += _between(known.machines.ceph, seen.machines.ceph, _ceph_name, _ceph_words)
        told += [f"host {name}: {'new' if name in seen.machines.hosts else 'gone'}" for name in sorted(gone)]
    if known.cluster is not None and seen.cluster is not None:
        volumes = _with_fsids(seen.cluster.volumes, known.cluster)
        told += _between(known.cluster.volumes, volumes, lambda one: f"volume {one.name}", _volume_words)
        told += _between(known.cluster.ceph, seen.cluster.ceph, _ceph_name, _ceph_words)
        told += _between(known.cluster.longhorn, seen.cluster.longhorn, lambda one: f"Longhorn's {one.name}", _longhorn_words)
    return tuple(told)


def _between(
    known: Iterable[_T], seen: Iterable[_T], name: Callable[[_T], str], words: Callable[[_T, _T], str]
) -> Iterator[str]:
    before, now = {name(one): one for one in known}, {name(one): one for one in seen}
    for key in sorted(before.keys() | now.keys()):
        if key not in now:
            yield f"{key}: gone"
        elif key not in before:
            yield f"{key}: new"
        elif before[key] != now[key]:
            yield f"{key}: {words(before[key], now[key])}"


def _vm_words(old: VmRecord, new: VmRecord) -> str:
    parts = ("name", "host", "macs", "cores", "memory", "node", "bridge", "disks", "hardware", "passed", "odd")
    return f"another {', '.join(part for part in parts if getattr(old, part) != getattr(new, part))}"


def _volume_words(old: VolumeRecord, new: VolumeRecord) -> str:
    if old.claim != new.claim:
        return f"now of {new.claim or 'no claim'}, not {old.claim or 'of none'}"
    if replace(old, fsid=new.fsid) == new:
        return f"on another Ceph, {new.fsid}" if old.fsid else "on which Ceph it lies was not written down"
    return "another place, size or way to it"


def _ceph_name(one: CephRecord) -> str:
    return f"Ceph {one.namespace}/{one.name}" if one.namespace else "Ceph of the hosts"


def _with_fsids(seen: Iterable[VolumeRecord], known: Stores) -> tuple[VolumeRecord, ...]:
    """What was known of where each lies, for as long as its Ceph does not say its id."""
    before = {(one.name, one.handle): one.fsid for one in known.volumes}
    return tuple(replace(one, fsid=one.fsid or before.get((one.name, one.handle), "")) for one in seen)


def _with_ids(seen: Iterable[CephRecord], known: Iterable[CephRecord]) -> tuple[CephRecord, ...]:
    ids = {_ceph_name(one): one.fsid for one in known}
    return tuple(replace(one, fsid=one.fsid or ids.get(_ceph_name(one), "")) for one in seen)


def _ceph_words(old: CephRecord, new: CephRecord) -> str:
    if old.fsid == new.fsid:
        return "other monitors"
    if old.fsid and new.fsid:
        return "another fsid: it was made anew"
    return f"its fsid {'is not told now' if old.fsid else 'was not told then'}"


def _longhorn_words(old: LonghornRecord, new: LonghornRecord) -> str:
    return "replicas elsewhere" if old.replicas != new.replicas else "another claim or size"
