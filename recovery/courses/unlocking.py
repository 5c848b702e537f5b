"""The course of `dr.unlock`: the dead locks of one claim's repositories, each a step. Knows no terminal."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from adapters.context import LookContext
from cluster.backups.audit import repository_of
from cluster.course import Course
from engine.errors import BlackstartError, SettingsInvalid
from house.model import BackedUpClaim, House
from recovery.kopia import of_kopia
from recovery.locks import Judged, Owner, judged, owners
from recovery.selection import named
from recovery.steps.repository import lift_lock


@dataclass(frozen=True)
class Locked:
    """What is in the way at one place of a claim. `silent` is why it could not be looked at, None where it could."""

    place: BackedUpClaim
    locks: tuple[Judged, ...] = ()
    silent: BlackstartError | None = None


def to_unlock(house: House, words: str) -> BackedUpClaim:
    """The one claim of these words. SettingsInvalid for none, several, and one that kopia alone backs up: it has no such locks."""
    if others := of_kopia(house, words):
        raise SettingsInvalid(
            f"{others[0].key} is backed up by kopia, which keeps nobody out by lock files: there is nothing to unlock",
            next_command="invoke dr.audit",
        )
    if not words.strip() or "," in words:
        raise SettingsInvalid(
            "one claim at a time is unlocked", evidence=tuple(claim.key for claim in house.claims),
            hint="right would be one NAMESPACE/NAME",
        )
    return named(house, words)[0]


def looked_at(look: LookContext, house: House, claim: BackedUpClaim) -> tuple[Locked, ...]:
    """Every place of the claim, with each of its locks judged; repositories that are the same one are looked at once."""
    places = {place.open_as: place for place in reversed(claim.sources)}
    return tuple(_looked_at(look, house, place) for place in reversed(places.values()))


def _looked_at(look: LookContext, house: House, place: BackedUpClaim) -> Locked:
    try:
        found = look.locks.locks(repository_of(house, place))
    except BlackstartError as error:
        return Locked(place, silent=error)
    known, now = owners(look, found), look.clock.now()
    return Locked(place, tuple(judged(lock, known.get(lock.host, Owner()), now) for lock in found))


def unlock_course(house: House, seen: tuple[Locked, ...], begun: Collection[str] = ()) -> Course:
    """A step for each lock whose owner is dead, and for each that one of `begun` (the journal's steps in flight) was about."""
    steps: dict[str, lift_lock.LiftLock] = {}
    for one in seen:
        wanted = [each.lock.lock_id for each in one.locks if each.dead]
        start = f"backup.unlock/{one.place.source_key}/"
        wanted += [step.removeprefix(start) for step in begun if step.startswith(start)]
        for lock_id in wanted:
            step = lift_lock.LiftLock(house, one.place, lock_id)
            steps.setdefault(step.id, step)
    return Course(checks=(), steps=tuple(steps.values()))
