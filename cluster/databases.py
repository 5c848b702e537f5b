"""The archives of the house's databases, each looked at once and told with its age. Content is judged by a restore alone."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.archives.results import ArchiveLook, ArchiveVerdict
from adapters.ports import ArchivesView
from engine.waiting import Clock
from engine.workers import Threads, each
from house.model import DatabaseArchive, House

HINTS = {
    ArchiveVerdict.MISSING: "compare the bucket's name with the one that the database writes to",
    ArchiveVerdict.EMPTY: "the database has never archived there, or under another serverName",
    ArchiveVerdict.NO_BASE: "a log alone restores nothing: make a backup (kubectl cnpg backup), and look at its ScheduledBackup",
    ArchiveVerdict.NO_LOG: "a base backup without its log cannot be made consistent: look at the database's archiving",
    ArchiveVerdict.REFUSED: "see the references of this database under backups.databases",
    ArchiveVerdict.UNREACHABLE: "the store did not answer: nothing is known of this archive",
    ArchiveVerdict.UNKNOWN: "give backups.databases its place and credentials",
}


@dataclass(frozen=True)
class ArchiveAudit:
    """One archive with what was found; ages in seconds, None where nothing can be told."""

    archive: DatabaseArchive
    look: ArchiveLook
    base_age: float | None
    log_age: float | None

    @property
    def good(self) -> bool:
        """Whether a base backup that ended well is there, and a log."""
        return self.look.verdict is ArchiveVerdict.OK


def audit_archives(archives: ArchivesView, clock: Clock, house: House) -> tuple[ArchiveAudit, ...]:
    """Every archive of the house, side by side, in its order."""

    def audited(archive: DatabaseArchive) -> ArchiveAudit:
        look, now = archives.look(archive), clock.now()
        base, log = (None if then is None else now - then for then in (look.base_time, look.segment_time))
        return ArchiveAudit(archive, look, base, log)

    return tuple(each(Threads(), audited, house.archives, at_once=house.limits.parallel))
