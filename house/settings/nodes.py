"""The parts of blackstart.yaml that say where nodes live: as VMs, with what they are made of, or as machines of metal."""

from __future__ import annotations

from pydantic import Field, model_validator

from house.settings.hardware import HardwareSection
from house.settings.section import Section
from house.settings.section import what as _what
from house.settings.values import (
    BridgeName,
    DiskSize,
    Fate,
    HostName,
    ImageUrl,
    ImageVolume,
    Mac,
    MemorySize,
    Schematic,
    Sha256,
    SlotName,
    StorageName,
    wrong,
)


class DiskSection(Section):
    """One disk of a VM; the order of the list is the order in which the guest sees the disks."""

    size: DiskSize = _what("the disk's size", "20GiB")
    storage: StorageName | None = _what("the Proxmox storage it lies on", "local-lvm", None)
    fate: Fate | None = _what("keep: one that outlived its VM stops the run; create: a new one is made beside it", "keep", None)
    slot: SlotName | None = _what("the disk's slot, scsi<place in the list> when left out", "scsi1", None)


class NodeDefaultsSection(HardwareSection):
    """What nodes have in common; each node may say otherwise."""

    storage: StorageName | None = _what("the storage of its disks", "local-lvm", None)
    bridge: BridgeName | None = _what("the bridge its network card is on", "vmbr0", None)
    cores: int | None = Field(default=None, description="how many cores the VM has", examples=[4], ge=1, le=256)
    memory: MemorySize | None = _what("how much memory the VM has", "8GiB", None)
    disks: list[DiskSection] | None = Field(
        default=None, description="the VM's disks, in order", examples=["[{size: 20GiB}]"], min_length=1
    )


class NodeImageSection(Section):
    """The image that this node's VM alone is made of; what is left out is as in `image`."""

    url: ImageUrl | None = _what("the image's URL", "https://factory.talos.dev/image/…/nocloud-amd64.qcow2", None)
    schematic: Schematic | None = _what("the schematic id at the factory of `image`", "376567988ad3…", None)
    sha256: Sha256 | None = _what("the image's SHA-256 checksum", "64 hex digits", None)
    storage: StorageName | None = _what("the Proxmox storage that it is put on", "local", None)
    volume: ImageVolume | None = _what("an image or an ISO that a person has put there", "local:iso/metal-amd64.iso", None)

    @model_validator(mode="after")
    def _one_way_to_get_it(self) -> NodeImageSection:
        said = [name for name in ("url", "schematic", "volume") if getattr(self, name) is not None]
        if len(said) != 1:
            raise wrong(f"has {' and '.join(said) or 'none of url, schematic and volume'}", "give one of them")
        if self.volume is not None and (self.sha256 or self.storage):
            raise wrong("has volume and sha256 or storage", "leave them out: what a volume names is there already")
        return self


class NodeSection(NodeDefaultsSection):
    """Where one node of talconfig.yaml lives: a VM on a host, or a machine of metal."""

    metal: bool = _what("whether it is a machine of its own and no VM: never made, its power is a person's", True, False)
    host: HostName | None = _what("the Proxmox host it runs on", "pve-1", None)
    vm_id: int | None = Field(default=None, description="the VM's id on Proxmox", examples=[8001], ge=100, le=999_999_999)
    mac: Mac | None = _what("its MAC address, when talconfig.yaml does not say", "bc:24:11:00:00:01", None)
    image: NodeImageSection | None = _what("the image of this node's VM, where it is not that of all", "{schematic: …}", None)

    @model_validator(mode="after")
    def _of_metal_alone(self) -> NodeSection:
        said = [key for key in self.model_fields_set if key not in ("metal", "mac") and getattr(self, key) is not None]
        if self.metal and said:
            raise wrong(f"is metal and has {min(said)}", "leave it out: that is said of VMs")
        return self
