"""dr.audit: every declared backup, looked at from here as deep as was asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from adapters.backups.results import WHOLE, Depth, Part, Verdict
from cluster.backups.audit import TRUSTED, Asked, ClaimAudit
from cluster.backups.auditing import audit_all, looked_at
from cluster.backups.buckets import BucketAudit, audit_buckets
from cluster.backups.paused import PausedAudit, audit_paused
from cluster.backups.reading import MOST_PARTS, Coverage, keep_coverage, read_coverage, turns
from cluster.backups.unprotected import DataAudit, audit_data
from cluster.databases import ArchiveAudit, audit_archives
from cluster.storage.nas.showing import Away, Showing
from console.ending import guarded
from console.opened.opening import open_session
from console.screens.auditing import AuditView
from console.screens.away import away_lines, away_rows
from console.screens.buckets import bucket_lines, bucket_rows
from console.screens.databases import archive_lines, archive_rows, archive_table
from console.screens.paused import paused_lines, paused_rows, paused_table
from console.screens.tables import audit_findings, audit_table
from console.screens.unprotected import (
    not_followed_lines,
    notes_beside,
    unprotected_lines,
    unprotected_rows,
    unprotected_table,
)
from console.session import Session
from engine.errors import EXIT_OK, EXIT_STEP_FAILED, SettingsInvalid
from engine.secrets import redact
from engine.text.words import number
from engine.workers import Threads
from house.data.engines import ENGINES, OF_DATABASES
from house.data.nouns import Holder
from house.files.problems import nearest
from house.flux.outside import KOPIUR
from house.known.lock import LockedClaim, drops, lock_path, read_lock, write_lock
from house.loader import Part as Section
from house.model import House
from house.repository.backups.left_out import left_out
from house.settings.values import size_of
from house.values.sources import KOPIA

_PARTS = f"read=1/8, the first of 8 parts, and so on to read=8/8; there are at most {MOST_PARTS} parts"
_READ = re.compile(r"read=([0-9]{1,3})/([0-9]{1,3})")


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for: how deep, which part of the data at *read*, and how many bytes may be read in all."""

    depth: Depth = Depth.TREE
    part: Part = WHOLE
    budget: int = 0

    @property
    def word(self) -> str:
        """The depth as `--depth` takes it."""
        return self.depth.value if self.part == WHOLE else f"{self.depth.value}={self.part.number}/{self.part.of}"


def audit(settings: str, json: bool, lock: bool, depth: str, read_budget: str) -> int:
    """Every declared backup, looked at from here; with lock: write what was found as what is known from now on.

    The backups section is all it needs: the rest of the settings may be unfinished.
    """

    def body() -> int:
        wanted = wanted_of(depth, read_budget)
        return audit_house(open_session("dr.audit", settings, json, Section.BACKUPS), lock, wanted)

    return guarded("dr.audit", json, body, settings)


def wanted_of(depth: str, read_budget: str) -> Wanted:
    """The words of the command line. Raises SettingsInvalid."""
    budget = 0
    if read_budget:
        try:
            budget = size_of(read_budget)
        except ValueError as error:
            raise SettingsInvalid(f"--read-budget {read_budget} is no size; right would be: 2GiB") from error
        if not budget:
            raise SettingsInvalid("--read-budget 0 would read nothing; right would be: 2GiB, or --depth tree")
    if found := _READ.fullmatch(depth):
        part = Part(int(found[1]), int(found[2]))
        if not 1 <= part.number <= part.of <= MOST_PARTS:
            raise SettingsInvalid(f"--depth {depth} is no part of the data; right would be: {_PARTS}")
        if budget:
            raise SettingsInvalid(f"--read-budget chooses the part, and --depth {depth} names one; right would be: one of the two")
        return Wanted(Depth.READ, part)
    words = [one.value for one in Depth]
    if depth and depth not in words:
        close = nearest(depth.lower(), words)
        better = _PARTS if depth.startswith("read=") else close or f"one of {', '.join(words)}, or {_PARTS}"
        raise SettingsInvalid(f"--depth {depth} is no depth; right would be: {better}")
    if budget and depth not in ("", Depth.READ.value):
        raise SettingsInvalid(f"--read-budget reads data, and --depth {depth} does not; right would be: --depth read, or none")
    return Wanted(Depth.READ if budget else Depth(depth) if depth else Depth.TREE, WHOLE, budget)


