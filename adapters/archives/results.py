"""What one look at a database's archive found. Nothing there, no finished base backup and no answer never share a word."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from engine.errors import PermanentError


class Undecided(PermanentError):
    """Something lies there, or may, and nobody here can say what of it a restore would take: it could not be read, or there are two
    that it may be. Not to be taken for an archive that holds nothing."""


class ArchiveVerdict(Enum):
    """`EMPTY`: nothing of this server lies there. `NO_BASE`: there is some, and no base backup that ended well."""

    OK = "ok"
    MISSING = "missing"  # there is no such bucket
    EMPTY = "empty"
    NO_BASE = "no base backup"
    NO_LOG = "no write-ahead log"  # not all that the newest base backup needs
    GAP = "log with a gap"  # behind what the newest base backup needs
    MIXED = "two histories"  # of two databases, or of one that went on twice
    EXPIRED = "expired"  # base backup or log older than the house allows; no port says this
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class ArchiveLook:
    """Base backups that ended well and have their data: how many, the newest's id and when it ended; the last segment of the log
    that a restore of it reaches (the newest where it needs what is not there) and when that was written. Times in seconds since the
    epoch, None for none. `system_id` is the database's that made the newest, "" where it does not say."""

    verdict: ArchiveVerdict
    detail: str = ""
    bases: int = 0
    base: str = ""
    base_time: float | None = None
    segment: str = ""
    segment_time: float | None = None
    system_id: str = ""


@dataclass(frozen=True)
class RecoveryPoint:
    """What an archive promises of a restore: from base backup `base` along the log to segment `segment`.

    Who replays all of that ends on `timeline`, behind `lsn` (bytes of the log), and is still the database `system_id` ("" where the
    base backup does not say). `target` is the time that it stops at, in seconds since the epoch; 0.0 for the end of the log. `time`
    is when what comes back was written: the target, or when the last segment was. `ends`: where in the log that segment ends, in
    bytes; 0 where nobody said how long it is.
    """

    base: str
    system_id: str
    timeline: int
    lsn: int
    segment: str
    time: float
    target: float = 0.0
    remark: str = ""
    ends: int = 0
