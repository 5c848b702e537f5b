"""A NAS of the simulated house: pools, datasets, what it hands out and what it says of itself. Knows no protocol.

State only: what follows from it (a share of a locked dataset is locked, nothing of it is mounted) is asked here, never kept.
Times are epoch seconds of the World's clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

GIB = 2**30
READ_ONLY, FULL = "READONLY_ADMIN", "FULL_ADMIN"
DAY_S = 86400.0


@dataclass
class LabDevice:
    """One disk of a pool; `gone` disks are told by what they were."""

    disk: str
    serial: str
    status: str = "ONLINE"
    read: int = 0
    write: int = 0
    checksum: int = 0


@dataclass
class LabScan:
    """The last scrub or resilver."""

    function: str = "SCRUB"
    state: str = "FINISHED"
    started: float = 0.0
    ended: float | None = None
    errors: int = 0
    percentage: float = 100.0
    paused: bool = False


@dataclass
class LabPool:
    """One pool of the NAS's database. Not imported: OFFLINE, and its numbers are not known."""

    name: str
    devices: list[LabDevice]
    status: str = "ONLINE"
    healthy: bool = True
    warning: bool = False
    code: str = "OK"
    says: str | None = None
    size: int = 8192 * GIB
    free: int = 5120 * GIB
    scan: LabScan | None = field(default_factory=LabScan)
    imported: bool = True
    scrub_threshold: int = 35

    def export(self) -> None:
        """It is in the database, and not imported."""
        self.imported, self.status, self.healthy, self.code = False, "OFFLINE", False, "UNKNOWN"


@dataclass
class LabDataset:
    """One dataset; its mountpoint is /mnt and its name."""

    name: str
    encrypted: bool = False
    key_loaded: bool = True
    mounted: bool = True
    used: int = 100 * GIB
    read_only: bool = False
    snapshots: list[tuple[str, float]] = field(default_factory=list)

    @property
    def locked(self) -> bool:
        """Encrypted, and the key is not loaded."""
        return self.encrypted and not self.key_loaded


@dataclass
class LabExport:
    """One NFS export (`name` ""), or an SMB share. Not `shown`: its server hands it out to nobody, whatever the API says of it;
    `bare`: whoever opens it sees an empty folder."""

    path: str
    name: str = ""
    enabled: bool = True
    read_only: bool = False
    networks: list[str] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    shown: bool = True
    bare: bool = False


@dataclass
class LabTask:
    """One periodic snapshot task, daily at midnight unless `hour` says otherwise."""

    dataset: str
    recursive: bool = False
    enabled: bool = True
    hour: str = "0"
    state: str = "FINISHED"
    at: float | None = None
    error: str = ""


@dataclass
class LabReplication:
    """One replication task."""

    name: str
    source: str
    target: str
    enabled: bool = True
    state: str = "FINISHED"
    at: float | None = None
    error: str = ""
    began: float | None = None


@dataclass
class LabAlert:
    """One alert; `text` may hold markup, as the real ones do."""

    klass: str
    level: str
    text: str
    at: float
    dismissed: bool = False


@dataclass
class LabUser:
    """A user with one API key; without roles it has no privilege at all."""

    name: str
    key: str
    roles: frozenset[str] = frozenset({READ_ONLY})
    expired: bool = False
    revoked: bool = False

    def may(self, roles: tuple[str, ...]) -> bool:
        """Whether one of the roles is held."""
        return FULL in self.roles or bool(self.roles & set(roles))


@dataclass
class NasWeather:
    """What can be wrong with the box as a server. `stuck`: its jobs never end; `drop`, `hang`, `garble`: the method at which it
    breaks off, says nothing, or answers what is no JSON; `refuse`: the one that its user may not call; `padding` is added to every
    alert's text, in bytes."""

    down: bool = False
    shut_out: bool = False
    standby: bool = False
    starting: bool = False
    stuck: bool = False
    drop: str = ""
    hang: str = ""
    garble: str = ""
    refuse: str = ""
    padding: int = 0