def audit_house(session: Session, lock: bool, wanted: Wanted | None = None) -> int:
    """Audit, show, and write the lock if that is wanted."""
    audits, covered, away = audited(session, wanted or Wanted())
    data, databases = unprotected(session)
    paused = audit_paused(session.house, audits, databases)
    stores = buckets(session, audits, data.not_asked)
    counts = {verdict.value: sum(a.verdict is verdict for a in audits) for verdict in Verdict}
    counts = {word: count for word, count in counts.items() if count}
    unseen = _left_out(session.house, data)
    if not session.json:
        show_audits(session, audits, counts, covered, unseen, "No backup was changed" if lock else "Nothing was changed")
        for line in away_lines(away):
            session.page.say(line)
        show_archives(session, databases)
        show_paused(session, paused)
        show_unprotected(session, data)
        for line in bucket_lines(stores):
            session.page.say(line)
    bad = [a for a in audits if a.verdict is not Verdict.OK]
    written = (lock_path(session.house),) if lock else ()
    for file in written:
        write_lock(file, locked(session, audits))
    session.tell_written(written)
    house = session.house
    faulty = [one for one in databases if not one.good]
    still = sum(one.fault for one in paused)
    failed = bool(bad or house.unread or unseen or data.faults or faulty or still)
    more = {
        "paused": still, "nas_away": len(away),
        "archives": len(databases), "unprotected": len(data.faults), "second_backups": len(house.second_backups),
        "unread": len(house.unread), "charts_not_looked_into": len(data.charts), "cluster_not_asked": int(data.silent),
    }  # fmt: skip
    counts |= {word: count for word, count in more.items() if count}
    return session.finish(
        "failed" if failed else "done", counts, EXIT_STEP_FAILED if failed else EXIT_OK,
        audits=[row(a, covered) for a in audits], not_audited=house.unaudited, second_backups=house.second_backups,
        nas_away=away_rows(away), not_followed=house.not_followed, left_out=unseen, notes=house.notes, unread=house.unread,
        databases=archive_rows(databases), unprotected=unprotected_rows(data), paused=paused_rows(paused),
        charts_not_looked_into=data.charts, cluster_not_asked=data.not_asked, buckets=bucket_rows(stores), written=written,
    )  # fmt: skip


def row(audit: ClaimAudit, covered: Mapping[str, Coverage]) -> dict[str, object]:
    """One audit as JSON has it: all that is known, and null where nothing is."""
    point = audit.newest
    coverage = covered.get(audit.repository_id)
    return {
        "claim": audit.claim.key, "place": audit.claim.origin, "verdict": audit.verdict, "depth": audit.depth, "told": audit.told,
        "repository_id": audit.repository_id, "detail": audit.detail, "hint": audit.hint, "remarks": audit.remarks,
        "newest": point.snapshot_id if point else None, "time": point.pin if point else None, "age_s": audit.age,
        "files": point.files if point else None, "bytes": point.size if point else None, "snapshots": len(audit.points),
        "left_behind": [{"snapshot": left.snapshot_id, "why": left.why} for left in audit.left], "stored_bytes": audit.stored,
        "damaged": list(audit.damaged), "whole": list(audit.whole),
        "read": str(audit.part) if audit.part else None,
        "covered": None if coverage is None else {
            "parts": coverage.of, "read": len(coverage.read), "since": min(coverage.read.values(), default=None),
        },
    }  # fmt: skip


