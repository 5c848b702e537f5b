"""One look at one claim's backup, judged by what the claim requires. Knows no backup program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from adapters.backups.results import WHOLE, Depth, Examination, Part, Repository, RepositoryLock, RestorePoint, Verdict
from adapters.backups.snapshots import pin_of
from adapters.ports import BackupsView
from adapters.volsync.results import Listing
from cluster.backups.counting import LeftBehind, counted
from cluster.backups.requiring import judge, too_little
from cluster.backups.rewritten import lacking, rewritten, with_counts
from engine.errors import BlackstartError, PermanentError
from engine.probe import Probe, changing, drifted, missing, satisfied, unknown
from engine.text.ages import age_of, older
from engine.text.words import number, some
from engine.waiting import Clock
from house.model import BackedUpClaim, House
from house.values.sources import RESTIC

HINTS = {
    Verdict.MISSING: "no repository at this place: compare the path, letter by letter, with the one the backups were written to",
    Verdict.EMPTY: "no snapshot with the data that are required: the repository may have been made by a restore from a misspelt "
    "path, or the newest backups are of an empty volume",
    Verdict.REFUSED: "password or credentials are not accepted: see the claim's secret references",
    Verdict.UNREADABLE: "the repository is damaged: copy it before anything else, run `restic check` on the copy, and neither "
    "prune nor repair what may still be saved",
    Verdict.DAMAGED: "the newest can be restored; copy the repository before anything else, and let nobody prune it: a backup that "
    "builds on what is lost cannot be restored either, so the next ones belong into a new repository, or into one that "
    "`restic repair` has mended on a copy",
    Verdict.LOCKED: "every restore and backup of a mover ends with code 11 while it is there: `invoke dr.unlock CLAIM` tells whose "
    "it is",
    Verdict.TOO_BIG: "the volume that its destination makes is smaller than the snapshot: give it more capacity in Git",
    Verdict.UNREACHABLE: "its store was not reached: nothing is known about this backup",
    Verdict.FOREIGN: "another repository than the one known so far, another engine's, or one that another claim is backed up to as "
    "well: nothing tells whose data a snapshot of it holds",
    Verdict.EXPIRED: "backups stopped: find out when and why before a restore brings old data back",
}


TRUSTED = (Verdict.OK, Verdict.EXPIRED, Verdict.DAMAGED)
"""What a restore may go back to: the wanted snapshot is whole, whatever else is to be said."""
_NAMED = 5
BUSY_S = 600.0
"""restic refreshes a lock every five minutes: one as young as this has somebody at work behind it."""


@dataclass(frozen=True)
class ClaimAudit:
    """The verdict on one claim's backup. Age in seconds, size in bytes; None where nothing can be told.

    `points` are those that count; `left` are those that do not, each with why. `depth` is how deep the newest one was looked
    into with nothing wrong, None where it could not be had. `remarks` is what is worth a look in a good one: stale locks,
    snapshots that cannot be read. `stored`: bytes of all its packs; `part`: which of them were read. `damaged` and `whole` are ids
    of snapshots of a repository in which something is lost. `passed` are audits of the claim's other places, where it has several.
    """

    claim: BackedUpClaim
    verdict: Verdict
    repository_id: str
    newest: RestorePoint | None
    age: float | None
    points: tuple[RestorePoint, ...]
    detail: str
    remarks: str = ""
    depth: Depth | None = None
    left: tuple[LeftBehind, ...] = ()
    hint: str = ""
    busy: bool = False
    stored: int | None = None
    part: Part | None = None
    damaged: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    passed: tuple[ClaimAudit, ...] = ()

    @property
    def told(self) -> str:
        """The verdict in words, with the depth that it holds for: `ok (tree)`."""
        if self.depth is None or self.verdict not in TRUSTED:
            return self.verdict.value
        return f"{self.verdict.value} ({self.depth.value}{f' {self.part}' if self.part not in (None, WHOLE) else ''})"

    @property
    def helps(self) -> str:
        """What to do about it, "" where nothing is known to help. An older snapshot is spoken of where there is one that may do."""
        told = self.hint or HINTS.get(self.verdict, "")
        if self.hint or self.newest is None:
            return told
        older = [point for point in self.points if point.complete and point.time < self.newest.time]
        if self.verdict is Verdict.UNREADABLE and any(point.snapshot_id not in self.damaged for point in older):
            return f"{told}; older snapshots may be whole (--as-of)"
        if self.verdict is Verdict.EMPTY and (full := next((p for p in older if not too_little(self.claim, p)), None)):
            return f"{told}; an older one that has data is restored with --as-of {full.pin}"
        return told

    def probe(self) -> Probe:
        """The verdict as a check's answer: only OK satisfies, an unreachable or unknown store is UNKNOWN."""
        where = self.claim.open_as or self.claim.mover_repository
        if self.verdict is Verdict.OK:
            return satisfied(f"{self.told}: {self.detail}")
        told = self.detail if self.verdict is Verdict.UNKNOWN else f"{self.told}: {self.detail}"
        hint = self.helps
        if self.verdict in (Verdict.UNREACHABLE, Verdict.UNKNOWN):
            return unknown(told, where, hint=hint)
        if self.verdict in (Verdict.EXPIRED, Verdict.DAMAGED):
            return drifted(told, where, hint=hint)
        if self.busy:
            return changing(told, where)
        return missing(self.detail if self.verdict is Verdict.MISSING else told, where, hint=hint)


