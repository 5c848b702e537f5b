"""What stands under each claim: its storage class, who makes the class's volumes, and the checks that speak for that system."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from adapters.context import LookContext
from adapters.kubernetes.results import StorageClass
from cluster.course import HouseCheck
from cluster.storage.gate import Gate
from cluster.storage.kinds import ground_under
from cluster.storage.room import Ground, RoomEnough
from engine.probe import Probe, drifted, missing, satisfied
from engine.step import BaseCheck, StepId, if_any
from house.data.nouns import Space
from house.model import BackedUpClaim, House


@dataclass(frozen=True)
class StandsOn(BaseCheck):
    """One claim's storage class is still the one whose system was looked at; that this is sound the `rows` say that it needs."""

    claim: BackedUpClaim
    storage_class: StorageClass
    rows: tuple[str, ...]

    @property
    def needs(self) -> tuple[str, ...]:
        return (*self.rows, if_any(f"storage.write/{self.storage_class.name}"))

    @property
    def id(self) -> StepId:
        return StepId(f"storage.under/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"storage under {self.claim.key}"

    def probe(self, look: LookContext) -> Probe:
        name = self.storage_class.name
        found = next((one for one in look.cluster.storage_classes() if one.name == name), None)
        if found is None:
            return missing(f"there is no storage class {name} any more")
        if (found.provisioner, found.parameters) != (self.storage_class.provisioner, self.storage_class.parameters):
            return drifted(f"storage class {name} makes its volumes elsewhere than a moment ago", hint="run the same again")
        return satisfied(f"class {name} of {found.provisioner}")

    def by_hand(self) -> str:
        return f"kubectl get storageclass {self.storage_class.name} -o yaml   # its provisioner and parameters"


def gates(look: LookContext, house: House, claims: Iterable[BackedUpClaim]) -> tuple[HouseCheck, ...]:
    """Checks of every system that these claims' volumes are made on, and for each such claim one that needs those of its own.

    A claim on anything else has none. Raises what the look at the cluster raises.
    """
    wanted = {claim.key: claim for claim in claims}
    classed = classes_of(look, house, wanted)
    made = ground_under(look, house, set(classed.values()))
    rows: dict[StepId, HouseCheck] = {}
    rooms = _rooms(house, [(wanted[key], made[found]) for key, found in classed.items() if found in made])
    under = []
    for key, found in classed.items():
        if (ground := made.get(found)) is None:
            continue
        rows.update((row.id, Gate(row)) for row in ground.rows)
        needs = [row.id for row in ground.rows]
        if ground.room is not None:
            needs.append(rooms[ground.room.name].id)
        under.append(StandsOn(wanted[key], found, tuple(needs)))
    return (*rows.values(), *map(Gate, rooms.values()), *under)


def to_write(look: LookContext, house: House, claims: Iterable[BackedUpClaim]) -> dict[str, tuple[str, ...]]:
    """Classes of these claims of which only a write tells whether they take one, each with the rows that come before it."""
    classes = set(classes_of(look, house, [claim.key for claim in claims]).values())
    made = ground_under(look, house, classes)
    return {one.name: tuple(row.id for row in ground.rows) for one, ground in made.items() if ground.written}


def _rooms(house: House, claims: Iterable[tuple[BackedUpClaim, Ground]]) -> dict[str, RoomEnough]:
    """For each place that these claims share, whether all of them fit there together."""
    rooms: dict[str, RoomEnough] = {}
    for claim, ground in claims:
        if ground.room is not None:
            there = rooms.get(ground.room.name) or RoomEnough(house, ground.room, (), ground.rows)
            rooms[ground.room.name] = replace(there, claims=(*there.claims, claim))
    return rooms


def classes_of(look: LookContext, house: House, keys: Iterable[str]) -> dict[str, StorageClass]:
    """Of these claims (`namespace/name`) the class, as the cluster has it, else as Git declares it; the default for none.

    One whose class is not there, or not told, is left out. Raises what the look at the cluster raises.
    """
    classes = look.cluster.storage_classes()
    named = {one.name: one for one in classes}
    default = next((one for one in classes if one.default), None)
    declared = {one.key: one.storage for one in house.data.holders if one.space is Space.CLAIM}
    written = declared | {one.key: one.storage_class for one in look.cluster.claims()}
    found = {key: named.get(name) if (name := written.get(key, "")) else default for key in keys}
    return {key: one for key, one in found.items() if one is not None}
