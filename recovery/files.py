"""One file or folder out of a claim's backups: what is where over its snapshots, and one of them written out. Draws nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from adapters.backups.results import Fetched, FoundPath, Repository, RepositoryLook, RestorePoint
from adapters.ports import BackupsView
from adapters.volsync.results import FileEntry
from cluster.backups.counting import Counted
from engine.errors import PermanentError, SettingsInvalid
from engine.files.whole import put_what_opens
from engine.text.words import number
from house.files.paths import at_home, expanded, is_folder, is_link, is_there


@dataclass(frozen=True)
class Version:
    """What stood at a path in one snapshot or in several that follow each other: `points` newest first, `found` of the newest."""

    points: tuple[RestorePoint, ...]
    found: FoundPath

    @property
    def told(self) -> str:
        """In words, without its times."""
        if self.found.broken:
            return f"unknown: {self.found.broken}"
        entry = self.found.entry
        if entry is None:
            return "nothing"
        if entry.kind == "dir":
            return f"folder of {number(len(self.found.below), 'entry', 'entries')}"
        return f"{entry.kind} of {number(entry.size, 'byte')}" if entry.kind == "file" else entry.kind


def path_of(words: str) -> str:
    """A path as snapshots have it: below the top, without a slash before or behind it. Raises SettingsInvalid."""
    path = PurePosixPath(words.strip("/"))
    if ".." in path.parts or "\0" in words:
        raise SettingsInvalid(
            f"{words} is no path in a backup; right would be one from the top of the claim: config/app.db"
        )
    return "" if str(path) == "." else str(path)


def opened(look: RepositoryLook, key: str) -> tuple[RestorePoint, ...]:
    """Its restore points, newest first. Raises PermanentError where there is none to be seen, in the verdict's own word."""
    if not look.points:
        raise PermanentError(
            f"the backup of {key} is {look.verdict.value}", evidence=(look.detail,) if look.detail else (), hint=look.hint,
            next_command="invoke dr.audit",
        )  # fmt: skip
    return look.points


def chosen(points: Sequence[RestorePoint], key: str, as_of: float) -> RestorePoint:
    """The newest one that was asked for: not later than `as_of`, or with 0.0 the newest complete one. Raises PermanentError.

    What is at one path may be whole in a snapshot that is not: who names its time gets it.
    """
    for point in points:
        if point.is_as_old_as(as_of) if as_of else point.complete:
            return point
    raise PermanentError(
        f"no snapshot of {key} is as old as that" if as_of else f"no snapshot of {key} is complete",
        evidence=(f"{number(len(points), 'snapshot')}, the oldest of {points[-1].pin}",), next_command=f"invoke dr.list {key}",
    )  # fmt: skip


def newest(count: Counted, key: str) -> RestorePoint:
    """The newest complete one of those that a restore would take. Raises PermanentError."""
    if not count.points:
        raise PermanentError(
            f"no snapshot of {key} is one that a restore would take", evidence=tuple(map(str, count.left[:5])),
            hint="--as-of with the time of one takes it all the same", next_command=f"invoke dr.list {key}",
        )  # fmt: skip
    return chosen(count.points, key, 0.0)


def remarks(point: RestorePoint, count: Counted, *, named: bool) -> Iterator[str]:
    """What of the choice a person should know: newer ones that do not count, or that the one whose time was named does not."""
    for one in count.left:
        if one.snapshot_id == point.snapshot_id:
            yield f"snapshot {point.snapshot_id[:8]} is no restore's: {one.why}"
        elif one.time > point.time and not named:
            yield f"newer, and not taken: {one}"


def versions(points: Sequence[RestorePoint], found: Iterable[FoundPath]) -> list[Version]:
    """The same thing in snapshots that follow each other as one version, newest first."""
    made: list[Version] = []
    for point, one in zip(points, found, strict=True):
        if made and _same(made[-1].found, one):
            made[-1] = Version((*made[-1].points, point), made[-1].found)
        else:
            made.append(Version((point,), one))
    return made


def _same(one: FoundPath, other: FoundPath) -> bool:
    return (one.entry, one.below, one.broken) == (other.entry, other.below, other.broken)


def target_of(into: Path, path: str, claim: str) -> Path:
    """Where it will lie. Raises SettingsInvalid where something is there already: nothing is ever overwritten."""
    if str(at_home(into)).startswith("~"):
        raise SettingsInvalid(f"--into {into}: nobody of that name has a home here; right would be a whole path")
    into = expanded(into)  # programs run in a folder of their own
    if is_there(into) and not is_folder(into):
        raise SettingsInvalid(f"--into {into} is a file; right would be a folder, which is made where there is none")
    target = into / (PurePosixPath(path).name or claim)
    if is_there(target) or is_link(target):
        raise SettingsInvalid(
            f"{target} is there already, and nothing is overwritten; right would be: --into another folder"
        )
    return target


@dataclass(frozen=True)
class Written:
    """What was fetched. `loose`: where the disk could not be waited for, for its modes in the snapshot do not let us open it again,
    or the file system knows no such wait; until the machine has written it by itself, a power cut may take it."""

    fetched: Fetched
    loose: tuple[Path, ...]


def fetch(backups: BackupsView, repository: Repository, point: RestorePoint, path: str, target: Path) -> Written:
    """Write it beside its place first, and give it its name when all of it was compared and is on the disk. Raises the port's
    errors, SettingsInvalid for a folder that takes nothing, PermanentError for a disk that does not keep it.

    Nothing of it stays where it differs from the snapshot, or could not be read whole.
    """
    new = [folder for folder in (target.parent, *target.parent.parents) if not is_there(folder)]
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # of a fetch that was killed
    try:
        partial.mkdir(parents=True)
    except OSError as error:
        raise SettingsInvalid(
            f"--into {target.parent} cannot be made, or not be written to: {error.strerror}", hint="name another folder"
        ) from error
    try:
        fetched = backups.fetch(repository, point.snapshot_id, path, partial)
        if fetched.unlike:
            raise PermanentError(
                f"what was written is not what snapshot {point.snapshot_id[:8]} holds; all of it was deleted again",
                evidence=fetched.unlike[:10], hint="is the disk below the folder whole, and has it room?",
            )  # fmt: skip
        return Written(fetched, _settled(partial / PurePosixPath(path).name if path else partial, target, new))
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _settled(made: Path, target: Path, new: Iterable[Path]) -> tuple[Path, ...]:
    try:
        return put_what_opens(made, target, new)
    except OSError as error:
        raise PermanentError(
            f"{target} is not kept by its disk: {error.strerror}", evidence=(str(error.filename or made),),
            hint="has the disk room, and is it whole? Nothing that lay there was changed",
        ) from error  # fmt: skip


def entry_words(entry: FileEntry) -> tuple[str, str]:
    """A line of a folder's list: its size or kind, and its name with a slash behind a folder's."""
    name = PurePosixPath(entry.path).name
    return (
        (f"{entry.size:,}", name) if entry.kind == "file" else (entry.kind, f"{name}/" if entry.kind == "dir" else name)
    )
