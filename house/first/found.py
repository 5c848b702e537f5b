"""What a Proxmox told of a house's machines, for a first settings file. Values only: nobody is asked here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from house.known.inventory import ImageRecord
from house.values.hardware import Hardware


@dataclass(frozen=True)
class FoundDisk:
    """One disk of a VM; bytes."""

    slot: str
    storage: str
    size: int


@dataclass(frozen=True)
class FoundVm:
    """The VM that has a node's MAC. Memory in bytes; `odd` names what no setting can say. `gone`: an inventory knows it, and it is
    to be made anew."""

    name: str
    host: str
    vm_id: int
    cores: int
    memory: int
    bridge: str
    disks: tuple[FoundDisk, ...]
    hardware: Hardware
    odd: tuple[str, ...] = ()
    gone: bool = False


@dataclass(frozen=True)
class FoundProxmox:
    """One answer: how it was reached, its hosts, the VM of each MAC, ids that are taken, the storage that takes images on every
    host ("" where none was seen), and the command that makes one do so where none does ("" where one does).

    `twice` are MACs that several VMs have, with what these are called: `vms` has none of them. `unread` are VMs whose MACs nobody
    could be asked for, as `VM 105 (cp-2) on pve-2`: whether one is a node's is not known.

    Of an inventory (`since`, its date) how it was reached is not known (`url` ""); `image` is what its
    machines were made of.
    """

    url: str
    fingerprint: str
    token_id: str
    hosts: tuple[str, ...]
    vms: Mapping[str, FoundVm]
    taken: frozenset[int]
    image_storage: str
    enable_import: str = ""
    twice: Mapping[str, str] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    image: ImageRecord | None = None
    since: str = ""
