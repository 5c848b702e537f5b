"""One machine that Talos runs on: its disks, its phases, its services. Knows nothing of the other machines and of no protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from lab.world.machines.etcd import EtcdCluster, EtcdDir
from lab.world.machines.machineconfig import MachineConfig
from lab.world.world import Timer

TALOS_KEY = "talos"
MEMORY = 8 << 30
"""Bytes of a machine that nobody gave any other."""
_WIPED = ("STATE", "EPHEMERAL")
_UNWIPED = ("META", "EFI", "BIOS", "BOOT")
"""Partitions of a system disk: those that a reset wipes here, and those that Talos wipes besides."""


class Refused(Exception):
    """A machine's answer that is no: gRPC code by its name, and the text that Talos gives."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


class Port(Enum):
    """What port 50000 does."""

    CLOSED = "closed"
    MAINTENANCE = "maintenance"
    SECURE = "secure"


@dataclass(eq=False)
class TalosDisk:
    """What Talos has on a disk: the system (`installed`: it boots without the installer), STATE and EPHEMERAL."""

    version: str
    installed: bool
    config: str = ""
    etcd: EtcdDir | None = None
    snapshot: bytes | None = None


@dataclass(eq=False)
class MachineDisk:
    """One disk as the guest sees it; `data` is what is written on it, and outlives the machine's power.

    `image` names the disk image it was imported from, "" for one that was empty.
    """

    device: str
    size: int
    data: MutableMapping[str, Any]
    image: str = ""

    @property
    def talos(self) -> TalosDisk | None:
        """What Talos has on it, None for a disk without Talos."""
        found = self.data.get(TALOS_KEY)
        return found if isinstance(found, TalosDisk) else None


@dataclass(frozen=True)
class Event:
    """A line of a service's history; `at` in seconds of wall time."""

    state: str
    message: str
    at: float


@dataclass(eq=False)
class Service:
    """A Talos service. `healthy` None: not known (yet)."""

    name: str
    state: str = "Waiting"
    healthy: bool | None = None
    events: list[Event] = field(default_factory=list)

    def turn(self, state: str, message: str, at: float) -> None:
        """Go to a state, and remember that."""
        if state != self.state or not self.events:
            self.events.append(Event(state, message, at))
        self.state = state


@dataclass(eq=False)
class Machine:
    """A machine, known by the MAC of its VM. What is not on a disk is lost with the power."""

    mac: str
    address: str
    disks: tuple[MachineDisk, ...] = ()
    powered: bool = False
    boots: int = 0
    boot_id: str = ""
    port: Port = Port.CLOSED
    stage: str = ""
    config: MachineConfig | None = None
    services: dict[str, Service] = field(default_factory=dict)
    bootstrap_wanted: bool = False
    # With a wish to bootstrap: puts what a snapshot holds into the new cluster.
    recovering: Callable[[EtcdCluster], None] | None = None
    etcd_busy: bool = False
    clock_offset: float = 0.0
    time_synced: bool = True
    timers: list[Timer] = field(default_factory=list)
    dmesg: list[str] = field(default_factory=list)
    # Why it gets nowhere after power on, "" while it boots as it should.
    stuck: str = ""
    iso: bool = False
    memory: int = MEMORY

    @property
    def name(self) -> str:
        """Its hostname, or the one Talos makes up in maintenance."""
        if self.config is not None and self.config.hostname:
            return self.config.hostname
        return "talos-" + self.mac.replace(":", "")[-6:]

    @property
    def control_plane(self) -> bool:
        """Whether it runs with a control plane's configuration."""
        return self.config is not None and self.config.control_plane

    @property
    def system_disk(self) -> MachineDisk | None:
        """The first disk that Talos is on."""
        return next((disk for disk in self.disks if disk.talos is not None), None)

    @property
    def talos_disk(self) -> TalosDisk | None:
        """What Talos has on the system disk."""
        return next((found for disk in self.disks if (found := disk.talos) is not None), None)

    @property
    def etcd_dir(self) -> EtcdDir | None:
        """The etcd data directory, None when it is empty."""
        disk = self.talos_disk
        return disk.etcd if disk is not None else None

    def service_state(self, name: str) -> str:
        """State of one service, "" when this machine does not have it."""
        service = self.services.get(name)
        return service.state if service is not None else ""


def check_wiped(labels: Iterable[str]) -> None:
    """Raise Refused where a reset is to wipe a partition that there is not, or that is not wiped here."""
    for label in labels:
        if label in _UNWIPED:
            raise Refused("Unimplemented", f"wiping {label} is not simulated by the lab")
        if label not in _WIPED:
            raise Refused("Unknown", f'failed to get volume status with label "{label}": resource does not exist')
