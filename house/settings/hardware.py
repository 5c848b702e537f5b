"""The parts of a node in blackstart.yaml that say what its VM is made of, beside cores, memory and disks. Knows no Proxmox call."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from house.settings.section import Section
from house.settings.section import what as _what
from house.settings.values import BridgeName, CpuModel, Mac, MachineType, MappingName, PoolName, StorageName, Tag
from house.values.hardware import Card, Hardware, Passthrough

Model = Literal["virtio", "e1000", "e1000e", "vmxnet3", "rtl8139"]
_VLAN = Field(default=None, description="the VLAN that the card is in", examples=[20], ge=1, le=4094)
_MTU = Field(default=None, description="the card's MTU; 1 is the bridge's own", examples=[9000], ge=1, le=65520)


class CardSection(Section):
    """One more network card."""

    bridge: BridgeName = _what("the bridge that the card is on", "vmbr1")
    mac: Mac = _what("the card's MAC address", "bc:24:11:00:01:01")
    vlan: int | None = _VLAN
    mtu: int | None = _MTU
    model: Model | None = _what("the card's model", "virtio", None)
    firewall: bool | None = _what("whether Proxmox's firewall filters it", False, None)

    def noun(self) -> Card:
        """As a value."""
        return Card(self.bridge, self.mac, self.model or "", self.vlan or 0, self.mtu or 0, self.firewall)


class PciSection(Section):
    """One PCI device of the host, by its resource mapping: an API token may not pass one by its address."""

    mapping: MappingName = _what("the device's name under Datacenter > Resource Mappings", "gpu")
    pcie: bool = _what("whether the guest sees it on a PCIe port; needs machine q35", True, True)
    rombar: bool = _what("whether the guest sees its ROM", False, True)
    vga: bool = _what("whether it is the guest's display", False, False)
    mdev: str | None = Field(default=None, description="the type of a mediated device", examples=["i915-GVTg_V5_4"], min_length=1)

    def noun(self) -> Passthrough:
        """As a value, what Proxmox does unasked left out."""
        said = {"pcie": "1" if self.pcie else "", "rombar": "" if self.rombar else "0", "x-vga": "1" if self.vga else ""}
        said["mdev"] = self.mdev or ""
        return Passthrough(self.mapping, tuple(sorted((name, value) for name, value in said.items() if value)))


class UsbSection(Section):
    """One USB device of the host, by its resource mapping."""

    mapping: MappingName = _what("the device's name under Datacenter > Resource Mappings", "zigbee")
    usb3: bool = _what("whether it is on a USB 3 port", True, False)

    def noun(self) -> Passthrough:
        """As a value."""
        return Passthrough(self.mapping, (("usb3", "1"),) if self.usb3 else ())


class StartSection(Section):
    """When the VM is started and stopped with its host."""

    order: int | None = Field(default=None, description="its place, small numbers first", examples=[10], ge=0, le=100_000)
    up: int | None = Field(default=None, description="seconds until the next one starts", examples=[30], ge=0, le=86400)
    down: int | None = Field(default=None, description="seconds that it is given to stop", examples=[120], ge=0, le=86400)

    def noun(self) -> tuple[int, int, int]:
        """As a value."""
        order, up, down = (-1 if value is None else value for value in (self.order, self.up, self.down))
        return order, up, down


class HardwareSection(Section):
    """What a node's VM is made of; every key has a value of ours where it is left out."""

    cpu: CpuModel | None = _what("the CPU type, x86-64-v2-AES when left out", "host", None)
    sockets: int | None = Field(default=None, description="how many sockets the cores are on", examples=[1], ge=1, le=16)
    numa: bool | None = _what("whether the guest sees NUMA nodes", True, None)
    machine: MachineType | None = _what("the machine type, q35 when left out", "q35", None)
    firmware: Literal["ovmf", "seabios"] | None = _what("the firmware, ovmf (UEFI) when left out", "ovmf", None)
    scsi_controller: Literal["virtio-scsi-single", "virtio-scsi-pci", "lsi", "lsi53c810", "megasas", "pvscsi"] | None = _what(
        "the SCSI controller, virtio-scsi-single when left out", "virtio-scsi-single", None
    )
    serial: bool | None = _what("whether it has a serial console, yes when left out", True, None)
    agent: bool | None = _what("whether the image brings the QEMU guest agent", True, None)
    tpm: StorageName | None = _what("the storage of its TPM's state; it has none when left out", "local-lvm", None)
    efi: StorageName | None = _what("the storage of its UEFI variables, the first disk's when left out", "local-lvm", None)
    vlan: int | None = _VLAN
    mtu: int | None = _MTU
    card: Model | None = _what("the model of its first network card, virtio when left out", "virtio", None)
    firewall: bool | None = _what("whether Proxmox's firewall filters its first card", False, None)
    cards: list[CardSection] | None = _what("further network cards", "[{bridge: vmbr1, mac: …}]", None)
    pci: list[PciSection] | None = _what("PCI devices of the host", "[{mapping: gpu}]", None)
    usb: list[UsbSection] | None = _what("USB devices of the host", "[{mapping: zigbee}]", None)
    tags: list[Tag] | None = _what("its tags on Proxmox, beside ours", ["k8s"], None)
    start: StartSection | None = _what("its place in the host's start order", "{order: 10, up: 30}", None)
    pool: PoolName | None = _what("the resource pool on Proxmox that it is in", "kubernetes", None)


def hardware(own: HardwareSection, common: HardwareSection) -> Hardware:
    """What the node says, else what the nodes have in common; a list is taken whole from one of the two."""
    start = own.start or common.start
    return Hardware(
        cpu=own.cpu or common.cpu or "",
        sockets=own.sockets or common.sockets or 0,
        numa=own.numa if own.numa is not None else common.numa,
        machine=own.machine or common.machine or "",
        firmware=own.firmware or common.firmware or "",
        scsi=own.scsi_controller or common.scsi_controller or "",
        serial=own.serial if own.serial is not None else common.serial,
        agent=own.agent if own.agent is not None else common.agent,
        tpm=own.tpm or common.tpm or "",
        efi=own.efi or common.efi or "",
        card=Card(
            model=own.card or common.card or "", vlan=own.vlan or common.vlan or 0, mtu=own.mtu or common.mtu or 0,
            firewall=own.firewall if own.firewall is not None else common.firewall,
        ),
        cards=tuple(card.noun() for card in (own.cards if own.cards is not None else common.cards) or ()),
        pci=tuple(one.noun() for one in (own.pci if own.pci is not None else common.pci) or ()),
        usb=tuple(one.noun() for one in (own.usb if own.usb is not None else common.usb) or ()),
        tags=tuple((own.tags if own.tags is not None else common.tags) or ()),
        start=start.noun() if start is not None else (-1, -1, -1),
        pool=own.pool or common.pool or "",
    )  # fmt: skip
