"""What the backups port answers: one look at a repository, its restore points, a snapshot's list. Knows nothing of restic."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from house.model import SecretRef


class Verdict(Enum):
    """What one look at a backup repository found. Missing, empty and unreadable never share a word."""

    UNKNOWN = "unknown"
    OK = "ok"
    MISSING = "missing"  # the place was listed, and no repository is there
    EMPTY = "empty"  # a repository without any complete snapshot
    UNREADABLE = "unreadable"  # damaged: it opens not, or its list breaks off
    REFUSED = "refused"  # credentials or password not accepted
    UNREACHABLE = "unreachable"  # the store did not answer
    EXPIRED = "expired"  # newest complete snapshot older than the claim allows
    FOREIGN = "foreign"  # a repository, but another engine's, of another id than the lock file knows, or another claim's too


@dataclass(frozen=True)
class Repository:
    """A restic repository as it is opened from here: `address` without credentials, secrets as references (resolved late)."""

    name: str
    address: str
    password: SecretRef
    environment: tuple[tuple[str, SecretRef], ...] = ()
    ca_file: str = ""


@dataclass(frozen=True)
class RestorePoint:
    """One snapshot, pinned by repository id and snapshot id. `time` in seconds since the epoch; sizes in bytes.

    `complete` is False when the backup that made it failed on some files (restic exit 3) or says nothing of it and is far
    smaller than its neighbours; `files` and `size` are None when the snapshot carries no summary.
    """

    repository_id: str
    snapshot_id: str
    time: float
    pin: str
    hostname: str
    paths: tuple[str, ...]
    tags: tuple[str, ...]
    files: int | None
    size: int | None
    complete: bool = True

    def is_as_old_as(self, moment: float) -> bool:
        """Whether it was made at `moment` (seconds since the epoch) or before it. Whole seconds count, as for a mover and for
        whoever copies the time that we show: what is called 07:00:00 was made at 07:00:00."""
        return int(self.time) <= moment


@dataclass(frozen=True)
class RepositoryLook:
    """One look at one repository. `points` newest first, empty unless the verdict is OK or EXPIRED."""

    repository: Repository
    verdict: Verdict
    repository_id: str = ""
    points: tuple[RestorePoint, ...] = ()
    detail: str = ""
    stale_locks: int = 0
