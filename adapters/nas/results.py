"""What one look at a NAS found. None is "the answer did not say", `Unheard` is "no usable answer": neither is good news."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar


class Trouble(Enum):
    """Why a whole look found nothing. Each needs another act of a person."""

    UNREACHABLE = "gives no answer"
    CERTIFICATE = "shows a certificate that is not the expected one"
    OTHER = "is no TrueNAS that is known here"
    KEY = "does not take the key"
    EXPIRED = "says that the key is expired"
    DENIED = "gives the user no rights"
    SHUT_OUT = "does not let this machine in"
    STANDBY = "is the standby controller"
    BUSY = "has had too many logins within a minute"
    DROPPED = "broke the connection off"
    TOO_MUCH = "sends more than is taken"
    GARBLED = "answers what cannot be read"
    SLOW = "did not answer in time"
    UNASKED = "cannot be asked: there is no key"


@dataclass(frozen=True)
class NasTrouble:
    """A look that found nothing: which trouble, what was seen, and what usually helps. Holds no secret."""

    trouble: Trouble
    detail: str
    hint: str = ""


@dataclass(frozen=True)
class Unheard:
    """One question without a usable answer. `code` is the server's own name of the error, "" where it gave none."""

    why: str
    code: str = ""


T = TypeVar("T")
Heard = tuple[T, ...] | Unheard


@dataclass(frozen=True)
class Scan:
    """The last scrub or resilver of a pool, whichever came later. Times in epoch seconds."""

    function: str
    state: str
    started: float | None
    ended: float | None
    errors: int | None
    percentage: float | None
    paused: bool = False


@dataclass(frozen=True)
class Pool:
    """One pool of the NAS's database, imported or not. `status` is ZFS' state, `code` the finer word; sizes in bytes.

    `odd` are leaves that are not ONLINE, or that count errors, each in words.
    """

    name: str
    status: str
    healthy: bool | None
    warning: bool | None
    code: str = ""
    says: str = ""
    size: int | None = None
    free: int | None = None
    scan: Scan | None = None
    odd: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """One dataset. `mountpoint` stands there for a locked one, too; `mounted` only where it was asked. Sizes in bytes;
    `used` is what lies in it now, without its snapshots and the datasets below it."""

    name: str
    pool: str
    locked: bool | None
    mountpoint: str = ""
    encrypted: bool = False
    key_form: str = ""
    available: int | None = None
    read_only: bool | None = None
    mounted: bool | None = None
    used: int | None = None
    unlocking: str = ""
    """What the NAS says of the key of a locked one, "" where it was not asked or said nothing."""


@dataclass(frozen=True)
class NfsExport:
    """One NFS export; no networks and no hosts is everybody."""

    path: str
    enabled: bool | None
    locked: bool | None
    read_only: bool | None = None
    networks: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class SmbShare:
    """One SMB share."""

    name: str
    path: str
    enabled: bool | None
    locked: bool | None
    read_only: bool | None = None


@dataclass(frozen=True)
class Listed:
    """One export (`export` as NasExport.told) as one way of listing showed it from here. `shown`: whether it is there, None where
    that was not to be told, and then `why`. `entries`: how many names are in it, None where this way does not tell."""

    export: str
    way: str
    shown: bool | None
    entries: int | None = None
    why: str = ""


@dataclass(frozen=True)
class Service:
    """One service: `running` None where its state is no word that is known."""

    name: str
    running: bool | None
    enabled: bool | None


@dataclass(frozen=True)
class ScrubTask:
    """When a pool is scrubbed: not before `threshold_days`, by this schedule of cron."""

    pool: str
    enabled: bool | None
    threshold_days: int | None


@dataclass(frozen=True)
class SnapshotTask:
    """One periodic snapshot task: `schedule` as five fields of cron, "" where it is not told; `at` is when `state` came, epoch."""

    dataset: str
    recursive: bool
    enabled: bool | None
    schedule: str
    state: str
    at: float | None
    error: str = ""
    exclude: tuple[str, ...] = ()

    def covers(self, dataset: str) -> bool:
        """Whether this task snapshots the dataset."""
        below = self.recursive and dataset.startswith(f"{self.dataset}/")
        left_out = any(dataset == one or dataset.startswith(f"{one}/") for one in self.exclude)
        return (dataset == self.dataset or below) and not left_out


@dataclass(frozen=True)
class Snapshots:
    """The newest snapshot of one dataset, and when it was made (epoch seconds); "" and None for none."""

    dataset: str
    newest: str
    made: float | None
    count: int


@dataclass(frozen=True)
class Replication:
    """One replication task; `at` is when `state` came, epoch seconds."""

    name: str
    enabled: bool | None
    sources: tuple[str, ...]
    target: str
    direction: str
    automatic: bool
    state: str
    at: float | None
    error: str = ""
    last_snapshot: str = ""
    warnings: tuple[str, ...] = ()
    began: float | None = None


@dataclass(frozen=True)
class Alert:
    """One alert as the NAS raised it; text without markup."""

    klass: str
    level: str
    text: str
    since: float | None
    dismissed: bool


@dataclass(frozen=True)
class DiskTest:
    """A disk's newest self-test, where the version tells (25.04)."""

    disk: str
    status: str
    detail: str


@dataclass(frozen=True)
class NasLook:
    """One look. With a `trouble` nothing else was seen. `release` is the family, as (25, 10); `state` READY or another word of
    the server, "" where it may not be asked; `clock` is the NAS's own, epoch seconds, `up_s` how long it has run; `expires` when
    its certificate ends. `instead`: why its API was not asked, where it was asked by another way. `listed` is what the exports show
    to this machine itself, all else is the NAS's word."""

    trouble: NasTrouble | None = None
    version: str = ""
    release: tuple[int, int] = (0, 0)
    path: str = ""
    state: str = ""
    clock: float | None = None
    up_s: float | None = None
    asked_at: float = 0.0
    expires: float | None = None
    instead: NasTrouble | None = None
    pools: Heard[Pool] = ()
    scrubs: Heard[ScrubTask] = ()
    datasets: Heard[Dataset] = ()
    nfs: Heard[NfsExport] = ()
    smb: Heard[SmbShare] = ()
    services: Heard[Service] = ()
    tasks: Heard[SnapshotTask] = ()
    snapshots: Heard[Snapshots] = ()
    replications: Heard[Replication] = ()
    alerts: Heard[Alert] = ()
    listed: tuple[Listed, ...] = ()
    tests: Heard[DiskTest] | None = field(default=None)
    """None: this version keeps no test results, it raises alerts."""
