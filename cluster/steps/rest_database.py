"""Have a database of CloudNativePG hibernate with a house that is to be switched off: its pods end in order, its volumes stay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from cluster.hibernation import HibernationStep
from cluster.machines.vms import unless_off
from engine.probe import Probe, changing, missing, satisfied
from engine.step import Hazard, Notes, StepId
from house.model import House


@dataclass(frozen=True)
class RestDatabase(HibernationStep):
    """No pod of it is left, by its operator's word. One that is not healthy, or is being made again, ends with its node."""

    @property
    def id(self) -> StepId:
        return StepId(f"stop.database/{self.database.key}")

    @property
    def title(self) -> str:
        return f"database {self.database.key} at rest"

    def hazard(self, seen: Probe) -> Hazard:
        # The consent is to the switching off of the house, which names it.
        return Hazard.DISRUPTS

    def probe(self, look: LookContext) -> Probe:
        return unless_off(look, self.house, lambda: self._seen(look), "it cannot be told to rest any more, and ends with its node")

    def _seen(self, look: LookContext) -> Probe:
        found = look.databases.database(self.database.namespace, self.database.name)
        if not found.present:
            return satisfied("not in the cluster")
        pinned = look.hold.record().pinned_database(self.database.namespace, self.database.name)
        if pinned is not None and not pinned.proven:
            return satisfied("left to its restore, and ends with its node")
        if found.to_sleep:
            whose = "" if found.ours else ", by somebody else's word, and stays so"
            return satisfied(f"hibernated{whose}") if found.asleep else changing("told to hibernate, and its pods are there still")
        if not found.healthy:
            return satisfied(f"not healthy ({found.told}): it ends with its node")
        return missing("it runs")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        act.databases.rest(self.database.namespace, self.database.name)

    def by_hand(self) -> str:
        return self.by_annotation("on")


def steps(house: House, after: tuple[str, ...] = ()) -> Iterator[RestDatabase]:
    """One for every database that Git declares; `after` what comes before all of them."""
    for database in house.databases:
        yield RestDatabase(house, database, after)
