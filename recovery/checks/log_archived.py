"""Whether a database's archive holds all of its log, up to where that was when it was told to end. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import LookContext
from cluster.databases import judged
from engine.probe import Condition, Probe, changing, missing, satisfied, unknown
from engine.step import BaseCheck, StepId
from house.model import House
from house.values.databases import Database, DatabaseArchive
from recovery.steps.databases.save_database import archive_of


@dataclass(frozen=True)
class LogArchived(BaseCheck):
    """A base backup that ended well, the log from there without a gap, and in it the place at which the database ended.

    A segment lies there only once it was closed. The last one must have come after the database was told to end: that is what
    PostgreSQL does as it ends.
    """

    house: House
    database: Database
    archive: DatabaseArchive

    @property
    def id(self) -> StepId:
        return StepId(f"checkpoint.archived/{self.database.key}")

    @property
    def title(self) -> str:
        return f"all of the log of {self.database.key} is archived"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"checkpoint.database/{self.database.key}",)

    @property
    def sight_s(self) -> float:
        return self.house.limits.release_s

    def probe(self, look: LookContext) -> Probe:
        found = look.databases.database(self.database.namespace, self.database.name)
        if not found.present:
            return satisfied("not in the cluster")
        if found.left is None or not found.asleep:
            return unknown("nobody noted where its log ended")
        seen = judged(self.archive, look.archives.look(self.archive), look.clock.now()).probe()
        if seen.condition is not Condition.SATISFIED:
            return seen
        point, left = look.archives.point(self.archive, 0.0), found.left
        if point.timeline != left.timeline:
            return missing(f"its archive ends on timeline {point.timeline}, and it was on {left.timeline}", self.archive.place)
        if left.lsn >= point.ends or point.time < left.time:
            return changing(f"its log is archived up to {point.segment}, and goes on to {left.lsn:#x}", self.archive.place)
        return satisfied(f"up to {point.segment}, closed after it was told to end; from base backup {point.base}")

    def by_hand(self) -> str:
        return "invoke dr.audit   # the newest base backup, and how far the log reaches"


def checks(house: House) -> Iterator[LogArchived]:
    """One for every database whose archive can be looked at."""
    for database in house.databases:
        if (archive := archive_of(house, database.key)) is not None:
            yield LogArchived(house, database, archive)