def show_audits(
    session: Session,
    audits: list[ClaimAudit],
    counts: dict[str, int],
    covered: Mapping[str, Coverage],
    unseen: tuple[str, ...],
    unchanged: str,
) -> None:
    """The table, what is wrong, what was not audited at all, and one sentence."""
    session.page.show(audit_table(audits))
    for line in audit_findings(audits):
        session.page.say(line)
    house = session.house
    left = [f"not audited: {other.namespace}/{other.name} ({other.engine}, {other.declared_in})" for other in house.unaudited]
    if any(other.engine in (KOPIA, KOPIUR) for other in house.unaudited):
        left.append("those of kopia and kopiur are audited where a rule of backups.open_as opens what their movers see")
    again = "not audited: a second backup of"
    left += [f"{again} {one.namespace}/{one.name} ({one.engine}, {one.declared_in})" for one in house.second_backups]
    left += not_followed_lines(house.not_followed)
    left += [f"note: {note}" for note in notes_beside(house.notes, house.not_followed) if note not in house.unread]
    left += [f"not looked at, whatever it declares: {note}" for note in house.unread]
    read = [a for a in audits if a.part is not None and a.repository_id in covered]
    left += [f"{a.claim.source_key}: {covered[a.repository_id]}" for a in read]
    unread = [a for a in audits if a.part is None and a.verdict in (Verdict.OK, Verdict.EXPIRED)]
    waiting = len(unread) if any(a.part is not None for a in audits) else 0
    left += [f"{waiting} repositories were not read this time: the budget is less than their smallest parts"] if waiting else []
    for line in (["", *left] if left else []):
        session.page.say(line)
    told = ", ".join(f"{count} {word}" for word, count in counts.items()) or ("" if unseen else "the repository declares none")
    first = f"{number(len(audits), 'declared backup')}: {told}" if told else ""
    sentence = "; ".join(filter(None, (first, *unseen)))
    session.page.say(f"\n{sentence}. {unchanged}.")


def _left_out(house: House, data: DataAudit) -> tuple[str, ...]:
    """What nobody has looked at, counted; a cluster that is there and gave no answer too."""
    lines = left_out(house.unaudited, house.second_backups, house.not_followed, data.charts)
    if house.unread:
        lines = (*lines, f"{number(len(house.unread), 'part')} of the repository could not be looked at")
    return (*lines, f"the cluster was not asked for its claims ({redact(data.not_asked)})") if data.silent else lines


def unprotected(session: Session) -> tuple[DataAudit, tuple[ArchiveAudit, ...]]:
    """What of the house's data has no backup (a cluster that lives is asked for its claims), and the archives of databases."""
    with session.doors(None) as doors:
        look, house = doors.look, session.house
        return audit_data(look.cluster, house), audit_archives(look.archives, look.clock, house)


def buckets(session: Session, audits: list[ClaimAudit], not_asked: str) -> tuple[BucketAudit, ...]:
    """What each bucket keeps of what is deleted, and whose keys could undo that."""
    silent = {one.claim.source_key for one in audits if one.verdict is Verdict.UNREACHABLE}
    with session.doors(None) as doors:
        return audit_buckets(doors.look.versions, session.house, Threads(), silent, not_asked)


def show_archives(session: Session, databases: tuple[ArchiveAudit, ...]) -> None:
    """Each database's archive with the ages of what is newest in it."""
    if databases:
        session.page.say()
        session.page.show(archive_table(databases))
    for line in archive_lines(databases):
        session.page.say(line)


def show_paused(session: Session, paused: tuple[PausedAudit, ...]) -> None:
    """What gets no new backup, with the age of the newest that there is."""
    if paused:
        session.page.say()
        session.page.show(paused_table(paused))
    for line in paused_lines(paused):
        session.page.say(line)


