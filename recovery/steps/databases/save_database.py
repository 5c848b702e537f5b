"""Have a database end in order while applications rest, and note where its log was: what is archived by then is all of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.cnpg.results import DatabaseState, Left, Reached
from adapters.context import ActContext, LookContext
from cluster.hibernation import HibernationStep
from engine.errors import PermanentError, TransientError
from engine.probe import Probe, changing, missing, satisfied
from engine.step import Hazard, Notes, StepId
from house.model import House
from house.values.databases import DatabaseArchive


@dataclass(frozen=True)
class SaveDatabase(HibernationStep):
    """It hibernates by our word, which says where its log was. PostgreSQL closes its last segment and archives it as it ends."""

    @property
    def id(self) -> StepId:
        return StepId(f"checkpoint.database/{self.database.key}")

    @property
    def title(self) -> str:
        return f"database {self.database.key} ended, its log closed"

    def hazard(self, seen: Probe) -> Hazard:
        # The consent is to the checkpoint, which names it.
        return Hazard.DISRUPTS

    def probe(self, look: LookContext) -> Probe:
        found = look.databases.database(self.database.namespace, self.database.name)
        if not found.present:
            return satisfied("not in the cluster: there is nothing of it but its archive")
        self._refuse(look, found)
        if not found.to_sleep:
            return missing("it runs")
        if found.left is None:
            raise PermanentError(
                f"database {self.database.key} hibernates, and nobody noted where its log ended: what it has beyond its archive"
                " is not known",
                hint="let it run again first (invoke cluster.start, or by whose word it rests), then the same",
            )
        return satisfied(f"ended at {found.left.lsn:#x} of timeline {found.left.timeline}") if found.asleep else changing("it ends")

    def _refuse(self, look: LookContext, found: DatabaseState) -> None:
        """PermanentError for what a checkpoint cannot save."""
        pinned = look.hold.record().pinned_database(self.database.namespace, self.database.name)
        if pinned is not None and not pinned.proven:
            raise PermanentError(f"database {self.database.key} is not saved: it is being restored", next_command="invoke dr.hold")
        if found.to_sleep:
            return
        if not found.healthy or found.archiving:
            why = f"it does not archive: {found.archiving}" if found.archiving else found.told
            raise PermanentError(
                f"database {self.database.key} is not saved: {why}", hint="mend that first: nothing of its log gets out now"
            )

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        namespace, name = self.database.namespace, self.database.name
        at = self._reached(act)
        notes.put("left", f"{at.timeline} {at.lsn}")
        act.databases.rest(namespace, name, Left(at.timeline, at.lsn, act.clock.now()))

    def _reached(self, act: ActContext) -> Reached:
        """Where its log is. TransientError where the answer is not that of its primary: what is noted of another would never be
        archived, or be so too early."""
        namespace, name = self.database.namespace, self.database.name
        found, at = act.databases.database(namespace, name), act.databases.reached(namespace, name)
        if at.recovering or at.lsn <= 0 or at.timeline <= 0:
            why = ": who answered still replays one" if at.recovering else ""
            raise TransientError(f"database {self.database.key} does not say where its log is{why}")
        if found.system_id and at.system_id != found.system_id:
            told = (f"its operator: {found.system_id}", f"itself: {at.system_id or 'nothing'}")
            raise TransientError(f"who answers for database {self.database.key} is another database", evidence=told)
        return at

    def by_hand(self) -> str:
        return self.by_annotation("on")


def archive_of(house: House, key: str) -> DatabaseArchive | None:
    """Where a database archives to, None where nobody here can look."""
    return next((one for one in house.archives if one.key == key and one.place), None)


def steps(house: House, after: tuple[str, ...] = ()) -> Iterator[SaveDatabase]:
    """One for every database whose archive can be looked at; `after` what comes before all of them."""
    for database in house.databases:
        if archive_of(house, database.key) is not None:
            yield SaveDatabase(house, database, after)
