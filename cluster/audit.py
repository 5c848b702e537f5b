"""One look at one claim's backup, judged by what the claim requires. Knows no backup program."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.backups.results import Repository, RestorePoint, Verdict
from adapters.ports import BackupsView
from engine.probe import Probe, drifted, missing, satisfied, unknown
from engine.waiting import Clock
from house.model import BackedUpClaim, House

HINTS = {
    Verdict.MISSING: "no repository at this place: compare the path, letter by letter, with the one the backups were written to",
    Verdict.EMPTY: "no snapshot with the data that are required: the repository may have been made by a restore from a misspelt "
    "path, or the newest backups are of an empty volume (an older one is restored with --as-of)",
    Verdict.REFUSED: "password or credentials are not accepted: see the claim's secret references",
    Verdict.UNREADABLE: "the repository is damaged: run `restic check` against a copy before anything else",
    Verdict.UNREACHABLE: "its store was not reached: nothing is known about this backup",
    Verdict.FOREIGN: "another repository than the one known so far, another engine's, or one that another claim is backed up to as "
    "well: nothing tells whose data a snapshot of it holds",
    Verdict.EXPIRED: "backups stopped: find out when and why before a restore brings old data back",
}


MOVER_PATHS = ("/data",)
"""What VolSync's mover backs up as, and all that it restores: it passes over snapshots of anything else."""


@dataclass(frozen=True)
class ClaimAudit:
    """The verdict on one claim's backup. Age in seconds, size in bytes; None where nothing can be told.

    `points` are those that VolSync can restore. `remarks` is what is worth a look in a good one: stale locks, snapshots that
    cannot be read.
    """

    claim: BackedUpClaim
    verdict: Verdict
    repository_id: str
    newest: RestorePoint | None
    age: float | None
    points: tuple[RestorePoint, ...]
    detail: str
    remarks: str = ""

    def probe(self) -> Probe:
        """The verdict as a check's answer: only OK satisfies, an unreachable or unknown store is UNKNOWN."""
        told = self.detail if self.verdict is Verdict.UNKNOWN else f"{self.verdict.value}: {self.detail}"
        where = self.claim.open_as or self.claim.mover_repository
        if self.verdict is Verdict.OK:
            return satisfied(self.detail)
        hint = HINTS.get(self.verdict, "")
        if self.verdict in (Verdict.UNREACHABLE, Verdict.UNKNOWN):
            return unknown(told, where, hint=hint)
        if self.verdict is Verdict.EXPIRED:
            return drifted(told, where, hint=hint)
        return missing(self.detail if self.verdict is Verdict.MISSING else told, where, hint=hint)


def repository_of(house: House, claim: BackedUpClaim) -> Repository:
    """The claim's repository as it is opened from here."""
    return Repository(claim.key, claim.open_as, claim.password, claim.environment, claim.ca_file)


def audit_claim(
    backups: BackupsView, clock: Clock, house: House, claim: BackedUpClaim, known_id: str = "", as_of: float = 0.0
) -> ClaimAudit:
    """Look once and judge; `known_id` is the repository id the lock file has for this claim ("" for none).

    With `as_of` (seconds since the epoch) the newest one not later than that is judged, whatever its age: somebody wants it.
    """
    if not claim.open_as:
        return ClaimAudit(
            claim, Verdict.UNKNOWN, "", None, None, (),
            f"no rule of backups.open_as says how {claim.mover_repository or claim.repository_secret} is opened from here",
        )  # fmt: skip
    seen = backups.look(repository_of(house, claim))
    points = of_the_mover(seen.points)
    complete = [point for point in points if point.complete]
    wanted = [point for point in complete if not as_of or point.is_as_old_as(as_of)] or complete
    newest = wanted[0] if wanted else None
    age = clock.now() - newest.time if newest else None
    verdict, detail, remarks = seen.verdict, seen.detail, ""
    if known_id and seen.repository_id and seen.repository_id != known_id:
        verdict, detail = Verdict.FOREIGN, f"repository {seen.repository_id[:8]}, known so far as {known_id[:8]}"
    elif known_id and verdict in (Verdict.EMPTY, Verdict.MISSING):
        detail = f"{detail}; the lock file knows repository {known_id[:8]} here"
    elif shared := _shared_with(house, claim) if seen.points else "":
        verdict, detail = Verdict.FOREIGN, f"{len(seen.points)} snapshots in one repository with {shared}"
    elif verdict is Verdict.OK and newest is None:
        told = f"{len(points)} snapshots, none of them complete"
        verdict, detail = Verdict.EMPTY, "; ".join(filter(None, (told, _strange(seen.points, points))))
    elif verdict is Verdict.OK and newest is not None and age is not None:
        verdict, detail = _judge(claim, newest, 0.0 if as_of else age, len(complete))
        # Stale locks, unreadable files: OK, and worth a look.
        remarks = "; ".join(filter(None, (seen.detail, _strange(seen.points, points))))
        detail = "; ".join(filter(None, (detail, remarks)))
    return ClaimAudit(claim, verdict, seen.repository_id, newest, age, points, detail, remarks)


def of_the_mover(points: tuple[RestorePoint, ...]) -> tuple[RestorePoint, ...]:
    """Those that VolSync can restore: somebody may have copied something else into the repository."""
    return tuple(point for point in points if point.paths == MOVER_PATHS)


def _strange(points: tuple[RestorePoint, ...], ours: tuple[RestorePoint, ...]) -> str:
    left = len(points) - len(ours)
    return f"{left} snapshots besides, not of {MOVER_PATHS[0]}: VolSync passes over them" if left else ""


def _shared_with(house: House, claim: BackedUpClaim) -> str:
    """Other claims that are opened at the same place: each would be restored, and proven, from the newest of either."""
    place = claim.open_as.rstrip("/")
    return ", ".join(c.key for c in house.claims if c.key != claim.key and c.open_as.rstrip("/") == place)


def _judge(claim: BackedUpClaim, newest: RestorePoint, age: float, count: int) -> tuple[Verdict, str]:
    files = "unknown" if newest.files is None else str(newest.files)
    size = "unknown" if newest.size is None else str(newest.size)
    told = f"{count} complete snapshots, newest {newest.snapshot_id[:8]} of {newest.pin}, {files} files, {size} bytes"
    # What is in it comes before how old it is: an old backup is good enough to restore, an empty one of any age is not.
    if claim.requirement.required and newest.files == 0:
        return Verdict.EMPTY, f"{told}; there is no file in it"
    if claim.requirement.min_bytes and newest.size is None:
        return Verdict.UNKNOWN, f"{told}; at least {claim.requirement.min_bytes} bytes are required, and it does not tell its size"
    if claim.requirement.min_bytes and (newest.size or 0) < claim.requirement.min_bytes:
        return Verdict.EMPTY, f"{told}; less than {claim.requirement.min_bytes} bytes"
    if claim.requirement.max_age and age > claim.requirement.max_age:
        return Verdict.EXPIRED, f"{told}; older than {claim.requirement.max_age:.0f} s"
    return Verdict.OK, told
