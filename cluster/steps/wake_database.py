"""Let a database of CloudNativePG run again that hibernated with its house."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from cluster.hibernation import HibernationStep
from engine.probe import Probe, changing, missing, satisfied
from engine.step import Notes, StepId
from house.model import House


@dataclass(frozen=True)
class WakeDatabase(HibernationStep):
    """It does not hibernate by our word. What somebody else has put to rest stays so."""

    @property
    def id(self) -> StepId:
        return StepId(f"start.database/{self.database.key}")

    @property
    def title(self) -> str:
        return f"database {self.database.key} as it was"

    def probe(self, look: LookContext) -> Probe:
        found = look.databases.database(self.database.namespace, self.database.name)
        if not found.present:
            return satisfied("not in the cluster")
        if found.ours:
            return missing("it hibernates since the house was switched off")
        if found.to_sleep:
            return satisfied("it hibernates by somebody else's word, and stays so")
        return changing("its pods come back") if found.asleep else satisfied("it may run")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        act.databases.wake(self.database.namespace, self.database.name)

    def by_hand(self) -> str:
        return self.by_annotation("off")


def steps(house: House, after: tuple[str, ...] = ()) -> Iterator[WakeDatabase]:
    """One for every database that Git declares; `after` what comes before all of them."""
    for database in house.databases:
        yield WakeDatabase(house, database, after)
