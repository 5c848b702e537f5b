"""Which claims a restore concerns: those that were named or all that are held, and what each of them needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.backups.results import Depth, Verdict
from adapters.context import LookContext
from adapters.hold.results import HoldRecord
from adapters.volsync.results import ClaimPhase
from adapters.volsync.trigger import is_of
from cluster.audit import Asked, audit_claim
from cluster.holding import still_held
from engine.errors import SettingsInvalid
from house.model import BackedUpClaim, House
from recovery.steps.first_backup import trigger_of


@dataclass(frozen=True)
class Selection:
    """`wanted` are restored; those of them that are bound and alive stand in `again` too. `never_backed_up` start empty."""

    wanted: tuple[BackedUpClaim, ...]
    again: tuple[BackedUpClaim, ...]
    never_backed_up: tuple[BackedUpClaim, ...]


def named(house: House, claims: str) -> tuple[BackedUpClaim, ...]:
    """Claims by `namespace/name` or by name, comma between them; all when empty. Raises SettingsInvalid for an unknown one."""
    if not claims:
        return house.claims
    chosen = []
    for word in map(str.strip, claims.split(",")):
        found = [c for c in house.claims if word in (c.key, c.claim)]
        if len(found) != 1:
            raise SettingsInvalid(
                f"{word} names {'no' if not found else 'more than one'} claim", evidence=tuple(c.key for c in house.claims)
            )
        chosen.append(found[0])
    return tuple(dict.fromkeys(chosen))


def select(look: LookContext, house: House, claims: str, known: Mapping[str, str]) -> Selection:
    """What a restore of these claims (in the words of `named`) has to do. `known`: repository ids of the lock file, by claim."""
    chosen = named(house, claims)
    record = look.hold.record()
    alive = [c for c in chosen if _alive(look, record, c)]
    empty = [
        c for c in chosen
        if not c.requirement.required and c.key not in known and c not in alive
        and audit_claim(look.backups, look.clock, house, c, Asked(depth=Depth.LISTED, alone=True)).verdict is Verdict.MISSING
    ]  # fmt: skip
    # A claim that is alive is only touched when it was named: "all" means all that are held. One whose replacement was
    # consented to and broke off is held: left alone it would stay without its claim, and the run would call itself done.
    midway = [c for c in alive if (entry := record.claim(c.namespace, c.claim)) is not None and still_held((entry,))]
    again = tuple(alive if claims else midway)
    # And one whose run broke off in its first backup has our trigger on its source, which keeps its schedule off.
    unfinished = [c for c in alive if c not in again and _backing_up(look, record, c)]
    wanted = tuple(c for c in chosen if c not in empty and (c not in alive or c in again or c in unfinished))
    return Selection(wanted, again, tuple(empty))


def _backing_up(look: LookContext, record: HoldRecord, claim: BackedUpClaim) -> bool:
    """Whether the trigger of its first backup is still on, under whatever number."""
    entry = record.claim(claim.namespace, claim.claim)
    return entry is not None and is_of(look.claims.source(claim.namespace, claim.source).manual, trigger_of(entry))


def _alive(look: LookContext, record: HoldRecord, claim: BackedUpClaim) -> bool:
    """Whether a claim is bound, and the hold does not concern it (any more), or it is on its way to be replaced."""
    entry = record.claim(claim.namespace, claim.claim)
    if entry is not None and entry in still_held((entry,)):
        return bool(entry.replaces)
    return look.claims.claim(claim.namespace, claim.claim).phase is ClaimPhase.BOUND
