"""Backup repositories as values: what is at each address, and why it could not be seen. Knows no restic and no S3."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from enum import Enum

from adapters.archives.results import ArchiveLook
from adapters.backups.results import RepositoryLock
from adapters.versions.results import May, StoreGuard, Undoing
from adapters.volsync.results import FileEntry
from lab.world.cluster.databases import StoredDatabase

_BYTES: dict[str, bytes] = {}
"""Content by its digest: entries carry digests alone, and one file is written out now and then."""


class Trouble(Enum):
    """Why a look at a repository ends without its snapshots."""

    DAMAGED = "damaged"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    FOREIGN = "foreign"


@dataclass(frozen=True)
class StoredSnapshot:
    """One snapshot: seconds since the epoch, entries with their hashes; `complete` False when some files were unreadable.

    `host` wrote it, of the folder `root`: a mover of VolSync's unless it says otherwise.
    """

    snapshot_id: str
    time: float
    entries: tuple[FileEntry, ...]
    complete: bool = True
    host: str = "volsync"
    root: str = "/data"

    @property
    def pin(self) -> str:
        """RFC 3339 at whole seconds, UTC: the form restoreAsOf takes."""
        return rfc3339(self.time)


@dataclass(slots=True)  # a fault that is planted under a name of former times must not pass for one
class StoredRepository:
    """One repository; snapshots in order of time. `remark` is what a look tells beside them (stale locks and such).

    `sound` is the deepest look that finds nothing wrong (a Depth's word; "" for none), `locks` its lock files, by id. `removed`
    are snapshots that were deleted, with when (epoch seconds): kept where the store keeps versions.
    """

    repository_id: str
    snapshots: list[StoredSnapshot] = field(default_factory=list)
    trouble: Trouble | None = None
    half_listing: bool = False
    remark: str = ""
    sound: str = "read"
    locks: dict[str, RepositoryLock] = field(default_factory=dict)
    removed: list[tuple[float, StoredSnapshot]] = field(default_factory=list)


class Store:
    """Every place that backups are written to, by repository address. `down` makes all of it unreachable."""

    def __init__(self) -> None:
        self.repositories: dict[str, StoredRepository] = {}
        self.archives: dict[str, ArchiveLook] = {}  # of databases, by place
        self.databases: dict[str, StoredDatabase] = {}  # the same, with what is in them
        self.down = False
        self.guards: dict[str, StoreGuard] = {}  # what a bucket keeps, by `https://HOST/BUCKET`; others keep nothing
        self.undoing: tuple[Undoing, ...] = (Undoing("the settings' own", May.YES), Undoing("the movers' own", May.YES))

    def make(self, address: str) -> StoredRepository:
        """A new, empty repository at this address (ids follow from the address, so that a run can be repeated)."""
        made = StoredRepository(_hex(f"repository {address}"))
        self.repositories[address] = made
        return made

    def prune(self, address: str, at: float, keep: int = 0) -> None:
        """All snapshots but the newest `keep` go, with what only they need."""
        repository = self.repositories[address]
        gone = repository.snapshots[: len(repository.snapshots) - keep]
        repository.removed += [(at, one) for one in gone]
        del repository.snapshots[: len(gone)]

    def back_up(self, address: str, entries: tuple[FileEntry, ...], at: float, *, complete: bool = True) -> StoredSnapshot:
        """Write one snapshot, making the repository if there is none, as a mover does."""
        repository = self.repositories.get(address) or self.make(address)
        snapshot = StoredSnapshot(_hex(f"{address} {len(repository.snapshots)} {at}"), at, entries, complete)
        repository.snapshots.append(snapshot)
        return snapshot


def rfc3339(seconds: float) -> str:
    """Seconds since the epoch as RFC 3339, whole seconds, UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(seconds)))


def _hex(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def a_file(path: str, content: str, *, uid: int = 1000, gid: int = 1000, mode: int = 0o644) -> FileEntry:
    """A file entry whose hash follows from its content."""
    data = content.encode()
    digest = hashlib.sha256(data).hexdigest()
    _BYTES[digest] = data
    return FileEntry(path, "file", len(data), mode, uid, gid, digest)


def bytes_of(sha256: str) -> bytes | None:
    """What a file of this digest holds; None where that was never told (a list that somebody wrote by hand)."""
    return _BYTES.get(sha256)
