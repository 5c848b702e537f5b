"""What a VM is made of beside cores, memory, disks and its first card: as the settings say it, and as Proxmox has it. Values only.

What nothing is said of is "" or None, in the settings; a VM that was read has every value. Knows no notation of Proxmox.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace


@dataclass(frozen=True)
class Card:
    """One network card. `vlan` 0: untagged; `mtu` 0: as ever, 1: the bridge's. The first one's MAC and bridge stand on the node."""

    bridge: str = ""
    mac: str = ""
    model: str = ""
    vlan: int = 0
    mtu: int = 0
    firewall: bool | None = None


@dataclass(frozen=True)
class Passthrough:
    """A device of the host, by the name of its resource mapping; `options` as (name, value) in Proxmox's own words."""

    mapping: str
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Hardware:
    """See the module. `scsi` is the controller; `tpm` and `efi` are storages; `start` is (order, up, down), seconds, -1 unsaid."""

    cpu: str = ""
    sockets: int = 0
    numa: bool | None = None
    machine: str = ""
    firmware: str = ""
    scsi: str = ""
    serial: bool | None = None
    agent: bool | None = None
    tpm: str = ""
    efi: str = ""
    card: Card = Card()
    cards: tuple[Card, ...] = ()
    pci: tuple[Passthrough, ...] = ()
    usb: tuple[Passthrough, ...] = ()
    tags: tuple[str, ...] = ()
    start: tuple[int, int, int] = (-1, -1, -1)
    pool: str = ""

    def filled(self) -> Hardware:
        """With what a VM is made with where nothing is said."""
        own = {field.name: getattr(MADE, field.name) for field in fields(self) if unsaid(getattr(self, field.name))}
        return replace(self, **own, card=_filled(self.card), cards=tuple(map(_filled, self.cards)))


def unsaid(value: object) -> bool:
    """Whether a value of the settings is one of nothing said: no text, no number, neither yes nor no."""
    return value is None or (value in ("", 0) and not isinstance(value, bool))


MADE = Hardware(
    # A model that Talos boots on and that hosts of different age share.
    cpu="x86-64-v2-AES", sockets=1, numa=False, machine="q35", firmware="ovmf", scsi="virtio-scsi-single",
    serial=True,  # the first seconds of a boot are told nowhere else
    agent=False,  # without the extension in the image Proxmox waits for an answer that never comes
)  # fmt: skip
"""What a VM is made with unless the settings say otherwise."""
UNSAID = Hardware()
"""Nothing is said: all is as above."""
MODEL = "virtio"


def _filled(card: Card) -> Card:
    return replace(card, model=card.model or MODEL, firewall=bool(card.firewall))
