"""Lift the hold of one claim or one database by hand: without a proof, and with a reason that the record keeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from adapters.context import ActContext
from adapters.hold.results import NO_ENTRY, AcceptedDatabase, HeldClaim, HoldRecord, HoldState
from adapters.ports import ClusterView, FluxView, HoldView
from adapters.volsync.port import ClaimsView
from adapters.volsync.results import ClaimPhase
from cluster.flux import resume_by_hand
from cluster.hold.holding import still_held
from cluster.hold.standing import let_go
from cluster.hold.suspension import kustomization_of, resting, start_again, suspend_by_hand, wake_by_hand
from engine.errors import PermanentError, SettingsInvalid, TransientError
from engine.waiting import wait_until
from house.model import BackedUpClaim, House
from house.values.databases import Database
from recovery.points.kept import kept_of

CLAIM, DATABASE = "claim:", "database:"
"""Before a name, where a claim and a database are called the same."""
_ONE = f"right would be one NAMESPACE/NAME, with {CLAIM} or {DATABASE} before it where both are called so"
ANEW_S = 30.0
"""How long Flux, which we had stopped, may take to make a claim again: a person waits for it."""


def to_release(house: House, name: str, record: Callable[[], HoldRecord]) -> BackedUpClaim | Database | HeldClaim:
    """What is meant by this name: `namespace/name` or the name alone. Raises SettingsInvalid unless it is exactly one.

    The house's own word comes first. Only what it does not declare is looked for in the record: a claim may leave Git while it
    is held, and stays held.
    """
    declared = (*house.claims, *house.held_kopia)
    word, known = name.strip(), (*(c.key for c in declared), *(d.key for d in house.databases))
    if not word:  # no word means every claim elsewhere, which is no name of one
        raise SettingsInvalid("which claim or database is to be released?", evidence=known, hint=_ONE)
    if "," in word:
        raise SettingsInvalid("one is released at a time", evidence=tuple(map(str.strip, word.split(","))), hint=_ONE)
    bare = word.removeprefix(CLAIM).removeprefix(DATABASE)
    claims: list[BackedUpClaim | HeldClaim] = []
    if not word.startswith(DATABASE):
        claims += [c for c in declared if bare in (c.key, c.claim)]
    databases = [] if word.startswith(CLAIM) else [d for d in house.databases if bare in (d.key, d.name)]
    if not claims and not databases and not word.startswith(DATABASE):
        left = undeclared(house, record())
        claims += [c for c in left if bare in (c.key, c.claim)]
        namespace, _, own = bare.partition("/")
        if not claims and namespace and own and "/" not in own:
            # What nobody declared, by the name that the hold's message gives; whether there is such a thing is seen at its lift.
            claims.append(HeldClaim(namespace, own, HoldState.HELD, own, own))
        known += tuple(c.key for c in still_held(left))
    if len(claims) + len(databases) != 1:
        told = "no claim and no database" if not claims and not databases else "more than one"
        both = (*(f"{CLAIM}{c.key}" for c in claims), *(f"{DATABASE}{d.key}" for d in databases))
        raise SettingsInvalid(f"{word} names {told}", evidence=both or known, hint=_ONE)
    return claims[0] if claims else databases[0]


def undeclared(house: House, record: HoldRecord) -> tuple[HeldClaim, ...]:
    """Those of the record that the repository does not declare (any more): no restore can bring back what is held of them."""
    declared = {claim.key for claim in (*house.claims, *house.held_kopia)}
    return tuple(claim for claim in record.claims if claim.key not in declared)


def lift_database(act: ActContext, database: Database, reason: str) -> tuple[str, ...]:
    """Write into the record that it may be made empty beside its own backups, then have Flux look again; answers what was done.

    PermanentError when the hold does not refuse it, or does not any more.
    """
    if acceptance(act.hold, database) is None:
        since = act.clock.now()
        act.hold.accept(AcceptedDatabase(database.namespace, database.name, f"by hand, unproven: {reason}", since))
        if acceptance(act.hold, database) is None:
            raise TransientError(f"database {database.key} is not in the hold's record though it was written")
        told = f"may be made empty beside its own backups, as accepted: {reason}"
    else:
        told = "was accepted already; Flux is asked once more to make it"
    # Its whole Kustomization was refused with it, and Flux tries again only once in a while.
    if any(k.key == database.flux_app for k in act.flux.state().kustomizations):
        act.flux.request("Kustomization", *database.flux_app.split("/", 1))
    return (f"database {database.key} {told}",)


def acceptance(hold: HoldView, database: Database) -> AcceptedDatabase | None:
    """What the record says of it, None while the hold refuses to have it made. PermanentError where there is nothing to lift."""
    if not database.held:
        why = "it is made by recovery from its archive" if database.recovers else "it archives nothing"
        raise PermanentError(f"database {database.key} is not held: {why}", evidence=(database.declared_in,))
    record = hold.record()
    if not record.present:
        raise PermanentError("the hold's record is not there", next_command="invoke dr.hold")
    return record.database(database.namespace, database.name)


def lift(act: ActContext, claim: BackedUpClaim | HeldClaim, reason: str) -> tuple[str, ...]:
    """Start what a replacement has stopped, write the release into the record, have VolSync look again.

    Answers what was done, and what is left for a person with its command. PermanentError when the claim is not held, and nothing
    of an earlier release is left to do.
    """
    entry = entry_of(act.hold, act.claims, claim)
    if entry is None:
        return _let_in(act, claim, reason)
    held = bool(still_held((entry,)))
    if not held and not act.claims.destination(claim.namespace, claim.destination).ours:
        raise PermanentError(f"{claim.key} is not held: it is {entry.state.value}", next_command="invoke dr.hold")
    if held:
        # Before the record: what is cut off here is still held, so the next release, or the next restore, goes on from it.
        was_stopped = bool(_stopped(act.cluster, act.flux, claim))
        start_again(act, claim)
        if stopped := _stopped(act.cluster, act.flux, claim):
            raise TransientError(f"{claim.key} is not released: what a replacement has stopped stands still yet", evidence=stopped)
        if was_stopped:
            _await_anew(act, claim)
        refuse_absent(act.cluster, act.flux, act.claims, claim)
        told, there = f"by hand, unproven: {reason}", act.claims.claim(claim.namespace, claim.claim)
        for one in kept_of(act.kept, claim.key):
            if there.uid and one.held_by == there.uid:  # kept to be replaced, and it is not: nobody has to let it go
                act.kept.let_go(one.name)
        act.hold.put(let_go(entry, HoldState.RELEASED, there, act.clock.now(), told))
        now = act.hold.record().claim(claim.namespace, claim.claim)
        if now is None or still_held((now,)):
            raise TransientError(f"{claim.key} is held still, though its release was written")
    _wake(act, claim)
    told = f"released without a proof: {reason}" if held else f"was {entry.state.value} already; what was left of that is done now"
    return (f"{claim.key} {told}", *suspended(act.flux, claim))


def entry_of(hold: HoldView, claims: ClaimsView, claim: BackedUpClaim | HeldClaim) -> HeldClaim | None:
    """What the record says of it; None for what nobody declared and the record does not know, but is there by this name.

    PermanentError when a declared claim is not in the record, or the record is not there; SettingsInvalid when nothing that
    nobody declared is called so, be it a claim, a source or a destination.
    """
    record = hold.record()
    entry = record.claim(claim.namespace, claim.claim)
    if entry is not None:
        return entry
    if isinstance(claim, BackedUpClaim):
        raise PermanentError(f"{claim.key} is not in the hold's record", next_command="invoke dr.hold")
    if not record.present:
        raise PermanentError("the hold's record is not there", next_command="invoke dr.hold")
    movers = claims.source(claim.namespace, claim.claim).present or claims.destination(claim.namespace, claim.claim).present
    if not movers and claims.claim(claim.namespace, claim.claim).phase is ClaimPhase.ABSENT:
        raise SettingsInvalid(
            f"{claim.key} is neither declared, nor in the hold's record, nor a claim, source or destination of the cluster",
            next_command="invoke dr.hold",
        )
    return None


def refuse_absent(cluster: ClusterView, flux: FluxView, claims: ClaimsView, claim: BackedUpClaim | HeldClaim) -> None:
    """PermanentError when the claim is not there, and nothing that we have stopped keeps Flux from making it.

    Let go are a claim's data, by its uid: without one it would be whatever comes. What Git has no more comes no more.
    """
    if isinstance(claim, HeldClaim) or claims.claim(claim.namespace, claim.claim).phase is not ClaimPhase.ABSENT:
        return
    if not _stopped(cluster, flux, claim):
        raise PermanentError(
            f"{claim.key} is not released: the claim is not there, Flux has not applied it (yet)",
            hint="it stays held; once Flux has made the claim, run the same again",
            next_command="invoke dr.hold",
        )


def _await_anew(act: ActContext, claim: BackedUpClaim | HeldClaim) -> None:
    """A replacement may have deleted it, and Flux, which goes on now, makes it anew. WaitedTooLong when it does not."""
    if isinstance(claim, HeldClaim):
        return

    def there() -> bool | None:
        return act.claims.claim(claim.namespace, claim.claim).phase is not ClaimPhase.ABSENT or None

    wait_until(act.clock, there, limit_s=ANEW_S, what=f"Flux to make the claim {claim.key} anew: it is not released")


def _let_in(act: ActContext, claim: BackedUpClaim | HeldClaim, reason: str) -> tuple[str, ...]:
    """Write that what nobody declared may be moved: by its own name, be that a claim's, a source's or a destination's."""
    there = act.claims.claim(claim.namespace, claim.claim)
    source = act.claims.source(claim.namespace, claim.claim).present
    destination = act.claims.destination(claim.namespace, claim.claim).present
    stranger = HeldClaim(claim.namespace, claim.claim, HoldState.HELD, claim.destination, claim.source)
    entry = replace(stranger, since=act.clock.now(), seen=NO_ENTRY)
    act.hold.put(let_go(entry, HoldState.RELEASED, there, act.clock.now(), f"by hand, undeclared: {reason}"))
    for kind, seen in (("ReplicationSource", source), ("ReplicationDestination", destination)):
        if seen:
            act.claims.nudge(kind, stranger.namespace, stranger.claim)
    return (f"{stranger.key}, which nobody declared, is let go as it is: {reason}",)


