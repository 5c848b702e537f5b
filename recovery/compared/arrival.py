"""Look at the claim itself before it is released: what was proven is a copy of the image, what is backed up is the claim."""

from __future__ import annotations

from dataclasses import replace

from adapters.context import ActContext
from adapters.hold.results import HeldClaim, HoldState
from adapters.volsync.results import ClaimPhase, ClaimState, FileEntry, Listing
from cluster.backups.audit import repository_of
from cluster.backups.sources import place_of
from engine.errors import PermanentError, TransientError
from engine.text.words import number
from house.model import BackedUpClaim, House
from recovery.points.losses import Losses, losses


def look_at(act: ActContext, house: House, claim: BackedUpClaim, entry: HeldClaim) -> tuple[ClaimState, Losses]:
    """The claim as it is now, and what of the pinned snapshot is not in it (within what the settings let pass).

    PermanentError when the claim is not the one that was filled from the proof, or lost more than that.
    """
    before = _filled(act, claim, entry)
    wanted = act.backups.listing(repository_of(house, place_of(claim, entry.origin)), entry.snapshot_id)
    if not wanted.complete:
        raise TransientError(f"the list of snapshot {entry.snapshot_id[:8]} broke off", evidence=(wanted.detail,))
    found = act.claims.contents(claim.namespace, claim.claim, hashed=False)
    lost = losses(wanted.entries, found.entries)
    if lost.gone or lost.emptied:
        # An application writes while it is read: what one look has missed counts as gone only when a second one misses it too.
        found = _both(found, act.claims.contents(claim.namespace, claim.claim, hashed=False))
        lost = losses(wanted.entries, found.entries)
        if lost.gone and not found.complete:
            raise TransientError(f"the list of what is in {claim.key} broke off", evidence=(found.detail,))
    after = _filled(act, claim, entry)
    if (after.uid, after.volume) != (before.uid, before.volume):
        raise TransientError(f"{claim.key} became another claim while it was looked at")
    if lost.above(claim.requirement.max_loss):
        raise _not_arrived(claim, entry, after, lost)
    return after, lost


def _filled(act: ActContext, claim: BackedUpClaim, entry: HeldClaim) -> ClaimState:
    """The bound claim that the proven image has filled."""
    state = act.claims.claim(claim.namespace, claim.claim)
    if entry.state is not HoldState.PROVEN or not entry.image:
        told = f"{claim.key} is not released: it is {entry.state.value}, and no image of it is proven"
        raise PermanentError(told, hint="it stays held, and its backup as it is", next_command="invoke dr.plan")
    if state.phase is not ClaimPhase.BOUND or state.populated_from != entry.image:
        raise PermanentError(
            f"{claim.key} is not released: it is not the claim that the proven image has filled",
            evidence=(
                f"proven: {entry.image}", f"the claim: {state.phase.value}, filled from {state.populated_from or 'nothing known'}"
            ),
            hint="somebody made it meanwhile: it stays held, and its backup as it is", next_command="invoke dr.plan",
        )  # fmt: skip
    return state


def _both(first: Listing, second: Listing) -> Listing:
    """What either look has seen, the second's word counting where both have; complete when one of them is."""
    seen: dict[str, FileEntry] = {entry.path: entry for entry in (*first.entries, *second.entries)}
    return replace(second, entries=tuple(seen.values()), complete=first.complete or second.complete)


def _not_arrived(claim: BackedUpClaim, entry: HeldClaim, state: ClaimState, lost: Losses) -> PermanentError:
    return PermanentError(
        f"{claim.key} is not released: {len(lost.evidence)} of {number(lost.paths, 'path')} of snapshot "
        f"{entry.snapshot_id[:8]} are not in the claim",
        evidence=(
            f"claim uid {state.uid}, volume {state.volume or 'unknown'}, filled from {state.populated_from}",
            f"gone: {lost.lost} of {number(lost.size, 'byte')}; at most {lost.share(claim.requirement.max_loss)} of either may be",
            *lost.shown,
        ),
        hint="the claim stays held, and the backup as it is. Once nothing in it is needed, "
        f"`kubectl -n {claim.namespace} delete pvc {claim.claim}`: Flux makes it again, and it is filled anew. If the application "
        f"takes these files away by itself, say how much it may: `max_loss` of {claim.key} in backups.claims of the settings",
    )  # fmt: skip
