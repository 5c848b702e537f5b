"""One simulated VM: configuration, drives, network cards, power. Knows no storage and no task."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from lab.world.disks import LabVolume


class PowerEvent(Enum):
    """What happened to a VM, told to the hooks `on_power`."""

    STARTED = "started"
    STOPPED = "stopped"
    DESTROYED = "destroyed"


@dataclass(frozen=True)
class NewDrive:
    """A drive to make. `size` in bytes (an import takes its image's); `options` as PVE writes them, `file` and `size` left out."""

    slot: str
    storage: str
    size: int
    import_from: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Nic:
    """One network card; the MAC in upper case, as PVE stores it."""

    model: str
    mac: str
    bridge: str
    options: Mapping[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """As the configuration says it: model and MAC first, the rest by name."""
        rest = dict(self.options) | ({"bridge": self.bridge} if self.bridge else {})
        return ",".join([f"{self.model}={self.mac}", *(f"{key}={rest[key]}" for key in sorted(rest))])


@dataclass(frozen=True)
class NewVm:
    """A VM to make. `options` are all other options by PVE's names (description, cores, memory in MiB, boot, …)."""

    vm_id: int
    host: str
    options: Mapping[str, str | int]
    drives: tuple[NewDrive, ...]
    nics: Mapping[str, Nic]
    start: bool = False
    pool: str = ""


@dataclass
class Drive:
    """One drive of a VM. `volume` is None for an empty CD drive; `fixed` is a file that is not the VM's own (an ISO).

    `old_size`: bytes that the configuration still says after a grow that did not come to write it, 0 otherwise.
    """

    volume: LabVolume | None
    options: dict[str, str] = field(default_factory=dict)
    fixed: str = ""
    old_size: int = 0

    @property
    def told_size(self) -> int:
        """Bytes, as the configuration says."""
        return self.old_size or (self.volume.size if self.volume is not None else 0)

    def text(self) -> str:
        """As the configuration says it: the volume first, then every option by name."""
        options = dict(self.options)
        if self.volume is not None:
            options["size"] = size_text(self.told_size)
        head = self.volume.volume if self.volume is not None else self.fixed or "none"
        return ",".join([head, *(f"{key}={options[key]}" for key in sorted(options))])


@dataclass(eq=False)
class LabVm:
    """One VM. `lock` is PVE's configuration lock ("" for none), `ha` its state as an HA resource."""

    vm_id: int
    host: str
    options: dict[str, str | int]
    drives: dict[str, Drive]
    nics: dict[str, Nic]
    lock: str = ""
    running: bool = False
    started_at: float = 0.0
    pool: str = ""
    ha: str = ""

    @property
    def name(self) -> str:
        """Its name; PVE calls a nameless one by its id."""
        return str(self.options.get("name") or f"VM{self.vm_id}")

    @property
    def macs(self) -> tuple[str, ...]:
        """MACs of its cards, lower case."""
        return tuple(nic.mac.lower() for nic in self.nics.values())

    @property
    def memory(self) -> int:
        """Bytes."""
        return int(str(self.options.get("memory", 512)).removeprefix("current=")) << 20

    @property
    def cores(self) -> int:
        """Virtual CPUs."""
        return int(self.options.get("cores", 1)) * int(self.options.get("sockets", 1))

    @property
    def tags(self) -> str:
        """As PVE stores them: lower case, sorted, each once, joined with `;`."""
        return str(self.options.get("tags", ""))

    def guest_disks(self) -> tuple[tuple[str, LabVolume], ...]:
        """(slot, volume) of the disks a guest sees, in its order; neither firmware variables nor CD drives."""
        disks = []
        for slot, drive in self.drives.items():
            kind = slot.rstrip("0123456789")
            if (
                kind in ("scsi", "virtio", "sata", "ide")
                and drive.volume is not None
                and drive.options.get("media") != "cdrom"
            ):
                disks.append((kind, int(slot[len(kind) :]), slot, drive.volume))
        return tuple((slot, volume) for _, _, slot, volume in sorted(disks, key=lambda disk: disk[:2]))

    def config(self) -> dict[str, str | int]:
        """The configuration as the API answers it, with its digest (SHA-1 of the text, as pve-guest-common makes it)."""
        config = dict(self.options)
        config |= {slot: drive.text() for slot, drive in self.drives.items()}
        config |= {slot: nic.text() for slot, nic in self.nics.items()}
        if self.lock:
            config["lock"] = self.lock
        text = "".join(f"{key}: {config[key]}\n" for key in sorted(config))
        config["digest"] = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        return config


def size_text(size: int) -> str:
    """A size as PVE writes it: in the largest unit that divides it."""
    for unit, shift in (("T", 40), ("G", 30), ("M", 20), ("K", 10)):
        if size and size % (1 << shift) == 0:
            return f"{size >> shift}{unit}"
    return str(size)


def normal_tags(value: str) -> str:
    """Tags as PVE stores them."""
    return ";".join(sorted({tag for tag in value.lower().replace(",", ";").replace(" ", ";").split(";") if tag}))
