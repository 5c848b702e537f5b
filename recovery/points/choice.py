"""Which restore points a claim may go back to, and what going back to one gives up. Knows no record and no approval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from adapters.backups.results import RestorePoint
from adapters.hold.results import HeldClaim
from adapters.ports import BackupsView
from adapters.volsync.port import ClaimsView
from cluster.backups.audit import TRUSTED, Asked, ClaimAudit, repository_of
from cluster.backups.counting import NOT_THE_MOVERS, LeftBehind, is_future
from cluster.backups.sources import lost_with, named
from engine.errors import BlackstartError, PermanentError
from engine.probe import Identity
from engine.step import if_any
from engine.text.words import number
from house.model import BackedUpClaim, House

_NAMED = 5


@dataclass(frozen=True)
class Choice(Identity):
    """A restore point of one claim, and what going back to it gives up: the snapshots that are newer, and the pin before it.

    `origin` is the Secret of its place, "" for the claim's first one.
    `given_up` are snapshot ids, `instead_of` is the pinned snapshot (or the pin's time) that is gone. None of it changes while a
    claim is held.
    """

    claim: str
    repository_id: str
    snapshot_id: str
    pin: str
    given_up: tuple[str, ...] = ()
    instead_of: str = ""
    origin: str = ""
    words: tuple[str, ...] = field(default=(), compare=False)

    @property
    def needs_consent(self) -> bool:
        """Whether something is given up that somebody may mean to keep."""
        return bool(self.given_up or self.instead_of)

    def is_of(self, point: RestorePoint) -> bool:
        """Whether this is the restore point that was chosen."""
        return (point.repository_id, point.snapshot_id) == (self.repository_id, self.snapshot_id)

    def __str__(self) -> str:
        return f"{self.claim} goes back to {'; '.join(self.words)}"


def asked_for(claim: BackedUpClaim, known: Mapping[str, str], as_of: float) -> Asked:
    """How a claim is looked at to choose: down to the trees; whose the repository is was compared in preflight.

    `known` maps claims (`source_key`) to the repository ids of the lock file.
    """
    mine = {place.source_key: known[place.source_key] for place in claim.sources if place.source_key in known}
    return Asked(mine, as_of, alone=True)


def preflight_of(claim: BackedUpClaim) -> tuple[str, ...]:
    """The checks that must have said yes before this claim is touched: its own. A damaged backup of another stops that one."""
    mine = (
        "preflight.backup", "preflight.destination", "preflight.snapshot-class", "preflight.mount", "storage.source",
        "storage.under", "recovery.survivor",
    )  # fmt: skip
    return tuple(if_any(f"{check}/{claim.key}") for check in mine)


def candidates(audit: ClaimAudit, as_of: float, now: float) -> tuple[RestorePoint, ...]:
    """Complete snapshots not later than `as_of` (seconds since the epoch, 0.0 for now), the newest first.

    PermanentError when the audit trusts none, or none is that old.
    """
    key = audit.claim.key
    if audit.verdict not in TRUSTED:
        raise PermanentError(f"no restore point for {key}: {audit.verdict.value}", evidence=(audit.detail,), hint=audit.hint)
    points = tuple(p for p in audit.points if p.complete and not is_future(p, now) and (not as_of or p.is_as_old_as(as_of)))
    if not points:
        hint = "right would be an --as-of at or after one that is listed there"
        raise PermanentError(
            f"{key} has no complete snapshot that old", evidence=(audit.detail,), hint=hint, next_command=f"invoke dr.list {key}"
        )
    return points


def newer(audit: ClaimAudit, point: RestorePoint) -> tuple[LeftBehind, ...]:
    """All that was made after this one, readable or not: the first backup after the restore runs retention, which may forget it.

    Those of other paths are not among them: they are nobody's data.
    """
    later = [
        LeftBehind(p.snapshot_id, p.time, "complete" if p.complete else p.lacks or "far smaller than those before it")
        for p in audit.points if p.time > point.time
    ]  # fmt: skip
    later += [left for left in audit.left if (left.time > point.time or not left.time) and left.why != NOT_THE_MOVERS]
    later += [LeftBehind(p.snapshot_id, p.time, "in another place of this claim") for p in lost_with(audit) if p.time > point.time]
    return tuple(sorted(later, key=lambda left: (-left.time, left.snapshot_id)))


def chosen(audit: ClaimAudit, point: RestorePoint, gone: HeldClaim | None = None) -> Choice:
    """This restore point as what a consent is to. `gone` is the entry of a pin whose snapshot is not in the repository any more."""
    later = newer(audit, point)
    where = f" from {named(audit.claim)}" if audit.passed else ""
    words = [f"snapshot {point.snapshot_id[:8]} of {point.pin}{where}"]
    if gone is not None:
        words.append(f"in place of the pinned {gone.snapshot_id[:8]} of {gone.pin}, which is gone")
    if later:
        more = f" and {len(later) - _NAMED} more" if len(later) > _NAMED else ""
        left = f"left behind, though newer: {', '.join(map(str, later[:_NAMED]))}{more}"
        words.append(f"newer snapshots may be forgotten by the first backup; {left}")
    return Choice(
        audit.claim.key, point.repository_id, point.snapshot_id, point.pin,
        given_up=tuple(left.snapshot_id for left in later),
        instead_of="" if gone is None else gone.snapshot_id or gone.pin,
        origin=audit.claim.origin,
        words=tuple(words),
    )  # fmt: skip


def at_point(entry: HeldClaim, audit: ClaimAudit, point: RestorePoint) -> HeldClaim:
    """The entry with this restore point of the audited place, and why it is that place where there are several."""
    return replace(
        entry, repository_id=audit.repository_id, snapshot_id=point.snapshot_id, pin=point.pin, origin=audit.claim.origin,
        chosen=audit.detail if audit.passed else "",
    )  # fmt: skip


def weighed(backups: BackupsView, claims: ClaimsView, house: House, audit: ClaimAudit, point: RestorePoint) -> str:
    """What a person should know of a restore point before consenting to it, "" for nothing: newer ones, and what changed in it."""
    parts = []
    later = newer(audit, point)
    if later:
        retained = claims.source(audit.claim.namespace, audit.claim.source).retain
        kept = ", ".join(f"{rule} {count}" for rule, count in retained) or "unknown to us"
        more = number(len(later), "snapshot is", "snapshots are")
        parts.append(f"{more} newer than the one to restore; what the first backup keeps: {kept}")
    try:
        parts.append(compared(backups, house, audit, point))
    except BlackstartError as error:
        parts.append(f"{error.what}: what changed since the snapshot before it is not known")
    return "; ".join(filter(None, parts))


def compared(backups: BackupsView, house: House, audit: ClaimAudit, point: RestorePoint) -> str:
    """What vanished and what changed against the complete snapshot before it, "" for the first. Raises the port's errors."""
    before = next((p for p in audit.points if p.complete and p.time < point.time), None)
    if before is None:
        return ""
    found = backups.changes(repository_of(house, audit.claim), before.snapshot_id, point.snapshot_id)
    gone = ", ".join(found.vanished[:_NAMED]) + (" …" if len(found.vanished) > _NAMED else "")
    vanished = f"{len(found.vanished)} vanished ({gone})" if found.vanished else "nothing vanished"
    return f"against {before.snapshot_id[:8]} of {before.pin}: {vanished}, {len(found.changed)} changed, {found.added} added"
