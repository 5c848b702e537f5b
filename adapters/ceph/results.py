"""What a Ceph says of itself, parsed and not judged. Knows neither Proxmox nor Kubernetes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CephCheck:
    """One health check: the system's `code`, its `severity` (`HEALTH_WARN`, `HEALTH_ERR`), the summary and first detail lines.

    `muted`: somebody told Ceph not to count it, None where it is not told whether.
    """

    code: str
    severity: str
    message: str
    detail: tuple[str, ...] = ()
    muted: bool | None = False


@dataclass(frozen=True)
class Monitors:
    """How many monitors the map knows, and how many of them agree."""

    known: int
    quorum: int


@dataclass(frozen=True)
class Osds:
    """How many OSDs the map knows, and how many of them are up and in."""

    known: int
    up: int
    in_: int


@dataclass(frozen=True)
class Groups:
    """Placement groups: how many there are, in how many pools, and how many are in each state (`active+clean`)."""

    total: int
    pools: int
    by_state: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Rank:
    """One rank of a filesystem, and what its metadata server is doing (`up:active`, `up:active(laggy or crashed)`)."""

    filesystem: int
    rank: int
    status: str


@dataclass(frozen=True)
class Filesystems:
    """All filesystems together: ranks that are in and up, and each that has a server. `in_` 0: there is no filesystem."""

    in_: int
    up: int
    ranks: tuple[Rank, ...]


@dataclass(frozen=True)
class CephPool:
    """One pool. Bytes are before replication; `free` is what may still be written, None where nobody says, `quota` 0 for none."""

    name: str
    size: int
    min_size: int
    stored: int = 0
    free: int | None = None
    quota: int = 0


@dataclass(frozen=True)
class CephStatus:
    """One answer of `ceph status` with `health detail`. A part that the answer lacks, or has in another shape, is None.

    `pools` is None where they were not asked for or not answered; `free` are bytes on all OSDs together, before replication.
    """

    fsid: str
    health: str
    checks: tuple[CephCheck, ...] | None
    monitors: Monitors | None
    manager: bool | None
    osds: Osds | None
    groups: Groups | None
    filesystems: Filesystems | None
    pools: tuple[CephPool, ...] | None = None
    free: int | None = None


@dataclass(frozen=True)
class HostedCeph:
    """The Ceph of the Proxmox hosts: which host answered for it, and the version that each host has (`18.2.4`)."""

    host: str
    status: CephStatus
    versions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class RookPart:
    """A pool, filesystem or object store that Rook makes: its kind and name, and how far the operator says that it came."""

    kind: str
    name: str
    phase: str


@dataclass(frozen=True)
class RookCluster:
    """One CephCluster and what its operator wrote down of it, which is no look at Ceph. Times are epoch seconds, 0.0 for none.

    `checks` is None where the operator has written nothing of Ceph at all; it never says whether one of them is muted.
    `interval_s` is how often it looks. `free` and `total` are raw bytes, None where it says nothing. `versions` are all
    that any daemon runs. `wipes_strangers`: disks of another Ceph are erased when it makes OSDs.
    """

    namespace: str
    name: str
    phase: str
    message: str
    fsid: str
    health: str
    checks: tuple[CephCheck, ...] | None
    last_checked: float
    last_changed: float = 0.0
    interval_s: float = 60.0
    external: bool = False
    free: int | None = None
    total: int | None = None
    versions: tuple[str, ...] = ()
    wipes_strangers: bool = False
    parts: tuple[RookPart, ...] = ()


@dataclass(frozen=True)
class OsdFlags:
    """The flags of one Ceph that Rook runs: `there` as Ceph has them, `ours` those that bear our mark. `silent`: why Ceph could not
    be asked, and `there` is not known, "" where it was."""

    namespace: str
    name: str
    there: frozenset[str] = frozenset()
    ours: frozenset[str] = frozenset()
    silent: str = ""

    @property
    def key(self) -> str:
        """Which Ceph it is."""
        return f"{self.namespace}/{self.name}"
