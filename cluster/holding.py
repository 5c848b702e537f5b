"""What it takes for the hold to be in place, what is held, and the wait for a mover at work. Knows no policy text."""

from __future__ import annotations

from adapters.hold.results import HeldClaim, HoldState
from adapters.ports import ClaimsView, HoldView
from cluster.standing import Way, way
from engine.probe import Probe, changing, held, missing, satisfied, unknown
from engine.waiting import Clock, wait_until
from house.model import BackedUpClaim


def hold_probe(hold: HoldView) -> Probe:
    """SATISFIED only when the record is there, every policy is as ours, and every API server refuses all three kinds."""
    absent = hold.policies_missing()
    if absent:
        return missing("policies or bindings are absent or differ", *absent)
    if not hold.record().present:
        return missing("the hold's record is not there")
    answers = hold.refusals()
    if not answers:
        return unknown("no API server could be asked")
    admitted = [f"{answer.server}: {answer.kind} {answer.detail}" for answer in answers if not answer.refused]
    if admitted:
        return changing("not every API server refuses yet", *admitted)
    servers = {answer.server for answer in answers}
    return satisfied(f"{len(servers)} API servers refuse what the hold must refuse")


def until_no_mover(claims: ClaimsView, clock: Clock, claim: BackedUpClaim | HeldClaim, limit_s: float) -> None:
    """Wait, at most `limit_s` seconds, for the backup of a claim that is at work although the claim is held by now.

    It was admitted before, and ends with its retention. Raises WaitedTooLong.
    """

    def ended() -> bool | None:
        return None if claims.source(claim.namespace, claim.source).running else True

    wait_until(clock, ended, limit_s=limit_s, what=f"the backup of {claim.key} that was at work when it was held")


def still_held(claims: tuple[HeldClaim, ...]) -> tuple[HeldClaim, ...]:
    """Those that no backup is written for."""
    return tuple(claim for claim in claims if claim.state in (HoldState.HELD, HoldState.PROVEN))


def held_probe(hold: HoldView, cluster: ClaimsView) -> Probe:
    """What is held at the end of a run: satisfied either way, for a held claim is held on purpose.

    A restore of all that are held leaves out those whose data are alive: only who names them means them.
    """
    claims = still_held(hold.record().claims)
    if not claims:
        return satisfied("none")
    few = "1 claim held, no backups are being written for it"
    told = few if len(claims) == 1 else f"{len(claims)} claims held, no backups are being written for them"
    alive = [c.key for c in claims if way(c, cluster.claim(c.namespace, c.claim)) is Way.HELD_ALIVE]
    if alive:
        told += f"; with data that are alive, so restored by name alone: {', '.join(alive)}"
    return held(told, *(claim.key for claim in claims))
