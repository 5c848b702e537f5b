"""Where a claim is on its way through the hold: what the record says of it, judged by the claim as it is now. Knows no step.

A claim that is through is that one claim, by its uid. Once it is lost, the danger that the hold is there for is back, and so
the word *released* is no answer any more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from adapters.hold.results import NO_ENTRY, HeldClaim, HoldState
from adapters.ports import HoldView
from adapters.volsync.port import ClaimsView
from adapters.volsync.results import ClaimPhase, ClaimState
from house.model import BackedUpClaim


class Way(Enum):
    """The stations. Only the first and LOST are open to the danger; ALIVE and HELD_ALIVE have data that only consent replaces."""

    OPEN = "not in the hold's record, and without a volume"
    ALIVE = "not in the hold's record, and alive"
    HELD = "held"
    HELD_ALIVE = "held, and alive"
    PROVEN = "proven"
    THROUGH = "through: it is the claim that was let go"
    LOST = "lost: it is not the claim that was let go"


@dataclass(frozen=True)
class Standing:
    """One claim: its entry (None for none), the claim as it is now, and where that leaves it."""

    entry: HeldClaim | None
    now: ClaimState
    way: Way

    @property
    def through(self) -> bool:
        """Whether the hold no longer concerns this claim."""
        return self.way is Way.THROUGH

    @property
    def held(self) -> bool:
        """Whether no backup of it is admitted."""
        return self.way in (Way.HELD, Way.HELD_ALIVE, Way.PROVEN)

    @property
    def untold(self) -> bool:
        """Whether it is through by what can be told from outside alone: no uid was written when it was let go."""
        return self.through and self.entry is not None and not self.entry.uid and self.now.alive

    @property
    def told(self) -> str:
        """In words: the record's state, and what has become of the claim."""
        if self.entry is None or self.way is not Way.LOST:
            return self.entry.state.value if self.entry is not None else self.way.value
        return f"{self.entry.state.value} once, and {_become(self.entry, self.now)}"


def standing(hold: HoldView, claims: ClaimsView, claim: BackedUpClaim | HeldClaim) -> Standing:
    """Look at both, the record first: whoever lets a claim go has seen it before."""
    entry = hold.record().claim(claim.namespace, claim.claim)
    now = claims.claim(claim.namespace, claim.claim)
    return Standing(entry, now, way(entry, now))


def way(entry: HeldClaim | None, now: ClaimState) -> Way:
    """The one judgement, of these two alone."""
    if entry is None:
        return Way.ALIVE if now.alive else Way.OPEN
    if entry.state is HoldState.PROVEN:
        return Way.PROVEN
    if entry.state is HoldState.HELD:
        return Way.HELD_ALIVE if now.alive and not entry.replaces else Way.HELD
    return Way.THROUGH if _is_that_one(entry, now) else Way.LOST


def held_anew(there: Standing, claim: BackedUpClaim | HeldClaim, now: float) -> HeldClaim:
    """The entry of a claim that is held from now on (seconds since the epoch), unpinned, whatever it was before."""
    seen = there.entry.seen if there.entry is not None else NO_ENTRY
    uid = there.now.uid if there.now.alive else ""
    return HeldClaim(
        claim.namespace, claim.claim, HoldState.HELD, claim.destination, claim.source, since=now, uid=uid, seen=seen
    )


def let_go(entry: HeldClaim, state: HoldState, claim: ClaimState, now: float, reason: str = "") -> HeldClaim:
    """The entry of a claim that is released or accepted empty at `now` (seconds since the epoch): this very claim, by its uid.

    A claim that is not there has none: the entry is then one that no later claim is let through by.
    """
    told = reason or entry.reason
    return replace(entry, state=state, released=now, reason=told, uid=claim.uid, filling=bool(claim.uid) and not claim.alive)


def _is_that_one(entry: HeldClaim, now: ClaimState) -> bool:
    """Whether the claim of now is the one that was let go.

    An entry without a uid was written by an older version, or when there was no claim. Then it is that one only if it was made
    before it was let go: what is younger, of unknown age, or without a volume may be what Flux has made in the place of a lost one.
    """
    if now.deleting or now.phase in (ClaimPhase.ABSENT, ClaimPhase.LOST):
        return False
    if now.phase is ClaimPhase.PENDING:
        return entry.filling and entry.uid == now.uid
    if entry.uid:
        return entry.uid == now.uid
    return 0.0 < now.created <= (entry.released or entry.since)


def _become(entry: HeldClaim, now: ClaimState) -> str:
    if now.deleting:
        return "the claim is being deleted"
    if now.phase is not ClaimPhase.BOUND:
        return {"absent": "the claim is gone", "lost": "its volume is lost"}.get(now.phase.value, "the claim has no volume")
    was = f"uid {entry.uid}" if entry.uid else "one made before it was let go"
    return f"another claim stands in its place (uid {now.uid}, it was {was})"
