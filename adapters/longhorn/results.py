"""What Longhorn's objects say, as values. Judges nothing; a field that is missing is None or "", never a guess."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

WHAT = ("volumes", "images", "targets", "orphans", "running", "settings")
"""Fields of a look that are asked for by name; its nodes always come."""


@dataclass(frozen=True)
class Said:
    """One condition of an object: True, False, or None where it is Unknown or not written at all. `since` in epoch seconds."""

    good: bool | None = None
    reason: str = ""
    message: str = ""
    since: float | None = None


@dataclass(frozen=True)
class Disk:
    """One disk of a node. Sizes in bytes, None where nothing was written yet. `wanted`: a person lets replicas be put there."""

    name: str
    path: str
    ready: Said
    schedulable: Said
    wanted: bool = True
    evicting: bool = False
    maximum: int | None = None
    available: int | None = None
    scheduled: int | None = None
    reserved: int = 0


@dataclass(frozen=True)
class StorageNode:
    """One node of Longhorn's. `wanted`: a person lets replicas be put there."""

    name: str
    ready: Said
    schedulable: Said
    wanted: bool = True
    evicting: bool = False
    disks: tuple[Disk, ...] = ()


@dataclass(frozen=True)
class StorageVolume:
    """One volume; `claim` is `namespace/name` of what it belongs to, "" for none. `size` in bytes.

    `robustness` is Longhorn's word: healthy and degraded are said while it is attached, faulted and unknown while it is not.
    `degraded_since` in epoch seconds, None when it is not, or nobody says.
    """

    name: str
    claim: str
    state: str
    robustness: str
    replicas: int
    size: int = 0
    degraded_since: float | None = None
    placed: Said = field(default_factory=Said)


@dataclass(frozen=True)
class EngineImage:
    """One engine image; `missing_on` are nodes where it is not deployed."""

    image: str
    state: str
    used: bool
    missing_on: tuple[str, ...] = ()


@dataclass(frozen=True)
class BackupTarget:
    """One place of Longhorn's own backups; `url` "" for none."""

    name: str
    url: str
    available: bool
    why: Said = field(default_factory=Said)


@dataclass(frozen=True)
class Orphan:
    """The folder of a replica that no volume of now has: maybe the only copy of what a former cluster had. `seen` in epoch s."""

    node: str
    disk: str
    folder: str
    seen: float | None = None


@dataclass(frozen=True)
class Running:
    """Pods of one part of Longhorn: how many are ready of how many. None: there is no such thing."""

    name: str
    ready: int
    wanted: int


@dataclass(frozen=True)
class LonghornLook:
    """All of it as one look found it. `served` False: the cluster serves none of Longhorn's kinds."""

    served: bool
    nodes: tuple[StorageNode, ...] = ()
    volumes: tuple[StorageVolume, ...] = ()
    images: tuple[EngineImage, ...] = ()
    targets: tuple[BackupTarget, ...] = ()
    orphans: tuple[Orphan, ...] = ()
    running: tuple[Running, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()

    def of(self, what: Collection[str]) -> LonghornLook:
        """The same with these fields of WHAT alone."""
        left_out: dict[str, Any] = {name: () for name in WHAT if name not in what}
        return replace(self, **left_out)

    def setting(self, name: str, default: str = "") -> str:
        """The value of one of Longhorn's settings, `default` where it is not written."""
        return dict(self.settings).get(name, default)
