"""What the backups port answers: one look at a repository, its restore points, a snapshot's list. Knows no backup program."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from adapters.volsync.results import FileEntry
from house.model import SecretRef
from house.values.sources import RESTIC


class Verdict(Enum):
    """What one look at a backup repository found. Missing, empty and unreadable never share a word."""

    UNKNOWN = "unknown"
    OK = "ok"
    MISSING = "missing"  # the place was listed, and no repository is there
    EMPTY = "empty"  # a repository without any complete snapshot
    UNREADABLE = "unreadable"  # damaged: it opens not, or its list breaks off
    DAMAGED = "damaged"  # something is lost that the wanted snapshot does not need: that one is whole, as far as was looked
    REFUSED = "refused"  # credentials or password not accepted
    UNREACHABLE = "unreachable"  # the store did not answer
    LOCKED = "locked"  # whole as far as was looked, and a lock in it keeps every mover out
    TOO_BIG = "too big"  # whole, and more than the volume holds that it would be restored into
    EXPIRED = "expired"  # newest complete snapshot older than the claim allows
    FOREIGN = "foreign"  # a repository, but another engine's, of another id than the lock file knows, or another claim's too


class Depth(Enum):
    """How deep a repository was looked into; each holds what the ones before it hold.

    *listed*: what its folders hold, its config and its snapshots. *indexed*: every pack that its indexes name is there, with
    its size. *tree*: every folder of one snapshot was read, and every piece of its files is in an index. *checked*: what
    `restic check` looks at, of all snapshots. *read*: data were read and compared with their checksums, all of them or a part.

    Of a repository of kopia: *listed*: it opens, and its snapshots are listed. *indexed*: every pack that its indexes name is
    there, and long enough. *tree*: every folder of one snapshot was read, and every piece of its files is in an index. *checked*:
    so it is of all snapshots, whoever's. *read*: every file of the one snapshot was read and compared with its checksums.
    """

    LISTED = "listed"
    INDEXED = "indexed"
    TREE = "tree"
    CHECKED = "checked"
    READ = "read"

    def holds(self, other: Depth) -> bool:
        """Whether this is as deep as the other, or deeper."""
        order = list(Depth)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True)
class Part:
    """Part `number` of `of` parts of a repository's packs, as `restic check --read-data-subset` divides them."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


WHOLE = Part(1, 1)


@dataclass(frozen=True)
class Repository:
    """A repository as it is opened from here: `address` without credentials, secrets as references (resolved late).

    `engine` is restic or kopia; `identity` (`user@host:/path`) says whose snapshots count in one of kopia, which many share,
    and is "" for restic.
    `region` "" and `addressing` "path" or "virtual" are for buckets. `normal_since`: when (epoch seconds) a person made what is
    backed up smaller; no snapshot from before says how much a complete one holds.
    """

    name: str
    address: str
    password: SecretRef
    environment: tuple[tuple[str, SecretRef], ...] = ()
    ca_file: str = ""
    region: str = ""
    addressing: str = "path"
    normal_since: float = 0.0
    engine: str = RESTIC
    identity: str = ""


@dataclass(frozen=True)
class RestorePoint:
    """One snapshot, pinned by repository id and snapshot id. `time` in seconds since the epoch; sizes in bytes.

    `complete` is False when the backup that made it failed on some files (restic exit 3) or says nothing of it and is far
    smaller than its neighbours; `files` and `size` are None when the snapshot carries no summary. `original` is the snapshot that
    this one was made from by a repair, a rewrite, a tag or a copy, "" for a backup's own; `lacks` says why it is not complete where
    that is something else than its size.
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
    original: str = ""
    lacks: str = ""

    def is_as_old_as(self, moment: float) -> bool:
        """Whether it was made at `moment` (seconds since the epoch) or before it. Whole seconds count, as for a mover and for
        whoever copies the time that we show: what is called 07:00:00 was made at 07:00:00."""
        return int(self.time) <= moment


@dataclass(frozen=True)
class RepositoryLook:
    """One look at one repository. `points` newest first, empty unless the verdict is OK or EXPIRED.

    `repository_id` of one of kopia is made of its own id and the identity: of what one claim has there.

    `unread` are snapshot files that cannot be read: id, and when each was written (epoch seconds, 0.0: nobody knows).
    `hint` is what would help where the usual advice for the verdict would not, "" otherwise.
    """

    repository: Repository
    verdict: Verdict
    repository_id: str = ""
    points: tuple[RestorePoint, ...] = ()
    detail: str = ""
    stale_locks: int = 0
    unread: tuple[tuple[str, float], ...] = ()
    hint: str = ""


@dataclass(frozen=True)
class RepositoryLock:
    """A lock file: when it was renewed last (`since`, by its owner's clock, and `written`, by the store's; epoch seconds, 0.0 for
    not known), and by `who`, on which `host` (a pod's is its name).

    `timed`: the store told what time it has, and `written` is by this machine's clock, whatever the two differ by.
    An `exclusive` one keeps everybody out, another one only who wants the repository for himself, as a prune does. `garbage`:
    it cannot be read at all, and keeps everybody out.
    """

    lock_id: str
    since: float
    who: str
    garbage: bool = False
    exclusive: bool = True
    host: str = ""
    written: float = 0.0
    timed: bool = False


@dataclass(frozen=True)
class Examination:
    """How one snapshot stood a look at some depth. `depth` is the deepest that was completed with nothing wrong.

    OK; DAMAGED or UNREADABLE (`detail` says what is lost: something that this snapshot can do without, or cannot), UNREACHABLE,
    REFUSED, UNKNOWN. `damaged` and `whole` are ids of snapshots where something is lost, as far as it is known who needs it.
    `files` and `size` are counted in the snapshot itself, None where that was not needed. `stored` is what all packs of the
    repository take, in bytes, None when they were not listed. `remarks`: what is odd and does not stand in the way of a restore.
    `part` is what was read at *read*.
    """

    verdict: Verdict
    depth: Depth | None
    detail: str = ""
    stored: int | None = None
    remarks: tuple[str, ...] = ()
    part: Part | None = None
    hint: str = ""
    locks: tuple[RepositoryLock, ...] = ()
    damaged: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()


@dataclass(frozen=True)
class Changes:
    """What one snapshot has and another has not, as paths: what vanished from the older, what changed, how much was added."""

    vanished: tuple[str, ...]
    changed: tuple[str, ...]
    added: int


@dataclass(frozen=True)
class Hashes:
    """(path, sha256) of every file of a snapshot, in the order of its list; `downloaded`: bytes that were fetched for them."""

    values: tuple[tuple[str, str], ...]
    downloaded: int


@dataclass(frozen=True)
class FoundPath:
    """What one snapshot has at a path: `entry` (None: nothing) and, where that is a folder, what lies in it, sorted by path.

    `broken` not "": nobody knows, for that reason.
    """

    snapshot_id: str
    entry: FileEntry | None = None
    below: tuple[FileEntry, ...] = ()
    broken: str = ""


@dataclass(frozen=True)
class Fetched:
    """What was written out of a snapshot: `files` of `size` bytes. `unlike`: what on the disk is not as the snapshot has it.

    `aside` says what could not be compared, "" for nothing.
    """

    files: int
    size: int
    unlike: tuple[str, ...] = ()
    aside: str = ""