def repository_of(house: House, claim: BackedUpClaim) -> Repository:
    """The claim's repository as it is opened from here."""
    return Repository(
        claim.source_key, claim.open_as, claim.password, claim.environment, claim.ca_file, claim.region, claim.addressing,
        claim.requirement.normal_since, claim.engine, claim.identity,
    )  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """How a claim is to be looked at. `known` maps claims (`source_key`) to the repository ids of the lock file.

    With `as_of` (seconds since the epoch) the newest one not later than that is judged, whatever its age: somebody wants it.
    `alone`: no other claim's repository is looked at to learn whether it is the same one (an audit of all compares at its end).
    """

    known: Mapping[str, str] = field(default_factory=dict)
    as_of: float = 0.0
    depth: Depth = Depth.TREE
    part: Part = WHOLE
    alone: bool = False


def audit_claim(backups: BackupsView, clock: Clock, house: House, claim: BackedUpClaim, asked: Asked | None = None) -> ClaimAudit:
    """Look once, as deep as is asked, and judge."""
    asked = asked or Asked()
    if not claim.open_as:
        return ClaimAudit(
            claim, Verdict.UNKNOWN, "", None, None, (),
            f"no rule of backups.open_as says how {claim.mover_repository or claim.repository_secret} is opened from here",
        )  # fmt: skip
    seen = backups.look(repository_of(house, claim))
    kept = counted(seen, clock.now())
    newest = _wanted(kept.points, asked)
    age = age_of(newest.time, clock.now()) if newest else None
    made = ClaimAudit(
        claim, seen.verdict, seen.repository_id, newest, age, kept.points, seen.detail, left=kept.left, hint=seen.hint
    )
    known_id = asked.known.get(claim.source_key, "")
    if known_id and seen.repository_id and seen.repository_id != known_id:
        told = f"repository {seen.repository_id[:8]}, known so far as {known_id[:8]}"
        return replace(made, verdict=Verdict.FOREIGN, detail=told)
    if known_id and seen.verdict in (Verdict.EMPTY, Verdict.MISSING):
        return replace(made, detail=f"{seen.detail}; the lock file knows repository {known_id[:8]} here")
    # Of kopia's repositories many claims have their share; two with one identity are found by their ids.
    alone = seen.points and claim.engine == RESTIC
    if shared := shared_with(backups, house, claim, seen.repository_id, asked) if alone else "":
        return as_shared(made, len(seen.points), shared)
    if seen.verdict is not Verdict.OK:
        return made
    if newest is None:
        return _none_complete(made, *kept.remarks)
    remarks = "; ".join(filter(None, (*kept.remarks, seen.detail)))
    return _looked_into(backups, clock, house, replace(made, remarks=remarks, detail=""), newest, asked)


