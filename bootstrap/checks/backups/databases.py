"""Databases that archive: what lies in each archive, and whether each database comes back from it. Stops nothing by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.archives.results import ArchiveVerdict
from adapters.context import LookContext
from cluster.by_hand import archive_by_hand, record_by_hand
from cluster.databases import judged
from engine.probe import Probe, drifted, satisfied, unknown
from engine.step import BaseCheck, Severity, StepId
from house.model import House
from house.values.databases import Database, DatabaseArchive


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
class OwnArchive(BaseCheck):
    """What lies in one database's archive is that database's: an archive can be whole and young, and somebody else's."""

    archive: DatabaseArchive
    severity = Severity.ADVISORY
    needs = ("hold.install",)

    @property
    def id(self) -> StepId:
        return StepId(f"database.own-archive/{self.archive.key}")

    @property
    def title(self) -> str:
        return f"archive of database {self.archive.key} is its own"

    def probe(self, look: LookContext) -> Probe:
        namespace, _, name = self.archive.key.partition("/")
        runs = self._runs(look, namespace, name)
        if not runs:
            return satisfied("not compared: nobody says which database runs")
        found = look.archives.look(self.archive)
        if not found.system_id or found.verdict is ArchiveVerdict.MIXED:
            verdict = judged(self.archive, found, look.clock.now()).verdict
            if verdict is ArchiveVerdict.OK:  # what is not in order is red in its own row
                return unknown("its newest base backup does not say whose it is", self.archive.place)
            return satisfied(f"not compared: {verdict.value}, of which preflight.archive/{self.archive.key} tells")
        if found.system_id == runs:
            return satisfied(f"its newest base backup is of system {runs}, which is the database that runs")
        return drifted(
            f"it is another database's: its newest base backup {found.base} is of system {found.system_id}, and {runs} runs",
            self.archive.place,
            hint="a restore from there brings back the other one: give each a serverName of its own, and make a base backup",
        )

    def _runs(self, look: LookContext, namespace: str, name: str) -> str:
        """The system identifier of the database that runs: by its operator, else by the proof of its restore; "" for none."""
        now, entry = look.databases.database(namespace, name), look.hold.record().pinned_database(namespace, name)
        if not now.present or now.system_id:
            return now.system_id
        return entry.point.system_id if entry is not None and entry.proven and entry.uid == now.uid else ""

    def by_hand(self) -> str:
        namespace, _, name = self.archive.key.partition("/")
        runs = f"kubectl -n {namespace} get clusters.postgresql.cnpg.io {name} -o jsonpath={{.status.systemID}}"
        return f"{runs} && {archive_by_hand(self.archive)}, whose backup.info says systemid"


@dataclass(frozen=True)
class Recovers(BaseCheck):
    """One database beside its archive: it is made again from there and proven, or else refused when it is made, until a person
    decides."""

    database: Database
    over: str = ""
    """The place that it both recovers from and archives to, "" for two of them."""
    severity = Severity.ADVISORY
    needs = ("hold.install",)

    @property
    def id(self) -> StepId:
        return StepId(f"hold.database/{self.database.key}")

    @property
    def title(self) -> str:
        return f"database {self.database.key} recovers from its archive, or is accepted empty"

    def probe(self, look: LookContext) -> Probe:
        record, database = look.hold.record(), self.database
        accepted = record.database(database.namespace, database.name)
        if accepted is not None:
            return satisfied(f"accepted empty: {accepted.reason or 'without a reason'}")
        entry = record.pinned_database(database.namespace, database.name)
        now = look.databases.database(database.namespace, database.name)
        if entry is not None and entry.proven and now.present and entry.uid == now.uid:
            return satisfied(f"made again from {entry.place}, proven: {entry.depth}")
        if self.over and not now.present:
            told = "it recovers from the archive that it writes to: its operator waits there for good (Expected empty archive)"
            hint = "give it another serverName to write to in Git, and push it"
            return drifted(told, database.declared_in, self.over, hint=hint)
        if database.recovers and not (now.present and (entry is not None or record.rebuilt)):
            return satisfied("it is made by recovery from its archive")
        if now.present and (database.recovers or (entry is not None and now.recovers)):
            refuted = entry.refuted if entry is not None else ""
            told = f"made by recovery, and {refuted}" if refuted else "made by recovery, not proven yet"
            return drifted(told, database.declared_in, hint=f"invoke dr.restore --claims database:{database.key}")
        return drifted(
            "it archives and has no bootstrap.recovery, so it is refused when it is made",
            self.database.declared_in,
            hint=f"invoke dr.restore --claims database:{database.key} makes it again from there, or give it bootstrap.recovery "
            f"in Git; where its archive is not wanted: invoke dr.release {database.key} --unproven --reason TEXT",
        )

    def by_hand(self) -> str:
        lifted = record_by_hand({f"cnpg.{self.database.namespace}.{self.database.name}": "accepted-empty"})
        return f"{lifted}   # only where its archive is not wanted; else give it bootstrap.recovery in Git"


def checks(house: House) -> Iterator[Archived | OwnArchive | Recovers]:
    """For every archive a look at it, later whose it is; and for every database that would come up empty the decision."""
    for archive in house.archives:
        yield Archived(archive)
        yield OwnArchive(archive)
    for database in house.databases:
        known = next((one for one in house.restorable if one.key == database.key), None)
        if database.held or (database.recovers and known is not None):
            yield Recovers(database, known.writes if known is not None and known.over_itself else "")
