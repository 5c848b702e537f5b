"""A VM that is there held against what the settings say of it: what differs, and what it has that a rebuild would not give it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.proxmox.results import Vm
from house.files.grammar import DISK_SLOT
from house.first.hardware import lines
from house.known.inventory import VmRecord
from house.model import Node
from house.values.hardware import Hardware, unsaid

OWN_TAGS = ("talos", "blackstart")
"""What every VM of ours is tagged with."""
_SAID = ("cpu", "sockets", "numa", "machine", "firmware", "scsi", "tpm")


@dataclass(frozen=True)
class Lost:
    """What a rebuild of one VM would lose: `add` are lines for its node in the settings, `by_hand` what no setting can say."""

    node: str
    add: tuple[str, ...]
    by_hand: tuple[str, ...]


def storages_of(node: Node) -> tuple[str, ...]:
    """Every storage that the node's VM lies on, each once: disks, UEFI variables, TPM."""
    hardware = node.hardware
    return tuple(dict.fromkeys(filter(None, (*(disk.storage for disk in node.disks), hardware.efi, hardware.tpm))))


def lost(vm: Vm | VmRecord, node: Node) -> Lost:
    """Everything that the VM has, or had, beyond what it would be made with."""
    said = node.hardware
    first = node.disks[0].storage if node.disks else ""
    add = [*lines(vm.hardware, said, own_tags=frozenset(OWN_TAGS), first_storage=first), *_disks(vm, node)]
    return Lost(node.name, tuple(add), vm.odd if isinstance(vm, VmRecord) else by_hand_alone(vm))


def _disks(vm: Vm | VmRecord, node: Node) -> Iterator[str]:
    known = {disk.slot for disk in node.disks}
    for disk in vm.disks:
        if disk.slot not in known and DISK_SLOT.fits(disk.slot):
            size = -(-disk.size >> 30)
            yield f"disks: one more, {{slot: {disk.slot}, size: {size}GiB, storage: {disk.storage}}}"


def by_hand_alone(vm: Vm) -> tuple[str, ...]:
    """What a VM has that no setting can say."""
    return tuple(_by_hand(vm))


def _by_hand(vm: Vm) -> Iterator[str]:
    for name in vm.beyond:
        mapped = name.startswith(("hostpci", "usb"))
        why = "it has no mapping, and by its address only root may pass it" if mapped else "no setting says it"
        yield f"{name} ({why}; see it with `qm config {vm.vm_id}`)"
    if odd := [disk.slot for disk in vm.disks if not DISK_SLOT.fits(disk.slot)]:
        yield f"{', '.join(odd)} (only scsi and virtio disks are made)"
    if vm.ha:
        yield f"HA, {vm.ha} (afterwards: `ha-manager add vm:{vm.vm_id}`)"


def hardware_differences(seen: Hardware, said: Hardware) -> tuple[str, ...]:
    """Key paths of what the settings say outright and the VM is not: it is never changed, so a person decides."""
    wanted = said.filled()
    found = [name for name in _SAID if not unsaid(getattr(said, name)) and getattr(seen, name) != getattr(wanted, name)]
    for name in ("vlan", "mtu"):
        if getattr(said.card, name) not in (0, getattr(seen.card, name)):
            found.append(f"net0.{name}")
    there = {card.mac: card for card in seen.cards}
    for place, card in enumerate(said.cards, start=1):
        if (other := there.get(card.mac)) is None:
            found.append(f"net{place}")
        elif (other.bridge, other.vlan, other.mtu) != (card.bridge, card.vlan, card.mtu):
            found.append(f"net{place}.bridge, vlan or mtu")
    for name in ("pci", "usb"):
        mapped = {one.mapping for one in getattr(seen, name)}
        found += [f"{name}.{one.mapping}" for one in getattr(said, name) if one.mapping not in mapped]
    return tuple(found)
