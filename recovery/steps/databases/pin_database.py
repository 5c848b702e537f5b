"""Choose what a database is made again from, for the hold's record, and write its recovery for review where Git declares none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from adapters.archives.port import ArchivesView
from adapters.archives.results import ArchiveLook, ArchiveVerdict, RecoveryPoint, Undecided
from adapters.cnpg.manifest import new_server, recovery_manifest
from adapters.cnpg.port import DatabasesView
from adapters.cnpg.results import DatabaseState
from adapters.context import ActContext, LookContext
from adapters.hold.results import PinnedDatabase
from cluster.by_hand import archive_by_hand
from cluster.databases import judged
from cluster.recovered import utc
from engine.errors import PermanentError, TransientError
from engine.probe import Identity, Probe, missing, satisfied
from engine.step import BaseStep, Hazard, Notes, StepId
from house.model import House
from house.values.databases import DatabaseArchive, RestorableDatabase
from recovery.databases import distances, pinned, point_words
from recovery.points.asof import as_time

_TIME = "targetTime "
_ATTEMPTS = 9


@dataclass(frozen=True)
class ChosenPoint(Identity):
    """What an archive promises of a database's restore. `short`: what the archive is called where it is not in order, "" where it
    is: it may be the only copy all the same, and goes on by consent; `told` says so in numbers, which change meanwhile."""

    database: str
    place: str
    point: RecoveryPoint = field(compare=False)
    short: str = ""
    told: str = field(default="", compare=False)

    @property
    def words(self) -> tuple[str, ...]:
        """For a person, one line a thing."""
        risk = (f"{self.short}: {self.told}", "what was written to the database since then is not in it") if self.short else ()
        point = replace(self.point, remark="") if self.short else self.point  # which says the same once more
        return (f"database {self.database} restored from {self.place}", *point_words(point), *risk)

    def __str__(self) -> str:
        return "; ".join(self.words)


@dataclass(frozen=True)
class PinDatabase(BaseStep):
    """The archive's newest base backup and its log, to its end or to `as_of` (epoch seconds; 0.0: the end). Chosen once."""

    house: House
    one: RestorableDatabase
    as_of: float = 0.0
    system = "kubernetes"
    needs = ("hold.in-place",)

    @property
    def id(self) -> StepId:
        return StepId(f"dr.database-pin/{self.one.key}")

    @property
    def title(self) -> str:
        return f"restore point of database {self.one.key} chosen"

    @property
    def inputs(self) -> str:
        return f"{self.one.key} {self.one.source.place} {self.as_of:.0f}"

    def hazard(self, seen: Probe) -> Hazard:
        return Hazard.DISRUPTS if isinstance(seen.identity, ChosenPoint) and seen.identity.short else Hazard.NONE

    def probe(self, look: LookContext) -> Probe:
        record, database = look.hold.record(), self.one.database
        entry, now = pinned(record, self.one), look.databases.database(database.namespace, database.name)
        if entry is not None and not _is_over(entry, now):
            if self.as_of and entry.point.time > self.as_of and not entry.proven:
                raise PermanentError(
                    f"database {self.one.key} is pinned to a later time than --as-of says",
                    evidence=point_words(entry.point),
                    hint="a restore that has begun is never turned to another point: go on without --as-of",
                )
            if self._is_ours(now) and not entry.proven and not look.databases.draft(database.namespace, database.name):
                return missing("its recovery does not lie in the state folder for review", *point_words(entry.point))
            if self._is_spent(look.archives, look.databases, entry, now):
                spent = "what its recovery made before has archived to where this one would, and was never proven"
                return missing(f"{spent}: it is written anew, to archive beside that", *point_words(entry.point))
            return satisfied("; ".join((*point_words(entry.point), *distances(self.house, record, self.one, entry.point.time))))
        if now.present and not now.recovers:
            raise PermanentError(
                f"database {self.one.key} is there, and was not made by a recovery: a restore makes none over it",
                evidence=(now.told,),
                hint="what is in it would be lost: delete its Cluster by hand where that is meant, and run the same again",
            )
        point = self._point(look.archives, now, entry)
        told = tuple(distances(self.house, record, self.one, point.time))
        chosen = ChosenPoint(self.one.key, self.one.source.place, point, *self._short(look))
        return missing("no restore point chosen yet", *chosen.words[1:], *told, identity=chosen)

    def _short(self, look: LookContext) -> tuple[str, str]:
        """What the archive is called, and why, where its end is not what one would expect; "" where it is, or a time is asked."""
        if self._until():
            return "", ""
        # An old base backup costs time alone: what comes back is as old as the log's end.
        found = judged(replace(self.one.source, max_age=0.0), _looked_at(look.archives, self.one.source), look.clock.now())
        return ("", "") if found.good else (found.verdict.value, found.detail)

    def _is_ours(self, now: DatabaseState) -> bool:
        """Whether it takes a recovery that we write: Git declares none, and nobody has made one."""
        return not self.one.database.recovers and not now.present

    def _point(self, archives: ArchivesView, now: DatabaseState, before: PinnedDatabase | None) -> RecoveryPoint:
        """What the archive promises. PermanentError where it promises nothing, or another database than it was `before`, or what is
        restored would spoil it."""
        if not self.one.source.place:
            told = f"nobody can say what database {self.one.key} would be restored from"
            raise PermanentError(told, evidence=(self.one.source.note,))
        try:
            point = archives.point(self.one.source, self._until())
        except Undecided as no:
            told = f"database {self.one.key} is not restored: {no.what}"
            raise PermanentError(told, evidence=(self.one.source.place, *no.evidence), hint=no.hint or self._settings()) from no
        except PermanentError as no:
            raise PermanentError(
                f"nothing is there that database {self.one.key} could be restored from: {no.what}",
                evidence=(self.one.source.place, *no.evidence), hint=no.hint or self._way_out(),
            ) from no  # fmt: skip
        if self.one.database.recovers and self.as_of and not self.one.target and point.target:
            raise PermanentError(
                f"Git declares the recovery of database {self.one.key} to the end of its log: --as-of does not change that",
                hint=f"give its bootstrap.recovery a recoveryTarget.targetTime of {utc(self.as_of)}, and push it",
            )
        _refuse_another(self.one, point, before, self._until())
        if not now.present and (writes := self._writes(point)):
            self._refuse_in_use(archives, writes)
        return point

    def _settings(self) -> str:
        """What helps where nobody could look."""
        return f"give backups.databases.{self.one.key} its place and its keys; nothing is known of the archive"

    def _way_out(self) -> str:
        """What a person may do who wants nothing of the archive."""
        if self.one.database.recovers:
            return "compare the source of its bootstrap.recovery in Git with what lies in the bucket"
        return f"a new database, or one whose archive is not wanted: invoke dr.release {self.one.key} --unproven --reason TEXT"

    def _until(self) -> float:
        """Up to when: what Git's own recovery says counts, for the operator goes by that."""
        target = self.one.target
        if not self.one.database.recovers or not target:
            return self.as_of
        if not target.startswith(_TIME):
            told = f"Git lets database {self.one.key} recover up to {target}: what that holds no archive tells"
            raise PermanentError(told, hint="give it a recoveryTarget.targetTime, or none")
        return as_time(target.removeprefix(_TIME))

    def _writes(self, point: RecoveryPoint) -> str:
        """The place that the restored database archives to."""
        if self.one.database.recovers:
            return self.one.writes
        folder, _, old = self.one.source.place.rpartition("/")
        return f"{folder}/{new_server(old, point)}"

    def _refuse_in_use(self, archives: ArchivesView, writes: str) -> None:
        """Where something lies already, PostgreSQL's log of two databases would be mixed: the operator waits there for good."""
        same = writes == self.one.source.place
        if not same and _is_empty(archives, replace(self.one.source, place=writes)):
            return
        raise PermanentError(
            f"database {self.one.key} would archive to where an archive is already, once it is restored",
            evidence=(f"it would write to {'the very place that it is restored from' if same else writes}",),
            hint="the operator waits there for good (Expected empty archive): give it another serverName in Git, and push it",
        )

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        database, record = self.one.database, act.hold.record()
        now = act.databases.database(database.namespace, database.name)
        entry = pinned(record, self.one)
        if entry is None or _is_over(entry, now):
            point = self._point(act.archives, now, entry)
            notes.put("point", "; ".join(point_words(point)))
            entry = PinnedDatabase(database.namespace, database.name, self.one.source.place, point, act.clock.now())
            # Before the record: whoever finds the pin finds the recovery that belongs to it.
            self._write(act, entry, now)
            act.hold.put_database(entry)
        elif not act.databases.draft(database.namespace, database.name) or self._is_spent(act.archives, act.databases, entry, now):
            self._write(act, entry, now)

    def _is_spent(self, archives: ArchivesView, databases: DatabasesView, entry: PinnedDatabase, now: DatabaseState) -> bool:
        """Whether the recovery that lies for review has been made before: something of it lies where it archives to."""
        if entry.proven or not self._is_ours(now):
            return False
        server = databases.draft_server(entry.namespace, entry.name)
        return bool(server) and not self._is_free(archives, entry.place, server)

    def _is_free(self, archives: ArchivesView, place: str, server: str) -> bool:
        beside = f"{place.rpartition('/')[0]}/{server}"
        return _is_empty(archives, replace(self.one.source, place=beside))

    def _write(self, act: ActContext, entry: PinnedDatabase, now: DatabaseState) -> None:
        if self._is_ours(now):
            old = entry.place.rpartition("/")[2]
            names = (new_server(old, entry.point, attempt) for attempt in range(1, _ATTEMPTS + 1))
            free = next((name for name in names if self._is_free(act.archives, entry.place, name)), None)
            if free is None:
                raise PermanentError(
                    f"database {self.one.key} has archived to {_ATTEMPTS} places, and was never proven",
                    evidence=(f"{entry.place}-…",), hint="delete from the bucket what was not proven, and run the same again",
                )  # fmt: skip
            made = recovery_manifest(self.one.manifest, entry.namespace, old, free, entry.point)
            act.databases.write_draft(entry.namespace, entry.name, json.dumps(made, indent=2) + "\n")

    def by_hand(self) -> str:
        return archive_by_hand(self.one.source)


