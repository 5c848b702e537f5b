"""Databases that archive: what lies in each archive, and whether each database comes back from it. Stops nothing by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import LookContext
from cluster.by_hand import archive_by_hand, record_by_hand
from cluster.databases import judged
from engine.probe import Probe, drifted, satisfied
from engine.step import BaseCheck, Severity, StepId
from house.model import Database, DatabaseArchive, House


@dataclass(frozen=True)
class Archived(BaseCheck):
    """One database's archive: a base backup that ended well, and a log that reaches it, as young as they must be."""

    archive: DatabaseArchive
    severity = Severity.ADVISORY

    @property
    def id(self) -> StepId:
        return StepId(f"preflight.archive/{self.archive.key}")

    @property
    def title(self) -> str:
        return f"archive of database {self.archive.key}"

    def probe(self, look: LookContext) -> Probe:
        found = look.archives.look(self.archive)
        return judged(self.archive, found, look.clock.now()).probe()

    def by_hand(self) -> str:
        return archive_by_hand(self.archive)


@dataclass(frozen=True)
class Recovers(BaseCheck):
    """One database that archives and does not say to recover: it is refused when it is made, until a person decides."""

    database: Database
    severity = Severity.ADVISORY
    needs = ("hold.install",)

    @property
    def id(self) -> StepId:
        return StepId(f"hold.database/{self.database.key}")

    @property
    def title(self) -> str:
        return f"database {self.database.key} recovers from its archive, or is accepted empty"

    def probe(self, look: LookContext) -> Probe:
        accepted = look.hold.record().database(self.database.namespace, self.database.name)
        if accepted is not None:
            return satisfied(f"accepted empty: {accepted.reason or 'without a reason'}")
        return drifted(
            "it archives and has no bootstrap.recovery, so it is refused when it is made",
            self.database.declared_in,
            hint=f"give it bootstrap.recovery in Git; where its archive is not wanted: invoke dr.release {self.database.key} "
            "--unproven --reason TEXT",
        )

    def by_hand(self) -> str:
        lifted = record_by_hand({f"cnpg.{self.database.namespace}.{self.database.name}": "accepted-empty"})
        return f"{lifted}   # only where its archive is not wanted; else give it bootstrap.recovery in Git"


def checks(house: House) -> Iterator[Archived | Recovers]:
    """For every archive a look at it, and for every database that would come up empty beside one the decision."""
    for archive in house.archives:
        yield Archived(archive)
    for database in house.databases:
        if database.held:
            yield Recovers(database)
