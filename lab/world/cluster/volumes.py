"""Claims, destinations and sources as the modelled cluster keeps them. Values only; lab/world/cluster/volsync.py moves them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from enum import Enum

from adapters.kept.results import Found
from adapters.volsync.results import FileEntry
from lab.world.world import Timer

_IMAGES = itertools.count(1)


@dataclass
class Claim:
    """A PersistentVolumeClaim; `entries` is what its volume holds once it is bound."""

    namespace: str
    name: str
    uid: str
    destination: str
    bound: bool = False
    populated_from: str = ""
    entries: tuple[FileEntry, ...] = ()
    app_ready: bool = False
    binding: bool = False
    detail: str = ""
    deleting: bool = False
    lost: bool = False  # its volume is gone
    storage_class: str = "lab"
    created: float = 0.0
    tries: int = 0
    retry: Timer | None = None
    volume: str = ""  # the one that it is bound to, where that was made for another claim

    @property
    def key(self) -> tuple[str, str]:
        return (self.namespace, self.name)

    @property
    def bound_to(self) -> str:
        """The name of its volume."""
        return self.volume or f"vol-{self.uid}"


class Sick(Enum):
    """What is wrong with a volume that outlived its cluster."""

    GONE = "gone"  # nobody can mount it
    UNREADABLE = "unreadable"  # a part of it gives an error


@dataclass
class Outlived:
    """What a storage outside of the cluster still has of a volume, whatever became of the cluster."""

    entries: tuple[FileEntry, ...]
    sick: Sick | None = None


@dataclass
class LabKept:
    """A volume that stays when its claim goes. `entries` are what is on it while no claim has it; `held_by` the claim's uid that
    has it ("" for none), `promised` whether the next claim of its name is bound to it. `handle` is what its storage
    calls it, where that is another name, and `brought` that it was written here again."""

    name: str
    namespace: str
    claim: str
    uid: str
    since: float
    held_by: str
    entries: tuple[FileEntry, ...] = ()
    promised: bool = False
    brought: bool = False
    found: Found | None = None
    handle: str = ""
    sick: Sick | None = None
    aside: bool = False  # for a claim of ours alone

    @property
    def key(self) -> tuple[str, str]:
        return (self.namespace, self.claim)


@dataclass
class Image:
    """A VolumeSnapshot that a restore made; not `ready` once somebody has deleted it: the destination names it all the same.

    One that is made again under its name has another `uid`.
    """

    name: str
    entries: tuple[FileEntry, ...]
    ready: bool = True
    uid: str = field(default_factory=lambda: f"image-{next(_IMAGES)}")


@dataclass
class Destination:
    """A ReplicationDestination and what its last run left. `mounts`: a claim that its mover writes into by itself, "" for none.

    `secret` says where it restores from, and `address` what that is; `instead_of` the Secret before, while Flux leaves it alone.
    """

    namespace: str
    name: str
    address: str
    trigger: str
    restore_as_of: str = ""
    ours: bool = False
    last_trigger: str = ""
    running: bool = False
    result: str = ""
    log: tuple[str, ...] = ()
    image: Image | None = None
    condition: str = ""
    copy_method: str = "Snapshot"
    mounts: str = ""
    secret: str = ""
    instead_of: str = ""
    runs: int = 0
    failures: int = 0
    tries: int = 0
    retry: Timer | None = None

    @property
    def key(self) -> tuple[str, str]:
        return (self.namespace, self.name)


@dataclass
class Source:
    """A ReplicationSource; `retain_last` is how many snapshots its retention keeps."""

    namespace: str
    name: str
    claim: str
    address: str
    retain_last: int = 3
    running: bool = False
    last_sync: float = 0.0
    result: str = ""
    log: tuple[str, ...] = ()
    condition: str = ""
    wanted: bool = True
    manual: str = ""
    last_manual: str = ""
    schedule: str = "0 * * * *"
    paused: bool = False
    backups: list[str] = field(default_factory=list)
    failures: int = 0
    tries: int = 0
    retry: Timer | None = None

    @property
    def key(self) -> tuple[str, str]:
        return (self.namespace, self.name)
