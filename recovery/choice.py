"""Which restore points a claim may go back to, and what going back to one gives up. Knows no record and no approval."""

from __future__ import annotations

from adapters.backups.results import RestorePoint, Verdict
from cluster.audit import ClaimAudit
from engine.errors import PermanentError

TRUSTED = (Verdict.OK, Verdict.EXPIRED)


def candidates(audit: ClaimAudit, as_of: float, now: float) -> tuple[RestorePoint, ...]:
    """Complete snapshots not later than `as_of` (seconds since the epoch, 0.0 for now), the newest first.

    PermanentError when the audit trusts none, or none is that old.
    """
    key = audit.claim.key
    if audit.verdict not in TRUSTED:
        raise PermanentError(f"no restore point for {key}: {audit.verdict.value}", evidence=(audit.detail,))
    points = tuple(p for p in audit.points if p.complete and p.is_as_old_as(as_of or now))
    if not points:
        raise PermanentError(f"{key} has no complete snapshot that old", evidence=(audit.detail,))
    return points


def newer(audit: ClaimAudit, point: RestorePoint) -> tuple[RestorePoint, ...]:
    """Complete snapshots made after this one: the first backup after the restore runs retention, which may forget them."""
    return tuple(p for p in audit.points if p.complete and p.time > point.time)


def named(audit: ClaimAudit, point: RestorePoint) -> tuple[str, ...]:
    """The restore point in words, and a second line only when going back to it gives up newer ones.

    A consent is to these lines, so they hold nothing that changes while backups go on.
    """
    told = f"snapshot {point.snapshot_id[:8]} of {point.pin}"
    return (told, "newer snapshots may be forgotten by the first backup") if newer(audit, point) else (told,)
