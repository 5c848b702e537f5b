"""What a claim requires of the snapshot that would be restored, held against what the snapshot tells of itself. Asks nobody."""

from __future__ import annotations

from adapters.backups.results import RestorePoint, Verdict
from engine.text.words import number
from house.model import BackedUpClaim


def judge(claim: BackedUpClaim, newest: RestorePoint, age: float, count: int) -> tuple[Verdict, str]:
    """The verdict on a snapshot that is whole, `age` seconds old, of `count` complete ones; and what it is."""
    files = "unknown files" if newest.files is None else number(newest.files, "file")
    size = "unknown bytes" if newest.size is None else number(newest.size, "byte")
    told = f"{number(count, 'complete snapshot')}, newest {newest.snapshot_id[:8]} of {newest.pin}, {files}, {size}"
    # What is in it comes before how old it is: an old backup is good enough to restore, an empty one of any age is not.
    if lacks := too_little(claim, newest):
        return Verdict.EMPTY, f"{told}; {lacks}"
    if claim.requirement.min_bytes and newest.size is None:
        least = number(claim.requirement.min_bytes, "byte is", "bytes are")
        return Verdict.UNKNOWN, f"{told}; at least {least} required, and it does not tell its size"
    if claim.capacity and newest.size is not None and newest.size > claim.capacity:
        room = number(claim.capacity, "byte")
        return Verdict.TOO_BIG, f"{told}; the volume of {claim.destination or 'its destination'} has {room}"
    if claim.requirement.max_age and age > claim.requirement.max_age:
        return Verdict.EXPIRED, f"{told}; older than {claim.requirement.max_age:.0f} s"
    return Verdict.OK, told


def too_little(claim: BackedUpClaim, point: RestorePoint) -> str:
    """Why a snapshot holds less than the claim requires, "" when it does not, or does not tell."""
    if claim.requirement.required and point.files == 0:
        return "there is no file in it"
    if claim.requirement.min_bytes and point.size is not None and point.size < claim.requirement.min_bytes:
        return f"less than {number(claim.requirement.min_bytes, 'byte')}"
    return ""
