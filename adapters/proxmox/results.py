"""What the Proxmox port answers and takes, in our words. Knows nothing of proxmoxer or HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from engine.text.ages import ago
from house.values.hardware import UNSAID, Hardware


@dataclass(frozen=True)
class ProxmoxCluster:
    """Cluster membership as one endpoint sees it. A single host without a cluster has quorum and `name` "".

    `silent` are hosts that are online and whose status daemon says nothing: they work, and their figures are old. `asked` is the
    host whose endpoint this is, "" where it does not say.
    """

    name: str
    quorate: bool
    online: tuple[str, ...]
    offline: tuple[str, ...]
    version: str
    silent: tuple[str, ...] = ()
    asked: str = ""


@dataclass(frozen=True)
class HostStatus:
    """One Proxmox host; bytes, seconds since the epoch."""

    name: str
    memory_total: int
    memory_free: int
    cpus: int
    clock: float


@dataclass(frozen=True)
class Storage:
    """One storage as seen from one host; sizes in bytes."""

    name: str
    host: str
    kind: str
    content: frozenset[str]
    shared: bool
    active: bool
    available: int
    total: int


class PowerState(Enum):
    RUNNING = "running"
    STOPPED = "stopped"
    OTHER = "other"


@dataclass(frozen=True)
class VmDisk:
    """One disk slot of a VM: `slot` as scsi0, size in bytes, `volume` the storage's volume id."""

    slot: str
    storage: str
    volume: str
    size: int


@dataclass(frozen=True)
class Vm:
    """A VM of the Proxmox cluster. `token` is the owner token read from its description, "" when it carries none.

    `lock` is what Proxmox says holds it ("" for none). MACs are lower case. Memory in bytes. `readable` is False when its
    host does not answer: then only id, name, host and tags are known, and an empty token says nothing. `passed` are devices of the
    host that it is given, as `scsi1 /dev/disk/by-id/ata-…` or `hostpci0 0000:01:00`. `beyond` names the options that Hardware has
    no word for; `ha` is its state as an HA resource, "" for none.
    """

    vm_id: int
    name: str
    host: str
    power: PowerState
    token: str
    lock: str
    cores: int
    memory: int
    macs: tuple[str, ...]
    bridges: tuple[str, ...]
    disks: tuple[VmDisk, ...]
    agent: bool
    tags: tuple[str, ...]
    digest: str
    readable: bool = True
    passed: tuple[str, ...] = ()
    hardware: Hardware = UNSAID
    beyond: tuple[str, ...] = ()
    ha: str = ""


@dataclass(frozen=True)
class DiskSpec:
    """A disk to make: `import_from` is a volume id of an image to import, "" for an empty disk. Size in bytes."""

    slot: str
    storage: str
    size: int
    import_from: str = ""


@dataclass(frozen=True)
class VmSpec:
    """A VM to make. The owner token goes into the description, where `Vm.token` finds it again. `cores`: of all sockets.

    `iso` is the volume id of an ISO that it starts from while nothing is on its disk; `boot` the slot of that disk, by default the
    one that is imported, else the first.
    """

    vm_id: int
    name: str
    host: str
    token: str
    cores: int
    memory: int
    mac: str
    bridge: str
    disks: tuple[DiskSpec, ...]
    tags: tuple[str, ...] = ()
    hardware: Hardware = UNSAID
    iso: str = ""
    boot: str = ""


VM_GOES_OFF_S = 600.0
"""For how long Proxmox waits for a guest that it was told to shut down: a NAS writes out what it holds, and ends its own guests."""
EVERY = frozenset({"/vms", "/nodes", "/storage", "/pool"})
"""Paths that stand for all that is below them: a privilege that is held there alone is held on nothing."""


@dataclass(frozen=True)
class VmBackup:
    """One backup of a VM: its volume id, when it was made (epoch seconds, None where nobody says), bytes, and what its server says
    of having verified it ("" for nothing)."""

    volume: str
    made: float | None
    size: int
    verified: str = ""


@dataclass(frozen=True)
class VmBackups:
    """Backups of one VM, the oldest first; which storages were `listed`, and which were not and why, in words (`unseen`)."""

    found: tuple[VmBackup, ...]
    listed: tuple[str, ...]
    unseen: tuple[str, ...] = ()


@dataclass(frozen=True)
class StoredImage:
    """A volume on a storage (content import, iso, or images for a VM's disk): volume id and size in bytes."""

    volume: str
    size: int
    content: str


@dataclass(frozen=True)
class TaskRef:
    """A Proxmox task, by its UPID; `host` is where it runs."""

    upid: str
    host: str


@dataclass(frozen=True)
class TaskStatus:
    """A task's state. `ok` means: ended with exit status OK (also "WARNINGS: n", named in `exit_status`)."""

    ref: TaskRef
    running: bool
    ok: bool
    exit_status: str
    log_tail: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunningTask:
    """A task that Proxmox lists as active: what it does (qmcreate, imgcopy, download…) and to which id."""

    ref: TaskRef
    kind: str
    target: str


class Whose(Enum):
    """Whose a reservation is: this run's; a run's of this machine whose process is gone; any other, of which nothing is known."""

    OURS = "ours"
    DEAD = "dead"
    ANOTHER = "another"


@dataclass(frozen=True)
class Reservation:
    """Somebody has reserved the house's hosts.

    `owner` in the words it was made with; `since` in seconds since the epoch by its machine's clock, 0.0 where it does not say;
    `holder` is the machine and state folder, as a Lease names them, "" where it does not say.
    """

    owner: str
    whose: Whose
    since: float
    holder: str = ""

    def told(self, now: float) -> str:
        """Who, and for how long by then (seconds since the epoch): the clocks of two machines may differ."""
        when = f", {ago(self.since, now)} by that machine's clock" if self.since else ""
        return f"reserved by {self.owner or 'somebody who did not say who'}{when}"
