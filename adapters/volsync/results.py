"""What the claims port answers: claims, destinations, sources, images. Knows nothing of custom resources or HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class ClaimPhase(Enum):
    ABSENT = "absent"
    PENDING = "pending"
    BOUND = "bound"
    LOST = "lost"


@dataclass(frozen=True)
class ClaimState:
    """One PersistentVolumeClaim: `populated_from` is the image its volume was made from ("" for none known).

    `volume` names what it is bound to as its storage does: the CSI driver and its handle, else the PersistentVolume's name.
    `deleting`: somebody has deleted it, and it goes as soon as no pod has it open. `created` in seconds since the epoch, by the
    API server's clock (0.0 for unknown).
    """

    namespace: str
    name: str
    phase: ClaimPhase
    uid: str
    populated_from: str
    destination: str
    detail: str = ""
    volume: str = ""
    deleting: bool = False
    created: float = 0.0

    @property
    def alive(self) -> bool:
        """Whether it has a volume and keeps it: one that is being deleted is as good as gone."""
        return self.phase is ClaimPhase.BOUND and not self.deleting


@dataclass(frozen=True)
class DestinationState:
    """A ReplicationDestination. `restore_as_of` is what stands in its spec; `ours` whether our field manager owns it.

    `result` is the mover's word ("Successful", "Failed", "" for none yet); `log` its kept log lines. Only with `copy_method`
    Snapshot does a restore end in an image. `image_uid` tells its VolumeSnapshot from another one of the same name ("" for gone):
    the uid alone, for what a VolumeSnapshot is bound to never changes.
    `repository` is the Secret that it restores from, `instead_of` the one that it restored from before we turned it ("" for not
    turned): until it is turned back Flux leaves it as it is.
    """

    namespace: str
    name: str
    present: bool
    restore_as_of: str
    ours: bool
    trigger: str
    last_trigger: str
    running: bool
    result: str
    log: tuple[str, ...]
    image: str
    image_ready: bool
    condition: str = ""
    copy_method: str = "Snapshot"
    image_uid: str = ""
    repository: str = ""
    instead_of: str = ""


@dataclass(frozen=True)
class SourceBackups:
    """A ReplicationSource: when it last finished (seconds since the epoch, 0.0 for never), and what it said.

    `manual` is the manual trigger in its spec (while there is one, its `schedule` is off), `last_manual` the one there was when
    the last backup ended, which may have begun before it. `paused`: VolSync lets it be, whatever triggers it.
    """

    namespace: str
    name: str
    present: bool
    claim: str
    running: bool
    last_sync: float
    result: str
    log: tuple[str, ...]
    condition: str = ""
    retain: tuple[tuple[str, str], ...] = ()
    manual: str = ""
    last_manual: str = ""
    schedule: str = ""
    paused: bool = False


@dataclass(frozen=True)
class FileEntry:
    """One entry of a volume or of a snapshot's list. `sha256` is "" where it was not read. Mode as st_mode & 0o7777.

    `path` is relative to the volume's root, without a leading slash; the root itself has no entry. Bytes of a name that are not
    UTF-8 are surrogates, as `os.fsdecode` makes them. `kind` is "file", "dir", "symlink" or restic's word for what is none of
    these; `size` is 0 for all but files. None says not known: `mtime_ns` in nanoseconds since the epoch; `target` of a symlink;
    `link` the device and inode of a file with more than one name; `device` major and minor; `xattrs` sorted by name.
    """

    path: str
    kind: str
    size: int
    mode: int
    uid: int
    gid: int
    sha256: str = ""
    mtime_ns: int | None = None
    target: str | None = None
    link: tuple[int, int] | None = None
    device: tuple[int, int] | None = None
    xattrs: tuple[tuple[str, bytes], ...] | None = None


@dataclass(frozen=True)
class Listing:
    """What a volume or a snapshot holds. `complete` False: the list broke off, so nothing can be proven from it.

    `downloaded`: bytes that were fetched from a store for it.
    """

    entries: tuple[FileEntry, ...]
    complete: bool
    ownership_known: bool = True
    detail: str = ""
    downloaded: int = 0


@dataclass(frozen=True)
class Sight:
    """The id of the repository that a mover opens with a Secret; "" where it opens none, and `problem` says why."""

    repository_id: str
    problem: str = ""


@dataclass(frozen=True)
class Snapshot:
    """One snapshot of one repository, by their ids."""

    repository_id: str
    snapshot_id: str


@dataclass(frozen=True)
class Checked:
    """What restic said when it held a volume against a snapshot: it reads the whole volume, and no data of the repository.

    `unchanged` files have every byte right, one with several names counted once. `changed` and `surplus` (not in the snapshot)
    are paths, the first ones where there are many; `differences` is how many there are. What is missing is in neither.
    """

    unchanged: int
    differences: int
    changed: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()


Meanwhile = Callable[[], object]
"""Called once, while a pod works."""


def idle() -> None:
    """What is done while a pod works, where there is nothing to do."""


@dataclass(frozen=True)
class Compared:
    """A volume that was held against a snapshot in the cluster: its list, and what restic said of its contents.

    `checked` None: restic could not be asked there, `problem` says why, and the list has hashes. `owners_kept` False: a mover
    without privileges restored it, which can set no owners.
    """

    listing: Listing
    checked: Checked | None
    problem: str = ""
    owners_kept: bool = True