def _wanted(points: tuple[RestorePoint, ...], asked: Asked) -> RestorePoint | None:
    """The complete one that is asked for; where none is as old as that, the newest. None: there is no complete one."""
    complete = [point for point in points if point.complete]
    return next((point for point in complete if not asked.as_of or point.is_as_old_as(asked.as_of)), next(iter(complete), None))


def _none_complete(made: ClaimAudit, *remarks: str) -> ClaimAudit:
    told = f"{number(len(made.points), 'snapshot')}, none complete" if made.points else "no snapshot that counts"
    return replace(made, verdict=Verdict.EMPTY, newest=None, age=None, detail="; ".join(filter(None, (told, *remarks))))


def _looked_into(
    backups: BackupsView, clock: Clock, house: House, made: ClaimAudit, newest: RestorePoint, asked: Asked
) -> ClaimAudit:
    """The verdict on the snapshot that is wanted: first whether it is whole, then whether it is what the claim requires."""
    repository, limits = repository_of(house, made.claim), house.limits
    limit_s = limits.restore_s if asked.depth.holds(Depth.CHECKED) else limits.look_s
    deep = backups.examine(repository, newest.snapshot_id, asked.depth, limit_s=limit_s, part=asked.part)
    made = replace(made, damaged=deep.damaged, whole=deep.whole)
    if deep.verdict not in (Verdict.OK, Verdict.DAMAGED):
        told = f"newest {newest.snapshot_id[:8]} of {newest.pin}: {'; '.join((deep.detail, *_harm(made)))}"
        return replace(made, verdict=deep.verdict, detail=told, hint=deep.hint or _older(made) or made.hint, stored=deep.stored)
    deeper = asked.depth.holds(Depth.TREE)
    if deeper and (newest.files is None or newest.original):
        try:
            listing = _whole_listing(backups, repository, newest)
        except BlackstartError as error:
            return replace(made, verdict=Verdict.UNREADABLE, detail="; ".join((error.what, *error.evidence)))
        if lacks := lacking(newest, listing):
            return _passed_over(backups, clock, house, made, replace(newest, complete=False, lacks=lacks), asked)
        deep = replace(deep, remarks=(*deep.remarks, *rewritten(newest, weighed=True)))
        newest = with_counts(newest, listing)
    elif newest.original:
        deep = replace(deep, remarks=(*deep.remarks, *rewritten(newest, weighed=False)))
    complete = sum(point.complete for point in made.points)
    verdict, detail = judge(made.claim, newest, 0.0 if asked.as_of else made.age or 0.0, complete)
    if deep.verdict is Verdict.DAMAGED and verdict in TRUSTED:
        verdict, detail = deep.verdict, "; ".join((deep.detail, *_harm(made), detail))
    remarks = "; ".join(filter(None, (made.remarks, *deep.remarks)))
    made = replace(
        made, verdict=verdict, newest=newest, depth=deep.depth, stored=deep.stored, part=deep.part, remarks=remarks,
        detail="; ".join(filter(None, (detail, remarks))),
    )  # fmt: skip
    return _kept_out(made, deep, clock.now()) if verdict in TRUSTED and deep.locks else made


def _harm(made: ClaimAudit) -> tuple[str, ...]:
    """Which snapshots are damaged, where that is known; the newest first, those that do not count too."""
    if not (made.damaged or made.whole):
        return ()
    named = [point.snapshot_id for point in made.points if point.snapshot_id in made.damaged]
    named += [one for one in made.damaged if one not in named]
    told = f"damaged: {some([one[:8] for one in named], _NAMED)}" if named else "no snapshot needs it"
    return (f"{told}; whole: {len(made.whole)} of {number(len(made.whole) + len(made.damaged), 'snapshot')}",)


