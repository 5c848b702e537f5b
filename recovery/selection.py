"""Which claims a restore concerns: those that were named or all that are held, and what each of them needs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from adapters.backups.results import Depth, Verdict
from adapters.context import LookContext
from adapters.hold.results import HeldClaim
from adapters.volsync.trigger import is_of
from cluster.backups.audit import Asked, audit_claim
from cluster.hold.standing import Standing, Way, standing
from cluster.order import in_order
from engine.errors import SettingsInvalid
from house.model import BackedUpClaim, House
from recovery.points.kept import on_its_way
from recovery.steps.hold.first_backup import trigger_of


@dataclass(frozen=True)
class Selection:
    """`wanted` are restored; those of them that are bound and alive stand in `again` too. `never_backed_up` start empty."""

    wanted: tuple[BackedUpClaim, ...]
    again: tuple[BackedUpClaim, ...]
    never_backed_up: tuple[BackedUpClaim, ...]


NOTHING = Selection((), (), ())


def named(house: House, claims: str) -> tuple[BackedUpClaim, ...]:
    """Claims by `namespace/name` or by name, comma between them; all when empty. Raises SettingsInvalid for an unknown one."""
    if not claims:
        return house.claims
    chosen = []
    for word in map(str.strip, claims.split(",")):
        found = [c for c in house.claims if word in (c.key, c.claim)]
        if len(found) != 1:
            raise no_claim(word, found or house.claims)
        chosen.append(found[0])
    return tuple(dict.fromkeys(chosen))


def no_claim(word: str, known: Sequence[BackedUpClaim]) -> SettingsInvalid:
    """That `word` names not exactly one claim; `known`: those that it may have meant, one of which would be right."""
    several = [one for one in known if word == one.claim]
    what = f"{word or 'an empty word'} names {'more than one' if several else 'no'} claim"
    better = f"right would be NAMESPACE/NAME, as in {known[0].key}" if known else "Git declares no claim with a backup"
    return SettingsInvalid(what, evidence=tuple(one.key for one in known), hint=better)


def in_turn(house: House, claims: str) -> tuple[BackedUpClaim, ...]:
    """The claims of these words, all for none. A person's own order is the order; else what others wait for is back first."""
    return named(house, claims) if claims else tuple(in_order(house, house.claims))


def select(
    look: LookContext, house: House, claims: str, known: Mapping[str, str], begun: Collection[str] = (), apart: Collection[str] = ()
) -> Selection:
    """What a restore of these claims (in the words of `named`) has to do. `known`: repository ids of the lock file, by claim.

    `begun`: the steps that the journal holds for begun and not ended. `apart`: claims by key that go back to another restore point
    than a backup.
    """
    chosen = tuple(claim for claim in in_turn(house, claims) if claim.key not in apart)
    where = {c.key: standing(look.hold, look.claims, c) for c in chosen}
    alive = [c for c in chosen if _alive(where[c.key])]
    empty = [
        c for c in chosen
        if not c.requirement.required and c not in alive and not any(place.source_key in known for place in c.sources)
        and all(
            audit_claim(look.backups, look.clock, house, place, Asked(depth=Depth.LISTED, alone=True)).verdict is Verdict.MISSING
            for place in c.sources
        )
    ]  # fmt: skip
    # A claim that is alive is only touched when it was named: "all" means all that are held. One whose replacement was
    # consented to and broke off is held: left alone it would stay without its claim, and the run would call itself done.
    midway = [c for c in alive if where[c.key].way in (Way.HELD, Way.PROVEN) and not on_its_way(where[c.key].entry)]
    again = tuple(alive if claims else midway)
    # And one whose run broke off in its first backup has our trigger on its source, which keeps its schedule off.
    # One that was cut off between its last act and the journal's word of it is gone on with as well: nobody else ends that step.
    unfinished = [
        c for c in alive
        if c not in again and (_backing_up(look, where[c.key].entry, c) or (where[c.key].way is Way.THROUGH and _begun(begun, c)))
    ]  # fmt: skip
    wanted = tuple(c for c in chosen if c not in empty and (c not in alive or c in again or c in unfinished))
    return Selection(wanted, again, tuple(empty))


def _begun(begun: Collection[str], claim: BackedUpClaim) -> bool:
    """Whether a step of its restore is in flight."""
    return any(step.startswith(("recovery.", "hold.declare/")) and step.endswith(f"/{claim.key}") for step in begun)


def _backing_up(look: LookContext, entry: HeldClaim | None, claim: BackedUpClaim) -> bool:
    """Whether the trigger of its first backup is still on, under whatever number."""
    sources = dict.fromkeys(place.source for place in claim.sources)
    return entry is not None and any(
        is_of(look.claims.source(claim.namespace, source).manual, trigger_of(entry)) for source in sources
    )


def _alive(there: Standing) -> bool:
    """Whether it is a claim whose data only consent may replace, or one that is on its way to be replaced."""
    if there.way in (Way.HELD, Way.PROVEN):
        return there.entry is not None and bool(there.entry.replaces)
    return there.way in (Way.ALIVE, Way.HELD_ALIVE, Way.THROUGH)
