"""What a checkpoint takes away from people, and what it leaves out: each a no that only a person passes. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import LookContext
from cluster.backups.unprotected import audit_data
from cluster.steps.rest_app import RestApp
from engine.probe import Condition, Probe, Risk, missing, satisfied, unknown
from engine.step import BaseCheck, StepId
from engine.text.words import number
from house.data.nouns import Space
from house.model import House
from recovery.steps.claims.save_claim import refuse_held
from recovery.steps.databases import save_database


@dataclass(frozen=True)
class Quiet(Risk):
    """Applications that stop, by their claims, and databases that end with them."""

    applications: tuple[str, ...]
    databases: tuple[str, ...] = ()

    def __str__(self) -> str:
        named = (*self.applications, *(f"database {key}" for key in self.databases))
        return f"{', '.join(named)} stop, and serve nobody until cluster.start"


@dataclass(frozen=True)
class MayRest(BaseCheck):
    """They rest already, or a person consents to it."""

    house: House
    id = StepId("checkpoint.may-rest")
    title = "applications may stop"

    def probe(self, look: LookContext) -> Probe:
        for claim in self.house.claims:
            refuse_held(look, claim)  # before anything stops
        rows = [(claim.key, RestApp(self.house, claim).probe(look)) for claim in self.house.claims]
        ending = [(step.database.key, step.probe(look)) for step in save_database.steps(self.house)]
        awake = [key for key, seen in (*rows, *ending) if seen.condition is not Condition.SATISFIED]
        if not awake:
            return satisfied(f"{number(len(rows), 'application')} at rest")
        asked = Quiet(tuple(key for key, _ in rows), tuple(key for key, _ in ending))
        return missing(f"{len(awake)} of {len(rows) + len(ending)} run: {asked}", *awake, identity=asked)

    def by_hand(self) -> str:
        return "kubectl get pods -A   # what serves"


@dataclass(frozen=True)
class NotSaved(Risk):
    """What a wipe would lose, or bring back older than it was left, by name."""

    things: tuple[str, ...]

    def __str__(self) -> str:
        return f"not saved by a checkpoint: {'; '.join(self.things)}"


@dataclass(frozen=True)
class LeftOut(BaseCheck):
    """Everything that holds data is a claim that is saved here; for whatever is not, a person has to answer."""

    house: House
    id = StepId("checkpoint.left-out")
    title = "nothing with data is left out"

    def probe(self, look: LookContext) -> Probe:
        data = audit_data(look.cluster, self.house)
        if data.not_asked:
            return unknown(f"the cluster's claims are not known: {data.not_asked}")
        saved = {(Space.CLAIM, claim.key) for claim in self.house.claims}
        bare = (one.holder for one in data.faults if (one.holder.space, one.holder.key) not in saved)
        things = tuple(_left_out(self.house, tuple(holder.qualified for holder in bare)))
        if not things:
            # With a reason in the settings somebody has answered for it, and a wipe takes it away all the same.
            given = tuple(f"{one.holder.qualified}: {one.reason}" for one in data.bare if one.reason)
            more = f", but for {number(len(given), 'thing')} with a reason in backups.unprotected" if given else ""
            return satisfied(f"every claim with data is backed up{more}", *given)
        asked = NotSaved(things)
        hint = "save each by its own means first, or take it upon yourself by consent"
        return missing(f"{number(len(things), 'thing')} with data that this does not save", *things, hint=hint, identity=asked)

    def by_hand(self) -> str:
        return "invoke dr.audit   # what has no backup, and what else makes them"


def _left_out(house: House, bare: tuple[str, ...]) -> Iterator[str]:
    for name in bare:
        yield f"{name} has no backup"
    for database in house.databases:
        if save_database.archive_of(house, database.key) is not None:
            continue
        yield f"database {database.key} goes on writing, and comes back to the end of its log at most"
    for other in house.unsupported:
        yield f"{other.namespace}/{other.name} is backed up by {other.engine}, when that wants to"
