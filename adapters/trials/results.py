"""What is known of trials of storage classes: which passed and when, and what a dead run has left of one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Tried(Enum):
    """What was tried on a class."""

    WRITE = "write"
    """A pod wrote to a fresh volume of it, and the bytes were on the storage when it ended."""
    SNAPSHOT = "snapshot"
    """Besides, a snapshot of that volume was made, restored into another, and held the same bytes."""


@dataclass(frozen=True)
class Trial:
    """One that passed: when it ended (epoch seconds, by the clock of who ran it) and how many seconds it took."""

    tried: Tried
    storage_class: str
    at: float
    seconds: float


@dataclass(frozen=True)
class TrialsLook:
    """The last that passed of each kind and class; objects that are there of a trial which nobody runs any more, each as
    `Kind namespace/name`; the CSI drivers that a VolumeSnapshotClass names, and the names of those classes."""

    passed: tuple[Trial, ...] = ()
    left: tuple[str, ...] = ()
    snapshot_drivers: frozenset[str] = frozenset()
    snapshot_classes: frozenset[str] = frozenset()

    def last(self, tried: Tried, storage_class: str) -> Trial | None:
        """The last that passed; a snapshot is a write, too."""
        kinds = (Tried.SNAPSHOT, Tried.WRITE) if tried is Tried.WRITE else (tried,)
        found = [one for one in self.passed if one.storage_class == storage_class and one.tried in kinds]
        return max(found, key=lambda one: one.at, default=None)