def _older(made: ClaimAudit) -> str:
    """What to restore where the wanted snapshot is damaged and another is whole; "" for none."""
    whole = next((point for point in made.points if point.complete and point.snapshot_id in made.whole), None)
    if whole is None:
        return ""
    return (
        f"snapshot {whole.snapshot_id[:8]} is whole: --as-of {whole.pin}; copy the repository before anything else, and neither "
        "prune nor repair it"
    )


def _passed_over(
    backups: BackupsView, clock: Clock, house: House, made: ClaimAudit, partial: RestorePoint, asked: Asked
) -> ClaimAudit:
    """The verdict without this snapshot, which turned out not to be complete: the next one is looked into in its place."""
    points = tuple(partial if point.snapshot_id == partial.snapshot_id else point for point in made.points)
    told = f"{partial.snapshot_id[:8]} is {partial.lacks}"
    made = replace(made, points=points, remarks="; ".join(filter(None, (made.remarks, told))))
    following = _wanted(points, asked)
    if following is None:
        return _none_complete(made, made.remarks)
    made = replace(made, newest=following, age=age_of(following.time, clock.now()))
    return _looked_into(backups, clock, house, made, following, asked)


def _whole_listing(backups: BackupsView, repository: Repository, point: RestorePoint) -> Listing:
    """Its own list, to its end. Raises the port's errors."""
    listing = backups.listing(repository, point.snapshot_id)
    if not listing.complete:
        raise PermanentError(f"the list of snapshot {point.snapshot_id[:8]} breaks off", evidence=(listing.detail,))
    return listing


def _kept_out(made: ClaimAudit, deep: Examination, now: float) -> ClaimAudit:
    """A lock that no mover passes: said with whose it is, and what lifts it."""
    busy = not any(lock.garbage for lock in deep.locks) and not any(older(lock.since, now, BUSY_S) for lock in deep.locks)
    told = "; ".join(_lock_words(lock) for lock in deep.locks)
    hint = f"every restore and backup of a mover ends while it is there; whose it is, and by consent away with it: {_unlock(made)}"
    return replace(made, verdict=Verdict.LOCKED, detail=f"{told}; {made.detail}", hint=hint, busy=busy)


def _unlock(made: ClaimAudit) -> str:
    return f"invoke dr.unlock {made.claim.key}"


def _lock_words(lock: RepositoryLock) -> str:
    if lock.garbage:
        return f"lock {lock.lock_id[:8]} cannot be read: restic waits for it and then ends with code 1"
    return f"locked exclusively by {lock.who} since {pin_of(lock.since)}: restic ends with code 11"


def shared_with(backups: BackupsView, house: House, claim: BackedUpClaim, repository_id: str, asked: Asked) -> str:
    """Other claims that are backed up to the same repository, however it is written: each would be restored from either."""
    at = claim.open_as.rstrip("/")
    shared = []
    for other in (place for one in house.claims if one.key != claim.key for place in one.sources):
        if not other.open_as:
            continue
        known = asked.known.get(other.source_key, "")
        if not known and not asked.alone and other.open_as.rstrip("/") != at:
            known = backups.identity(repository_of(house, other))
        if other.open_as.rstrip("/") == at or (known and known == repository_id):
            shared.append(other.source_key)
    return ", ".join(shared)


def as_shared(made: ClaimAudit, count: int, others: str) -> ClaimAudit:
    """The audit of a repository that is another claim's as well, or a copy of its."""
    told = f"{number(count, 'snapshot')} in one repository ({made.repository_id[:8]}) with {others}"
    return replace(made, verdict=Verdict.FOREIGN, detail=told, depth=None)
