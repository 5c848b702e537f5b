"""Lift the hold of one claim by hand: without a proof, and with a reason that the record keeps."""

from __future__ import annotations

from dataclasses import replace

from adapters.context import ActContext
from adapters.hold.results import HoldState
from adapters.volsync.results import ClaimPhase
from cluster.holding import still_held
from engine.errors import PermanentError
from house.model import BackedUpClaim


def lift(act: ActContext, claim: BackedUpClaim, reason: str) -> None:
    """Write the release into the record, then have VolSync look again. PermanentError when the claim is not held."""
    entry = act.hold.record().claim(claim.namespace, claim.claim)
    if entry is None:
        raise PermanentError(f"{claim.key} is not in the hold's record", next_command="invoke dr.hold")
    if not still_held((entry,)):
        raise PermanentError(f"{claim.key} is not held: it is {entry.state.value}", next_command="invoke dr.hold")
    act.hold.put(replace(entry, state=HoldState.RELEASED, reason=f"by hand, unproven: {reason}"))
    _wake(act, claim)


def _wake(act: ActContext, claim: BackedUpClaim) -> None:
    """Take our pin off, and nudge what is there and waits: VolSync's back-off may be as long as the hold was."""
    if act.claims.destination(claim.namespace, claim.destination).ours:
        act.claims.unpin(claim.namespace, claim.destination)
    if act.claims.claim(claim.namespace, claim.claim).phase is ClaimPhase.PENDING:
        act.claims.nudge("PersistentVolumeClaim", claim.namespace, claim.claim)
    if act.claims.source(claim.namespace, claim.source).present:
        act.claims.nudge("ReplicationSource", claim.namespace, claim.source)