@dataclass
class LabNas:
    """One box. `version` decides what form its API has."""

    version: str = "25.10.6"
    hostname: str = "nas"
    pools: list[LabPool] = field(default_factory=list)
    datasets: list[LabDataset] = field(default_factory=list)
    nfs: list[LabExport] = field(default_factory=list)
    smb: list[LabExport] = field(default_factory=list)
    services: dict[str, tuple[bool, bool]] = field(default_factory=dict)
    """By name: enabled, running."""
    tasks: list[LabTask] = field(default_factory=list)
    replications: list[LabReplication] = field(default_factory=list)
    alerts: list[LabAlert] = field(default_factory=list)
    failed_tests: set[str] = field(default_factory=set)
    users: list[LabUser] = field(default_factory=list)
    weather: NasWeather = field(default_factory=NasWeather)
    skew: float = 0.0
    powered: bool = True
    booting: bool = False
    booted_at: float | None = None
    """Epoch; None: long ago."""

    @property
    def release(self) -> tuple[int, int]:
        """The family of its version, as (25, 10)."""
        year, month = self.version.split(".")[:2]
        return int(year), int(month)

    @property
    def silent(self) -> bool:
        """Whether nothing of it answers."""
        return self.weather.down or not self.powered

    @property
    def starting(self) -> bool:
        """Whether its middleware says that it is not READY yet."""
        return self.weather.starting or self.booting

    def pools_now(self) -> list[LabPool]:
        """Its pools; none is imported yet while it boots."""
        if not self.booting:
            return self.pools
        found = [replace(one) for one in self.pools]
        for one in found:
            one.export()
        return found

    def pool(self, name: str) -> LabPool:
        """The pool of this name; KeyError for none."""
        return {one.name: one for one in self.pools}[name]

    def dataset(self, name: str) -> LabDataset:
        """The dataset of this name; KeyError for none."""
        return {one.name: one for one in self.datasets}[name]

    def there(self) -> list[LabDataset]:
        """Datasets of pools that are imported."""
        imported = {one.name for one in self.pools if one.imported and not self.booting}
        return [one for one in self.datasets if one.name.split("/")[0] in imported]

    def holding(self, path: str) -> LabDataset | None:
        """The dataset that a path lies on."""
        fit = [one for one in self.there() if f"{path}/".startswith(f"/mnt/{one.name}/")]
        return max(fit, key=lambda one: len(one.name), default=None)


def sample_nas(now: float, *users: LabUser, version: str = "25.10.6") -> LabNas:
    """A box in order: one mirror, a dataset for backups and an encrypted one that is open, handed out, snapshotted nightly."""
    night = now - now % DAY_S
    scan = LabScan(started=night - 6 * DAY_S, ended=night - 6 * DAY_S + 27000)
    disks = [LabDevice("sda", "ZX1"), LabDevice("sdb", "ZX2")]
    nightly = [(f"auto-{back}", night - back * DAY_S) for back in (2, 1, 0)]
    return LabNas(
        version=version,
        pools=[LabPool("tank", disks, scan=scan)],
        datasets=[
            LabDataset("tank"),
            LabDataset("tank/backup", snapshots=[*nightly]),
            LabDataset("tank/media", encrypted=True, snapshots=[*nightly]),
        ],
        nfs=[LabExport("/mnt/tank/backup", networks=["127.0.0.0/8"])],
        smb=[LabExport("/mnt/tank/media", "media")],
        services={"cifs": (True, True), "nfs": (True, True), "snmp": (False, False), "ssh": (True, True)},
        tasks=[LabTask("tank", recursive=True, at=night)],
        replications=[LabReplication("to-offsite", "tank/backup", "off/backup", at=night + 3600 if night + 3600 <= now else night)],
        users=[*users],
    )
