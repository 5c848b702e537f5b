"""The archives of the house's databases, each looked at once and judged by its ages. Content is judged by a restore alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

from adapters.archives.port import ArchivesView
from adapters.archives.results import ArchiveLook, ArchiveVerdict
from engine.probe import Probe, drifted, missing, satisfied, unknown
from engine.text.ages import SKEW_S, age_of
from engine.text.lengths import duration, span
from engine.waiting import Clock
from engine.workers import Threads, each
from house.model import House
from house.values.databases import DatabaseArchive

HINTS = {
    ArchiveVerdict.MISSING: "compare the bucket's name with the one that the database writes to",
    ArchiveVerdict.EMPTY: "the database has never archived there, or under another serverName",
    ArchiveVerdict.NO_BASE: "a log alone restores nothing: make a backup (kubectl cnpg backup), and look at its ScheduledBackup",
    ArchiveVerdict.NO_LOG: "a base backup without its log cannot be made consistent: look at the database's archiving",
    ArchiveVerdict.GAP: "what was written behind the gap comes back from no base backup that is older: make a new one now "
    "(kubectl cnpg backup), and look at what took the segment",
    ArchiveVerdict.MIXED: "a restore takes whichever wrote last: give each database a serverName of its own in Git, and restore "
    "with --as-of TIME, which takes what was backed up last by then",
    ArchiveVerdict.EXPIRED: "backups stopped: look at its ScheduledBackup and at its archiving; max_age and max_log_age under "
    "backups.databases say otherwise",
    ArchiveVerdict.REFUSED: "see the references of this database under backups.databases",
    ArchiveVerdict.UNREACHABLE: "the store did not answer: nothing is known of this archive",
    ArchiveVerdict.UNKNOWN: "give backups.databases its place and credentials",
}
_CLOCKS = "compare the clocks of the store, of the database and of this machine"


@dataclass(frozen=True)
class ArchiveAudit:
    """One archive with the verdict on it; ages in seconds, None where nothing can be told. `detail` says what is wrong, or odd."""

    archive: DatabaseArchive
    look: ArchiveLook
    base_age: float | None
    log_age: float | None
    verdict: ArchiveVerdict
    detail: str
    hint: str = ""

    @property
    def good(self) -> bool:
        """Whether a base backup that ended well is there and a log that reaches it, both as young as the house wants them."""
        return self.verdict is ArchiveVerdict.OK

    def probe(self) -> Probe:
        """The verdict as a check's answer: only OK satisfies, a store that gave no answer is UNKNOWN."""
        if self.good:
            ages = " and ".join(
                f"{what} {span(age)} old"
                for what, age in (("base backup", self.base_age), ("log", self.log_age)) if age is not None
            )  # fmt: skip
            return satisfied("; ".join(filter(None, (f"{self.look.bases} base backups, newest {ages}", self.detail))))
        # An unknown one is called that by whoever shows it.
        told = self.detail if self.verdict is ArchiveVerdict.UNKNOWN else f"{self.verdict.value}: {self.detail}"
        if self.verdict in (ArchiveVerdict.UNREACHABLE, ArchiveVerdict.UNKNOWN):
            return unknown(told, self.archive.place, hint=self.hint)
        if self.verdict in (ArchiveVerdict.EXPIRED, ArchiveVerdict.GAP, ArchiveVerdict.MIXED):
            return drifted(told, self.archive.place, hint=self.hint)
        return missing(told, self.archive.place, hint=self.hint)


def audit_archives(archives: ArchivesView, clock: Clock, house: House) -> tuple[ArchiveAudit, ...]:
    """Every archive of the house, side by side, in its order."""

    def audited(archive: DatabaseArchive) -> ArchiveAudit:
        look = archives.look(archive)
        return judged(archive, look, clock.now())

    return tuple(each(Threads(), audited, house.archives, at_once=house.limits.parallel))


def judged(archive: DatabaseArchive, look: ArchiveLook, now: float) -> ArchiveAudit:
    """The verdict on what a look found, at `now` (epoch seconds): its order first, then its ages."""
    base, log = (None if then is None else age_of(then, now) for then in (look.base_time, look.segment_time))
    made = ArchiveAudit(archive, look, base, log, look.verdict, look.detail, HINTS.get(look.verdict, ""))
    if not made.good:
        return made
    if look.base_time is None or look.segment_time is None:
        told = "when the newest base backup ended" if look.base_time is None else "when the log was written last"
        return _instead(made, ArchiveVerdict.UNKNOWN, f"nobody says {told}")
    if base is None or log is None:
        what, at = ("newest base backup", look.base_time) if base is None else ("log", look.segment_time)
        told = f"the {what} is dated {span(at - now)} later than now"
        return replace(_instead(made, ArchiveVerdict.UNKNOWN, told), hint=_CLOCKS)
    if log - base > SKEW_S:
        told = f"the log ends {span(log - base)} before the newest base backup does"
        return _instead(made, ArchiveVerdict.NO_LOG, told)
    if archive.max_age and base > archive.max_age:
        told = f"the newest base backup is {duration(base)} old, and {duration(archive.max_age)} is the limit"
        made = _instead(made, ArchiveVerdict.EXPIRED, told)
    if archive.max_log_age and log > archive.max_log_age:
        told = f"the log ended {duration(log)} ago, and {duration(archive.max_log_age)} is the limit"
        made = _instead(made, ArchiveVerdict.EXPIRED, told)
    return made


def _instead(made: ArchiveAudit, verdict: ArchiveVerdict, told: str) -> ArchiveAudit:
    detail = "; ".join(filter(None, (told, made.detail)))
    return replace(made, verdict=verdict, detail=detail, hint=HINTS[verdict])