def _who_else(house: House) -> Callable[[Holder], bool]:
    """Whether a backup that nobody looked at may hold this. Longhorn, velero, a dump by the clock: what these copy no claim of Git
    says, though velero's may say of which namespaces. VolSync's, kopiur's and those of databases' operators name theirs."""
    found = [one.reach for one in house.unaudited if one.engine not in (*ENGINES, KOPIUR, *OF_DATABASES)]
    return lambda holder: bool(house.not_followed) or any(reach.may_hold(holder.namespace) for reach in found)


def show_unprotected(session: Session, data: DataAudit) -> None:
    """What has no backup, with size and class, and what was not looked into for more of it."""
    others = _who_else(session.house)
    if data.bare:
        session.page.say()
        session.page.show(unprotected_table(data.bare, others))
    for line in unprotected_lines(data, others):
        session.page.say(line)


def locked(session: Session, audits: list[ClaimAudit]) -> list[LockedClaim]:
    """What is known from now on: the good ones of this audit, and of the others what was known before."""
    rows = {row.claim: row for row in read_lock(lock_path(session.house))}
    for found in audits:
        point = found.newest
        if found.verdict is Verdict.OK and point is not None:
            complete = sum(p.complete for p in found.points)
            rows[found.claim.source_key] = LockedClaim(
                found.claim.source_key, found.repository_id, complete, point.size or 0, point.time
            )
    return list(rows.values())


def with_drops(found: ClaimAudit, known: LockedClaim) -> ClaimAudit:
    """The audit of a good backup, and what has dropped in it since the lock was written: a remark, never a verdict."""
    point = found.newest
    if found.verdict is not Verdict.OK or point is None:
        return found
    told = drops(known, sum(p.complete for p in found.points), point.size, point.time)
    return replace(
        found, detail="; ".join((found.detail, *told)), remarks="; ".join(filter(None, (found.remarks, *told)))
    )


def audited(session: Session, wanted: Wanted) -> tuple[list[ClaimAudit], dict[str, Coverage], tuple[Away, ...]]:
    """One audit for each place of each claim of the catalog, through the backups port: no Proxmox and no cluster is needed.

    Only of a backup on a NAS that was not found the NAS is asked. Answers what is covered of each repository's data too, by its
    id, and each NAS that gave no answer.
    """
    known = {row.claim: row for row in read_lock(lock_path(session.house))}
    asked = Asked({claim: row.repository_id for claim, row in known.items()}, depth=wanted.depth, part=wanted.part)
    first = replace(asked, depth=Depth.TREE, part=WHOLE) if wanted.budget else asked
    house = session.house
    with session.doors(None) as doors, AuditView(session) as view:
        nas = Showing(house, doors.look.nas, doors.look.proxmox)
        audits = audit_all(doors.look.backups, doors.look.clock, house, first, Threads(), view.tell, nas.judged)
        covered = read_coverage(house.state_dir, session.clock.now())
        if wanted.budget:
            good = [a for a in audits if a.verdict in TRUSTED]
            now = turns({a.repository_id: a.stored or 0 for a in good}, covered, wanted.budget)
            parts = {a.claim.source_key: now[a.repository_id] for a in good if a.repository_id in now}
            look = partial(looked_at, doors.look.backups, doors.look.clock, house, replace(asked, alone=True), parts)
            due = [a.claim for a in good if a.claim.source_key in parts]
            read = {a.claim.source_key: a for a in view.again(look, due, house.limits)}
            audits = [read.get(a.claim.source_key, a) for a in audits]
        for one in audits:
            if one.part is not None and one.verdict in TRUSTED:
                covered[one.repository_id] = covered.get(one.repository_id, Coverage()).with_read(one.part, doors.look.clock.now())
    if wanted.depth is Depth.READ:
        keep_coverage(house.state_dir, covered)
    return [with_drops(a, known[a.claim.source_key]) if a.claim.source_key in known else a for a in audits], covered, nas.away()
