"""What the hold's record says of one claim, for every step of a restore. Where that leaves it: cluster/hold/standing.py."""

from __future__ import annotations

from adapters.hold.results import HeldClaim
from adapters.ports import HoldView
from adapters.volsync.port import ClaimsView
from adapters.volsync.results import DestinationState
from engine.errors import PermanentError
from house.model import BackedUpClaim


def entry_of(hold: HoldView, claim: BackedUpClaim) -> HeldClaim | None:
    """The claim's entry, or None when the record has none."""
    return hold.record().claim(claim.namespace, claim.claim)


def pinned(hold: HoldView, claim: BackedUpClaim) -> HeldClaim:
    """The claim's entry with its pin; PermanentError when there is none: an act must never choose again."""
    entry = entry_of(hold, claim)
    if entry is None or not entry.pin:
        raise PermanentError(
            f"{claim.key} has no pinned restore point",
            evidence=("the hold's record has no pin for it",),
            next_command="invoke dr.plan",
        )
    return entry


def demand_replacing(hold: HoldView, claim: BackedUpClaim, what: str) -> HeldClaim:
    """The entry of a claim whose replacement somebody approved by its uid; PermanentError when nobody did. `what` would be done."""
    entry = entry_of(hold, claim)
    if entry is None or not entry.replaces:
        raise PermanentError(f"nobody approved that {claim.key} is {what}", next_command="invoke dr.plan")
    return entry


def is_another(state: DestinationState, entry: HeldClaim) -> bool:
    """Whether another VolumeSnapshot bears the name of the one that was proven (an older record does not know its uid)."""
    there = state.image == entry.image and state.image_uid
    return bool(there and entry.image_uid and state.image_uid != entry.image_uid)


def replaced(claims: ClaimsView, entry: HeldClaim | None, claim: BackedUpClaim) -> bool:
    """Whether the bound claim that the approval named is gone, or another one stands in its place."""
    if entry is None or not entry.replaces:
        return False
    state = claims.claim(claim.namespace, claim.claim)
    return state.uid != entry.replaces
