"""Of the places that a claim is backed up to, the one that a restore takes: the freshest that is sound. Knows no record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from adapters.backups.results import RestorePoint, Verdict
from adapters.ports import BackupsView
from cluster.backups.audit import TRUSTED, Asked, ClaimAudit, audit_claim
from engine.errors import PermanentError
from engine.text.lengths import apart
from engine.text.words import number
from engine.waiting import Clock
from house.model import BackedUpClaim, House

Unsound = Mapping[str, tuple[Verdict, str]]
"""Secrets of places that something else speaks against than their repository does: what, and why."""
NO_SECRETS: Unsound = MappingProxyType({})
_WAITED_FOR = (Verdict.UNREACHABLE, Verdict.UNKNOWN)
_NO_DATA_OF_IT = (Verdict.FOREIGN,)
_NOT_SEEN = (*_WAITED_FOR, Verdict.REFUSED, Verdict.UNREADABLE)


def place_of(claim: BackedUpClaim, origin: str) -> BackedUpClaim:
    """The claim as the place of this Secret has it; "" is its first one. PermanentError where nobody names that one any more."""
    found = next((place for place in claim.sources if place.origin == origin), None)
    if found is None:
        raise PermanentError(
            f"{claim.key} is restored from the repository of Secret {origin}, which neither Git nor the settings name any more",
            evidence=tuple(named(place) for place in claim.sources),
            hint=f"name it again under backups.claims.{claim.key}.sources of the settings",
        )
    return found


def named(place: BackedUpClaim) -> str:
    """A place in words: the Secret that a mover is given, and where that is from here."""
    return f"{place.repository_secret} ({place.open_as or place.mover_repository or 'not known where'})"


def audit_sources(
    backups: BackupsView, clock: Clock, house: House, claim: BackedUpClaim, asked: Asked, unsound: Unsound = NO_SECRETS
) -> ClaimAudit:
    """The audit of the freshest place that is sound at the depth that is asked, with those of the others beside it.

    Places of the same age are taken in Git's order; of one whose Secret is in `unsound` the verdict is what that says. Where none
    is sound the audit is of one that may be so later, else of the first.
    """
    if len(claim.sources) == 1:
        return audit_claim(backups, clock, house, claim, asked)
    audits = [_judged(audit_claim(backups, clock, house, place, asked), unsound) for place in claim.sources]
    sound = [one for one in audits if restorable(one, asked.as_of) is not None]
    if sound:
        best = max(sound, key=lambda one: one.newest.time if one.newest is not None else 0.0)  # the first of equals
    else:
        best = next((one for one in audits if one.verdict in _WAITED_FOR or one.busy), audits[0])
    passed = tuple(one for one in audits if one is not best)
    told = "; ".join(passed_over(best, one, asked.as_of) for one in passed)
    how = "passed over: " if sound else ""
    start = "from" if sound else f"none of {number(len(audits), 'place')} can be restored from:"
    return replace(best, passed=passed, detail=f"{start} {named(best.claim)}: {best.detail}; {how}{told}")


def _judged(audit: ClaimAudit, unsound: Unsound) -> ClaimAudit:
    found = unsound.get(audit.claim.repository_secret)
    return audit if found is None else replace(audit, verdict=found[0], detail=found[1])


def restorable(audit: ClaimAudit, as_of: float) -> RestorePoint | None:
    """The snapshot of a sound place that a restore would take, as old as `as_of` (epoch seconds, 0.0 for now) wants it."""
    found = audit.newest
    if audit.verdict not in TRUSTED or found is None or (as_of and not found.is_as_old_as(as_of)):
        return None
    return found


def passed_over(best: ClaimAudit, other: ClaimAudit, as_of: float) -> str:
    """Why this place is not the one, by its name; and by how much what it has is older or newer."""
    mine, its = restorable(best, as_of), other.newest
    told = other.told if other.verdict in TRUSTED else f"{other.told}: {other.detail}"
    if other.verdict in TRUSTED and restorable(other, as_of) is None:
        told = "no complete snapshot that old"
    if mine is not None and its is not None and other.verdict not in _NO_DATA_OF_IT and its.time != mine.time:
        told += f"; its newest is {apart(its.time - mine.time, 'newer', 'older', 'of the same second')}"
    elif mine is not None and its is None and other.verdict in _NOT_SEEN:
        told += "; whether it has anything newer is not known"
    return f"{named(other.claim)}: {told}"


def lost_with(best: ClaimAudit) -> tuple[RestorePoint, ...]:
    """Snapshots of the other places that are newer than the one taken and may be whole: its cost in age, which a person may refuse.

    Of a place in which something is lost those count that are known to be whole; of another repository none: it is nobody's data.
    """
    mine = best.newest
    newer = []
    for one in best.passed:
        for point in one.points if mine is not None and one.verdict not in _NO_DATA_OF_IT else ():
            whole = point.snapshot_id in one.whole if one.verdict is Verdict.UNREADABLE else point.complete
            if mine is not None and point.time > mine.time and whole:
                newer.append(point)
    return tuple(sorted(newer, key=lambda point: -point.time))