def _is_over(entry: PinnedDatabase, now: DatabaseState) -> bool:
    """Whether what was proven by this entry is gone: the next one is chosen anew."""
    return entry.proven > 0 and entry.uid != now.uid


def _looked_at(archives: ArchivesView, archive: DatabaseArchive) -> ArchiveLook:
    """What is seen of it. TransientError from a store that is silent: that is neither an archive nor its absence."""
    found = archives.look(archive)
    if found.verdict is ArchiveVerdict.UNREACHABLE:
        told = f"the archive of {archive.key} cannot be looked at: unreachable"
        raise TransientError(told, evidence=(archive.place, found.detail))
    return found


def _is_empty(archives: ArchivesView, archive: DatabaseArchive) -> bool:
    """Whether nothing lies there. PermanentError where nobody can tell, and what `_looked_at` raises."""
    found = _looked_at(archives, archive)
    if found.verdict in (ArchiveVerdict.MISSING, ArchiveVerdict.REFUSED, ArchiveVerdict.UNKNOWN):
        told = f"whether anything lies where database {archive.key} is to archive to is not known: {found.verdict.value}"
        raise PermanentError(told, evidence=(archive.place, found.detail))
    return found.verdict is ArchiveVerdict.EMPTY


def _refuse_another(one: RestorableDatabase, point: RecoveryPoint, before: PinnedDatabase | None, until: float) -> None:
    """Where the newest base backup is of another database than the one that was proven before; a time decides between them."""
    known = before.point.system_id if before is not None and before.proven else ""
    if known and point.system_id and point.system_id != known and not until:
        raise PermanentError(
            f"the archive of database {one.key} is another database's by now",
            evidence=(f"base backup {point.base} is of system {point.system_id}; what was proven here was {known}",
                      one.source.place),
            hint="--as-of TIME takes what was backed up last by then, whosesoever it is",
        )  # fmt: skip


def steps(house: House, databases: tuple[RestorableDatabase, ...], as_of: float) -> Iterator[PinDatabase]:
    """One for every database to restore."""
    for one in databases:
        yield PinDatabase(house, one, as_of)
