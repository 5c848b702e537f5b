"""Whether what a checkpoint has saved stands a look as deep as was asked, and whether all of it holds still. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from adapters.backups.results import WHOLE, Depth, Part, Verdict
from adapters.context import LookContext
from cluster.backups.audit import Asked, audit_claim, repository_of
from cluster.steps.rest_app import RestApp
from engine.probe import Condition, Probe, changing, missing, satisfied
from engine.step import BaseCheck, StepId
from engine.text.words import number
from house.model import BackedUpClaim, House
from recovery.steps.claims.save_claim import SaveClaim, places_of, saved_by
from recovery.steps.databases import save_database


@dataclass(frozen=True)
class SavedWell(BaseCheck):
    """The snapshot that was saved at rest is the newest of its repository, and sound at that depth."""

    house: House
    place: BackedUpClaim
    depth: Depth = Depth.TREE
    part: Part = WHOLE
    known: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> StepId:
        return StepId(f"checkpoint.proven/{self.place.source_key}")

    @property
    def title(self) -> str:
        return f"what was saved of {self.place.source_key} is sound"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"checkpoint.save/{self.place.source_key}",)

    def probe(self, look: LookContext) -> Probe:
        source = look.claims.source(self.place.namespace, self.place.source)
        saved = saved_by(look.backups.look(repository_of(self.house, self.place)), source)
        if saved is None:
            return changing("its snapshot is not there yet")
        asked = Asked(self.known, depth=self.depth, part=self.part)
        found = audit_claim(look.backups, look.clock, self.house, self.place, asked)
        if found.verdict is Verdict.OK and (found.newest is None or found.newest.snapshot_id != saved.snapshot_id):
            other = found.newest.snapshot_id[:8] if found.newest is not None else "none"
            return missing(f"a restore would take snapshot {other}, and {saved.snapshot_id[:8]} is what was saved at rest")
        return found.probe()

    def by_hand(self) -> str:
        return f"invoke dr.audit --depth {self.depth.value}"


@dataclass(frozen=True)
class SafeToWipe(BaseCheck):
    """Everything rests still, and what was saved of it is what there is."""

    house: House
    needs: tuple[str, ...] = ()
    id = StepId("checkpoint.safe")
    title = "nothing was written since"

    def probe(self, look: LookContext) -> Probe:
        awake = [c.key for c in self.house.claims if RestApp(self.house, c).probe(look).condition is not Condition.SATISFIED]
        if awake:
            return missing(f"{number(len(awake), 'application')} run again: what was saved of it is not all any more", *awake)
        places = places_of(self.house)
        unsaved = [one.source_key for one in places if SaveClaim(self.house, one).probe(look).condition is not Condition.SATISFIED]
        if unsaved:
            return missing(f"{number(len(unsaved), 'place')} not saved", *unsaved)
        ended = [*save_database.steps(self.house)]
        if running := [one.database.key for one in ended if one.probe(look).condition is not Condition.SATISFIED]:
            return missing(f"{number(len(running), 'database')} run again: their log goes on", *running)
        resting, more = number(len(self.house.claims), "application"), number(len(ended), "database")
        told = f"{resting} at rest, {number(len(places), 'backup')} of all that they have"
        return satisfied(f"{told}, {more} ended with all of the log archived" if ended else told)

    def by_hand(self) -> str:
        return "invoke dr.checkpoint   # changes nothing while it is safe"


def checks(house: House, depth: Depth, part: Part, known: Mapping[str, str]) -> Iterator[SavedWell]:
    """One for every place of every claim; `known` maps claims (`source_key`) to the repository ids of the lock file."""
    for place in places_of(house):
        yield SavedWell(house, place, depth, part, known)
