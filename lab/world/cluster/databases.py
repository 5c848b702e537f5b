"""Databases and their archives as values. Who makes them: lab/world/cluster/cnpg.py.

A database knows who it is, its timeline, its place in the log and its rows. Knows no Cluster as YAML and no S3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from adapters.archives.bases import SEGMENT_BYTES
from adapters.archives.results import ArchiveLook, RecoveryPoint
from adapters.cnpg.results import Left, Reached
from lab.world.archives import ArchiveFiles

HEALTHY = "Cluster in healthy state"
SETTING_UP = "Setting up primary"
UNRECOVERABLE = "Cluster is unrecoverable and needs manual intervention"


class DatabaseTrouble(Enum):
    """What goes wrong with one database's restore. The operator calls the first four healthy."""

    EARLY = "its log is replayed up to the base backup alone"
    OTHER_TIMELINE = "it comes along the timeline that its archive left"
    EMPTY = "it is made empty"
    PAST_ITS_TARGET = "it is replayed to the end of the log, whatever time was asked for"
    STUCK = "its recovery never ends"
    HOPELESS = "its recovery fails for good"
    LOGIN = "the password of its application is another"


@dataclass(frozen=True)
class Commit:
    """One row, when it was committed (epoch seconds) and where that is in the log (bytes)."""

    time: float
    lsn: int
    row: str


@dataclass(frozen=True)
class StoredDatabase:
    """An archive with what is in it: one base backup, which has the first commit, and the log with all of them. `damages` is what
    happened to its files since; `refused`: the store takes no key for it. `ended`: its last segment, and when that was closed."""

    system_id: str
    commits: tuple[Commit, ...]
    timeline: int = 1
    base: str = ""
    damages: tuple[Callable[[ArchiveFiles], None], ...] = ()
    refused: bool = False
    ended: tuple[int, float] | None = None

    def until(self, as_of: float) -> tuple[Commit, ...]:
        """What was committed by then; all with 0.0."""
        return tuple(one for one in self.commits if not as_of or one.time <= as_of)

    @property
    def files(self) -> ArchiveFiles:
        """As barman-cloud leaves it: a segment is written when the last commit in it is made."""
        made, first = ArchiveFiles(), self.commits[0]
        made.base(first.time, self.system_id, number_of(first.lsn), self.timeline, self.base, first.lsn)
        done = number_of(first.lsn)
        for one in self.commits:
            made.log(range(done, number_of(one.lsn) + 1), one.time, 0.0, self.timeline)
            done = number_of(one.lsn) + 1
        if self.ended is not None:
            made.log(range(min(done, self.ended[0]), self.ended[0] + 1), self.ended[1], 0.0, self.timeline)
        for damage in self.damages:
            damage(made)
        return made

    def look(self) -> ArchiveLook:
        """As a listing tells it."""
        return self.files.server.look()

    def point(self, as_of: float) -> RecoveryPoint:
        """What is promised of a restore. PermanentError where it promises nothing."""
        return self.files.server.point(as_of)


@dataclass
class LabDatabase:
    """One Cluster, its operator's words, and the database in it (`reached` None until it runs); `posing` answers in its place."""

    uid: str
    created: float
    recovers: bool
    writes: str
    phase: str = SETTING_UP
    reason: str = ""
    waiting: tuple[str, ...] = ()
    archiving: str = ""
    reached: Reached | None = None
    rows: tuple[str, ...] = ()
    password_works: bool = True
    to_sleep: bool = False
    ours: bool = False
    asleep: bool = False
    left: Left | None = None
    posing: Reached | None = None


def number_of(lsn: int) -> int:
    """The number of the segment that a place in the log (bytes) is in."""
    return lsn // SEGMENT_BYTES
