"""Lift the hold of one claim by hand: without a proof, and with a reason that the record keeps."""

from __future__ import annotations

from dataclasses import replace

from adapters.context import ActContext
from adapters.hold.results import HoldState
from adapters.volsync.results import ClaimPhase
from cluster.flux import resume_by_hand
from cluster.holding import still_held
from engine.errors import PermanentError
from house.model import BackedUpClaim
from recovery.suspension import kustomization_of, resting, start_again, suspend_by_hand, wake_by_hand


def lift(act: ActContext, claim: BackedUpClaim, reason: str) -> tuple[str, ...]:
    """Start what a replacement has stopped, write the release into the record, have VolSync look again.

    Answers what was done, and what is left for a person with its command. PermanentError when the claim is not held, and nothing
    of an earlier release is left to do.
    """
    entry = act.hold.record().claim(claim.namespace, claim.claim)
    if entry is None:
        raise PermanentError(f"{claim.key} is not in the hold's record", next_command="invoke dr.hold")
    held = bool(still_held((entry,)))
    if not held and not act.claims.destination(claim.namespace, claim.destination).ours:
        raise PermanentError(f"{claim.key} is not held: it is {entry.state.value}", next_command="invoke dr.hold")
    if held:
        # Before the record: what is cut off here is still held, so the next release, or the next restore, goes on from it.
        start_again(act, claim)
        act.hold.put(replace(entry, state=HoldState.RELEASED, reason=f"by hand, unproven: {reason}"))
    _wake(act, claim)
    told = f"released without a proof: {reason}" if held else f"was {entry.state.value} already; what was left of that is done now"
    return (f"{claim.key} {told}", *_left(act, claim))


def _wake(act: ActContext, claim: BackedUpClaim) -> None:
    """Nudge what is there and waits, for VolSync's back-off may be as long as the hold was; last of all take our pin off.

    As long as that is on, a release that was cut off is seen not to be over.
    """
    if act.claims.claim(claim.namespace, claim.claim).phase is ClaimPhase.PENDING:
        act.claims.nudge("PersistentVolumeClaim", claim.namespace, claim.claim)
    if act.claims.source(claim.namespace, claim.source).present:
        act.claims.nudge("ReplicationSource", claim.namespace, claim.source)
    if act.claims.destination(claim.namespace, claim.destination).ours:
        act.claims.unpin(claim.namespace, claim.destination)


def _left(act: ActContext, claim: BackedUpClaim) -> tuple[str, ...]:
    """What does not run though nothing holds it any more."""
    left = [f"{w.kind} {w.name} is still scaled to 0; to go on: {wake_by_hand(w)}" for w in resting(act.cluster, claim)]
    flux = kustomization_of(act.flux, claim)
    if flux is not None and flux.suspended:
        whose, resumed = "suspended, not by us, and stays so", resume_by_hand("kustomization", flux.key)
        if flux.ours:
            whose, resumed = "still suspended by us", suspend_by_hand(claim, on=False)
        left.append(f"Kustomization {flux.key} is {whose}; to go on: {resumed}")
    return tuple(left)
