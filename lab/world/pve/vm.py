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
    """A drive to make. `size` in bytes (an import takes its image's); `options` as PVE writes them, `file` and `size` left out.

    `volume`: one that is there already (`none`, an ISO, a disk) instead of one to make; `cloudinit`: the drive that carries the
    guest's first settings. `form`: raw, qcow2, … ("" for what the storage likes best).
    """

    slot: str
    storage: str
    size: int
    import_from: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    volume: str = ""
    cloudinit: bool = False
    form: str = ""

    @property
    def cdrom(self) -> bool:
        """Whether it is a CD drive."""
        return self.cloudinit or self.options.get("media") == "cdrom"


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

    `old_size`: bytes that the configuration still says after a grow that did not come to write it, -1 otherwise. `sized` False:
    the configuration says none (a cloud-init drive, an unused disk).
    """

    volume: LabVolume | None
    options: dict[str, str] = field(default_factory=dict)
    fixed: str = ""
    old_size: int = -1
    sized: bool = True

    @property
    def told_size(self) -> int:
        """Bytes, as the configuration says."""
        return self.old_size if self.old_size >= 0 else self.volume.size if self.volume is not None else 0

    def text(self) -> str:
        """As the configuration says it: the volume first, then every option by name."""
        options = dict(self.options)
        if self.volume is not None and self.sized:
            options["size"] = size_text(self.told_size)
        head = self.volume.volume if self.volume is not None else self.fixed or "none"
        return ",".join([head, *(f"{key}={options[key]}" for key in sorted(options))])


# What an option is, or is going to be: plain, a drive, a card.
Entry = str | int | Drive | Nic
_PLAIN = (str, int)  # `str | int` in a call would be made anew by each: a configuration is looked at a thousand times in a run


@dataclass(eq=False)
class LabVm:
    """One VM. `lock` is PVE's configuration lock ("" for none), `ha` its state as an HA resource.

    `pending`: what changes at its next start, None for what goes away then. `paused`: it has power, and stands still.
    """

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
    pending: dict[str, Entry | None] = field(default_factory=dict)
    paused: bool = False

    @property
    def being_made(self) -> bool:
        """Whether its configuration holds no more than that somebody makes it."""
        return self.lock == "create"

    @property
    def name(self) -> str:
        """Its name; PVE calls a nameless one by its id."""
        return str((not self.being_made and self.options.get("name")) or f"VM {self.vm_id}")

    @property
    def tended(self) -> bool:
        """Whether the HA manager is who switches it."""
        return self.ha not in ("", "ignored")

    @property
    def power(self) -> str:
        """`running` or `stopped`."""
        return "running" if self.running else "stopped"

    @property
    def macs(self) -> tuple[str, ...]:
        """MACs of its cards, lower case."""
        return tuple(nic.mac.lower() for nic in self.nics.values())

    @property
    def memory(self) -> int:
        """Bytes."""
        return mebibytes(self.options.get("memory", 512)) << 20

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

    def owns(self, volume: LabVolume) -> bool:
        """Whether a volume is its own, by the id in the name: another's disk may be on one of its slots, and stays another's."""
        return volume.vm_id == self.vm_id

    def entry(self, name: str) -> Entry | None:
        """What an option is now, None when it is not set."""
        if name in self.drives:
            return self.drives[name]
        return self.nics.get(name) or self.options.get(name)

    def set(self, name: str, entry: Entry | None) -> None:
        """Give an option its value at once; None takes it away."""
        for kind in (self.drives, self.nics, self.options):
            kind.pop(name, None)
        if isinstance(entry, Drive):
            self.drives[name] = entry
        elif isinstance(entry, Nic):
            self.nics[name] = entry
        elif entry is not None:
            self.options[name] = entry

    def put(self, name: str, entry: Entry | None, *, force: bool = False) -> list[LabVolume]:
        """Give an option its value. The disk that was there becomes an unused one, or is to be freed: answered here."""
        before = self.drives.get(name)
        self.set(name, entry)
        if isinstance(entry, Drive) and entry.volume is not None:
            for slot in [slot for slot, other in self.drives.items() if slot.startswith("unused") and slot != name]:
                if self.drives[slot].volume is entry.volume:
                    del self.drives[slot]
        if before is None or before.volume is None or (isinstance(entry, Drive) and entry.volume is before.volume):
            return []
        if not self.owns(before.volume):
            return []
        if force or name.startswith("unused") or "-cloudinit" in before.volume.volume:
            return [before.volume]
        self.put_aside(before)
        return []

    def put_aside(self, drive: Drive) -> str:
        """Name a disk of its own that no slot has as unused; answers where, "" when a slot has it."""
        held = any(other.volume is drive.volume for other in self.drives.values())
        if drive.volume is None or held or not self.owns(drive.volume):
            return ""
        slot = next(f"unused{number}" for number in range(256) if f"unused{number}" not in self.drives)
        self.drives[slot] = Drive(drive.volume, sized=False)
        return slot

    def come_true(self) -> list[LabVolume]:
        """What waited for the VM's next start is so; answers the volumes that nothing needs any more."""
        waiting, self.pending = self.pending, {}
        return [volume for name, entry in waiting.items() for volume in self.put(name, entry)]

    def entries(self) -> dict[str, Entry]:
        """Every option as it is now."""
        return {} if self.being_made else {**self.options, **self.drives, **self.nics}

    def config(self, *, pending: bool = False) -> dict[str, str | int]:
        """The configuration as the API answers it, with its digest (SHA-1 of the text, as pve-guest-common makes it).

        `pending`: with what changes at the next start.
        """
        now = {name: said(entry) for name, entry in self.entries().items()}
        later = {name: None if entry is None else said(entry) for name, entry in self.pending.items()}
        if self.lock:
            now["lock"] = self.lock
        text = "".join(f"{key}: {now[key]}\n" for key in sorted(now))
        text += "".join(f"pending {key}: {later[key]}\n" for key in sorted(later))
        merged = {name: value for name, value in (now | later).items() if value is not None} if pending else now
        return {**merged, "digest": hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()}


def mebibytes(memory: str | int) -> int:
    """What the option `memory` says, which is a property string of one key: empty parts count for nothing."""
    return int(next(part for part in str(memory).split(",") if part.strip()).removeprefix("current="))


def said(entry: Entry) -> str | int:
    """An option as the configuration says it."""
    return entry if isinstance(entry, _PLAIN) else entry.text()


def size_text(size: int) -> str:
    """A size as PVE writes it: in the largest unit that divides it."""
    for unit, shift in (("T", 40), ("G", 30), ("M", 20), ("K", 10)):
        if size % (1 << shift) == 0:
            return f"{size >> shift}{unit}"
    return str(size)


def normal_tags(value: str) -> str:
    """Tags as PVE stores them."""
    return ";".join(sorted({tag for tag in value.lower().replace(",", ";").replace(" ", ";").split(";") if tag}))
