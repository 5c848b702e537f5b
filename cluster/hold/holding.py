"""What it takes for the hold to be in place, what is held, and the wait for a mover at work. Knows no policy text."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from adapters.hold.results import HeldClaim, HoldState, Refusal, Verdict
from adapters.ports import HoldView
from adapters.volsync.port import ClaimsView
from cluster.hold.standing import Way, way
from engine.errors import BlackstartError, PermanentError
from engine.probe import Condition, Probe, changing, held, missing, satisfied, unknown
from engine.text.words import number
from engine.waiting import Clock, wait_until
from house.model import BackedUpClaim


def hold_probe(hold: HoldView, *, silent: Collection[str] = ()) -> Probe:
    """SATISFIED only when the record is there, every policy is as ours, and every API server refuses what it must by the record
    as it is now: one that judges by another has not heard of what is held today, and never will.

    `silent` are addresses of API servers that are off with their host: they admit nothing, and read the policies when they start.
    """
    absent = hold.policies_missing()
    if absent:
        return missing("policies or bindings are absent or differ", *absent)
    if not hold.record().present:
        return missing("the hold's record is not there")
    return judged(hold.refusals(silent), len(silent))


def judged(answers: tuple[Refusal, ...], off: int = 0) -> Probe:
    """What the answers of all API servers say of the hold, where `off` more are off with their host."""
    if not answers:
        return unknown("no API server could be asked")
    if stale := servers_of(answers, Verdict.STALE):
        judge, each = ("judges", "its") if len(stale) == 1 else ("judge", "each")
        told = f"{judge} by another record of the hold than the one there now; {each} kube-apiserver has to be restarted"
        return unknown(f"{', '.join(stale)} {told}", *_told(answers, Verdict.STALE), hint=restart_by_hand(stale))
    if admitted := _told(answers, Verdict.ADMITTED):
        return changing("not every API server refuses yet", *admitted)
    if other := _told(answers, Verdict.OTHER):
        return unknown("something else than the hold refuses what it is tried with, so nobody knows whether it would", *other)
    servers = {answer.server for answer in answers}
    less = f"; {number(off, 'is off with its host', 'are off with their hosts')}" if off else ""
    return satisfied(f"{number(len(servers), 'API server refuses', 'API servers refuse')} what the hold must refuse{less}")


def servers_of(answers: Iterable[Refusal], verdict: Verdict) -> tuple[str, ...]:
    """The API servers that answered so, each once."""
    return tuple(dict.fromkeys(answer.server for answer in answers if answer.verdict is verdict))


def _told(answers: tuple[Refusal, ...], verdict: Verdict) -> tuple[str, ...]:
    return tuple(f"{answer.server}: {answer.kind} {answer.detail}" for answer in answers if answer.verdict is verdict)


def restart_by_hand(servers: tuple[str, ...]) -> str:
    """What to do about API servers that judge by a record of before, by the addresses of their nodes."""
    first, *more = servers
    why = "all policies of the hold were gone once, and since then these API servers (Kubernetes 1.36) follow its record no more"
    how = f"talosctl -n {first} containers -k tells the id of its kube-apiserver, talosctl -n {first} restart -k ID restarts it"
    return f"{why}: {how}" + (f"; then, one after the other, the same with -n {', -n '.join(more)}" if more else "")


def demand_hold(hold: HoldView, what: str, silent: Collection[str] = ()) -> None:
    """PermanentError unless the hold is in place and bites now: `what` is about to be done, hours after it was seen.

    Its policies are the one thing in the cluster that nothing protects.
    """
    seen = hold_probe(hold, silent=silent)
    if seen.condition is not Condition.SATISFIED:
        raise PermanentError(
            f"{what}: the hold is not in place any more: {seen.detail}",
            evidence=seen.evidence,
            hint=seen.hint
            or "VolSync may fill and back up what is not proven; invoke dr.hold CLAIM puts the hold back, and says what it found",
            next_command="invoke cluster.verify",
        )


def what_holds(hold: HoldView, silent: Collection[str] = ()) -> str:
    """What can be said of backups after a failure, by a look at the hold of now and nothing else."""
    try:
        seen = hold_probe(hold, silent=silent)
    except BlackstartError as error:
        return f"whether a backup of it is written could not be seen ({error.what}); invoke dr.hold looks again"
    if seen.condition is Condition.SATISFIED:
        return "the claim stays held: no backup of it is written"
    return f"the hold is not in place ({seen.detail}): a backup of it may be written; invoke dr.hold CLAIM puts it back"


def until_no_mover(claims: ClaimsView, clock: Clock, claim: BackedUpClaim | HeldClaim, limit_s: float) -> None:
    """Wait, at most `limit_s` seconds, for the backup of a claim that is at work although the claim is held by now.

    It was admitted before, and ends with its retention. Raises WaitedTooLong.
    """

    def ended() -> bool | None:
        return None if any(claims.source(claim.namespace, source).running for source in sources_of(claim)) else True

    wait_until(clock, ended, limit_s=limit_s, what=f"the backup of {claim.key} that was at work when it was held")


def sources_of(claim: BackedUpClaim | HeldClaim) -> tuple[str, ...]:
    """Every ReplicationSource of the claim, by name; of one that only the record knows, the one that it knows."""
    if isinstance(claim, HeldClaim):
        return (claim.source,)
    return tuple(dict.fromkeys(place.source for place in claim.sources))


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
    told = f"{number(len(claims), 'claim')} held, no backups are being written for {'it' if len(claims) == 1 else 'them'}"
    alive = [c.key for c in claims if way(c, cluster.claim(c.namespace, c.claim)) is Way.HELD_ALIVE]
    if alive:
        told += f"; with data that are alive, so restored by name alone: {', '.join(alive)}"
    return held(told, *(claim.key for claim in claims))