def _wake(act: ActContext, claim: BackedUpClaim | HeldClaim) -> None:
    """Nudge what is there and waits, for VolSync's back-off may be as long as the hold was; last of all take our pin off.

    As long as that is on, a release that was cut off is seen not to be over.
    """
    if act.claims.claim(claim.namespace, claim.claim).phase is ClaimPhase.PENDING:
        act.claims.nudge("PersistentVolumeClaim", claim.namespace, claim.claim)
    if act.claims.source(claim.namespace, claim.source).present:
        act.claims.nudge("ReplicationSource", claim.namespace, claim.source)
    if act.claims.destination(claim.namespace, claim.destination).ours:
        act.claims.unpin(claim.namespace, claim.destination)
        if act.claims.destination(claim.namespace, claim.destination).ours:
            raise TransientError(f"{claim.key} is released, and our pin is on {claim.destination} still")


def _stopped(cluster: ClusterView, flux: FluxView, claim: BackedUpClaim | HeldClaim) -> tuple[str, ...]:
    """What stands still by our hand, each with the command that a person would type."""
    found = [f"{w.kind} {w.name} is scaled to 0; by hand: {wake_by_hand(w)}" for w in resting(cluster, claim)]
    makes = kustomization_of(flux, claim)
    if makes is not None and makes.ours:
        found.append(f"Kustomization {makes.key} is suspended; by hand: {suspend_by_hand(makes.key, on=False)}")
    return tuple(found)


def suspended(view: FluxView, claim: BackedUpClaim | HeldClaim) -> tuple[str, ...]:
    """What is left for a person: somebody else's suspension is theirs to take back."""
    flux = kustomization_of(view, claim)
    if flux is None or not flux.suspended:
        return ()
    resumed = resume_by_hand("kustomization", flux.key)
    return (f"Kustomization {flux.key} is suspended, not by us, and stays so; to go on: {resumed}",)
