"""Databases and their archives as values, and the operator that makes them: it can be wrong, and say that all is well.

A database knows who it is, its timeline, its place in the log and its rows. Knows no Cluster as YAML and no S3.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from adapters.archives.bases import SEGMENT_BYTES
from adapters.archives.results import ArchiveLook, ArchiveVerdict, RecoveryPoint
from adapters.cnpg.results import Reached, Turn
from engine.errors import PermanentError

if TYPE_CHECKING:
    from lab.world.kubernetes import KubeWorld, Objects

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
    """An archive with what is in it: one base backup, which has the first commit, and the log with all of them."""

    system_id: str
    commits: tuple[Commit, ...]
    timeline: int = 1
    base: str = "20260102T030000"

    def until(self, as_of: float) -> tuple[Commit, ...]:
        """What was committed by then; all with 0.0."""
        return tuple(one for one in self.commits if not as_of or one.time <= as_of)

    def look(self) -> ArchiveLook:
        """As a listing tells it."""
        last = self.commits[-1]
        base, segment = self.commits[0].time, _segment(self.timeline, last.lsn)
        return ArchiveLook(ArchiveVerdict.OK, "", 1, self.base, base, segment, last.time)

    def point(self, as_of: float) -> RecoveryPoint:
        """What is promised of a restore. PermanentError before its base backup."""
        found = self.until(as_of)
        if not found:
            raise PermanentError("the archive has no base backup that old that a restore could begin from", evidence=(self.base,))
        last, target = found[-1], as_of if len(found) < len(self.commits) else 0.0
        lsn = last.lsn // SEGMENT_BYTES * SEGMENT_BYTES
        segment = _segment(self.timeline, last.lsn)
        return RecoveryPoint(self.base, self.system_id, self.timeline, lsn, segment, target or last.time, target)


@dataclass
class LabDatabase:
    """One Cluster, its operator's words, and the database in it (`reached` None until it runs)."""

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


@dataclass
class Operator:
    """Makes databases in one modelled cluster. `troubles` by the database's key, `drafts` what lies in the state folder."""

    kube: KubeWorld
    troubles: dict[str, DatabaseTrouble] = field(default_factory=dict)
    drafts: dict[tuple[str, str], str] = field(default_factory=dict)

    def make(self, objects: Objects, key: tuple[str, str], writes: str, source: str = "", target: float = 0.0) -> None:
        """Begin one: by recovery from the archive at `source`, or empty where that is "". One that is there stays."""
        if key in objects.clusters:
            return
        world, name = self.kube.world, "/".join(key)
        made = LabDatabase(f"uid-{name}-{len(objects.clusters)}-{world.clock.now():.0f}", world.clock.now(), bool(source), writes)
        objects.clusters[key] = made
        objects.databases_made.add(key)
        world.happened("cnpg", f"makes {name} {'from ' + source if source else 'empty'}")
        world.after(self.kube.delays.restore_s, f"database {name}", lambda: self._made(made, name, source, target))

    def _made(self, made: LabDatabase, name: str, source: str, target: float) -> None:
        store, trouble = self.kube.store, self.troubles.get(name)
        in_use = made.writes in store.databases or made.writes in store.archives
        if source and (in_use or source not in store.databases):
            why = "Expected empty archive" if in_use else "no target backup found"
            made.waiting = (f"pod {name.partition('/')[2]}-1-full-recovery: {why}",)
            return
        if trouble is DatabaseTrouble.STUCK:
            made.waiting = ("pod pg-1-full-recovery: CrashLoopBackOff: recovery ended before the target was reached",)
            return
        if trouble is DatabaseTrouble.HOPELESS:
            made.phase = UNRECOVERABLE
            return
        made.phase, made.password_works = HEALTHY, trouble is not DatabaseTrouble.LOGIN
        if not source or trouble is DatabaseTrouble.EMPTY:
            made.reached = Reached("7000000000000000000", 1, 1 << 25, recovering=False)
            made.archiving = "Expected empty archive" if in_use else ""
            return
        made.reached, made.rows = recovered(store.databases[source], target, trouble)


def recovered(archive: StoredDatabase, target: float, trouble: DatabaseTrouble | None) -> tuple[Reached, tuple[str, ...]]:
    """What comes of a restore to that time (0.0: to the end of the log): who it is then, and its rows."""
    target = 0.0 if trouble is DatabaseTrouble.PAST_ITS_TARGET else target
    commits = archive.until(target)
    commits = commits[:1] if trouble is DatabaseTrouble.EARLY else commits
    ended = replace(archive, timeline=archive.timeline + 1) if trouble is DatabaseTrouble.OTHER_TIMELINE else archive
    reason = "before a time" if target and len(commits) < len(archive.commits) else "no recovery target specified"
    left = tuple(Turn(line, 1 << 20, "no recovery target specified") for line in range(1, archive.timeline))
    on = Turn(ended.timeline, commits[-1].lsn + 40, reason)
    reached = Reached(archive.system_id, ended.timeline + 1, on.lsn + 4096, recovering=False, turns=(*left, on))
    return reached, tuple(one.row for one in commits)


def _segment(timeline: int, lsn: int) -> str:
    each_log = (1 << 32) // SEGMENT_BYTES
    at = lsn // SEGMENT_BYTES
    return f"{timeline:08X}{at // each_log:08X}{at % each_log:08X}"
