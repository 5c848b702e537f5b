"""What it takes for the hold to be in place, and what state a claim is in. Knows no policy text."""

from __future__ import annotations

from adapters.hold.results import HeldClaim, HoldState
from adapters.ports import HoldView
from engine.probe import Probe, changing, held, missing, satisfied, unknown


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


def still_held(claims: tuple[HeldClaim, ...]) -> tuple[HeldClaim, ...]:
    """Those that no backup is written for."""
    return tuple(claim for claim in claims if claim.state in (HoldState.HELD, HoldState.PROVEN))


def held_probe(hold: HoldView) -> Probe:
    """What is held at the end of a run: satisfied either way, for a held claim is held on purpose."""
    claims = still_held(hold.record().claims)
    if not claims:
        return satisfied("none")
    few = "1 claim held, no backups are being written for it"
    told = few if len(claims) == 1 else f"{len(claims)} claims held, no backups are being written for them"
    return held(told, *(claim.key for claim in claims))
