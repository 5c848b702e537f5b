"""One path in snapshots: what each has there, and what one has there written out and compared. Locks nothing, changes no backup.

The trees that lead there are fetched and no others. What restic writes is not believed: each file is held against the pieces that
its tree names, which are SHA-256 of their content, so that nothing is downloaded twice.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote

from adapters.backups.contents import in_words
from adapters.backups.opening import Opened, Openings
from adapters.backups.repository.heads import Keyring, document, read_identity
from adapters.backups.repository.indexes import Index, read_index
from adapters.backups.repository.nodes import Child, children
from adapters.backups.repository.sealed import OVERHEAD, Broken, MasterKey
from adapters.backups.repository.trees import SnapshotAbsent, Trees
from adapters.backups.results import Fetched, FoundPath, Repository
from adapters.backups.sayings import translated
from adapters.backups.stores.places import PlaceLacks
from adapters.process.results import ProgramFailed, StreamingRunner
from adapters.volsync.results import FileEntry
from engine.errors import PermanentError
from engine.text.words import number
from engine.workers import Threads

_START_S = 120.0
_SLOWEST = 1_000_000  # bytes a second
_KINDS = {
    "file": stat.S_ISREG, "dir": stat.S_ISDIR, "symlink": stat.S_ISLNK, "fifo": stat.S_ISFIFO, "socket": stat.S_ISSOCK,
    "dev": stat.S_ISBLK, "chardev": stat.S_ISCHR,
}  # fmt: skip
_PATTERN = "\\*?["
_TOP = FileEntry("", "dir", 0, 0o755, 0, 0)
_UNMADE = frozenset({"socket"})
"""What restic keeps in its lists and never makes."""


class OnePath:
    """Looks paths up and writes them out, each time in a repository that is opened anew."""

    def __init__(self, runner: StreamingRunner, openings: Openings, keys: Keyring) -> None:
        self._runner, self._openings, self._keys = runner, openings, keys

    def find(self, repository: Repository, snapshot_ids: Sequence[str], path: str) -> tuple[FoundPath, ...]:
        """See BackupsView.find."""
        with in_words(f"{repository.name} could not be looked into"):
            trees = _Repository(self._openings.open(repository), self._keys)
            return tuple(_found(trees, one, path) for one in snapshot_ids)

    def fetch(self, repository: Repository, snapshot_id: str, path: str, into: Path) -> Fetched:
        """See BackupsView.fetch."""
        what = f"/{path} of snapshot {snapshot_id[:8]} of {repository.name} could not be fetched"
        with in_words(what):
            opened = self._openings.open(repository)
            try:
                trees = _Repository(opened, self._keys)
                there = trees.at(snapshot_id, path)
                if there is None:
                    raise PermanentError(
                        what, evidence=("the snapshot has nothing there",), hint="another snapshot may have it",
                        next_command=f"invoke dr.list {repository.name} {quote('/' + path)}",
                    )  # fmt: skip
                wanted = (there, *trees.below(there))
            except (Broken, PlaceLacks) as error:
                raise PermanentError(what, evidence=(str(error),), hint="an older snapshot may be whole: invoke dr.list") from error
            size = sum(child.entry.size for child in wanted)
            try:
                self._runner.run(
                    ["restic", "restore", *_named(snapshot_id, there.entry, into), *opened.options],
                    env=opened.env, timeout_s=_START_S + size / _SLOWEST,
                )  # fmt: skip
            except ProgramFailed as error:
                raise translated(what, error) from error
            return _compared(wanted, trees.index, into)


class _Repository:
    """An open repository: one key, one index, and each tree read once."""

    def __init__(self, opened: Opened, keys: Keyring) -> None:
        self._place, self._key = opened.place, keys.key(opened)
        read_identity(self._place, self._key)
        names = [f"index/{name}" for name in self._place.names("index")]
        files = ((name.partition("/")[2], content) for name, content in self._place.read(names))
        self.index: Index = read_index(self._key, files)
        self._trees = Trees(self._place, self._key, self.index, Threads())
        self._read: dict[str, bytes | Broken] = {}

    def at(self, snapshot_id: str, path: str) -> Child | None:
        """What the snapshot has at this path, None for nothing. Raises Broken, PlaceLacks, SnapshotAbsent."""
        found: Child | None = Child(_TOP, _top(self._one(snapshot_id), self._key))
        so_far = ""
        for part in filter(None, path.split("/")):
            if found is None or not found.tree:
                return None
            so_far = f"{so_far}/{part}" if so_far else part
            found = next((child for child in self.within(found) if child.entry.path == so_far), None)
        return found

    def within(self, folder: Child) -> list[Child]:
        """What lies in this folder. Raises Broken."""
        return self._lists((folder,))

    def below(self, top: Child) -> Iterator[Child]:
        """All that lies below it, level by level. Raises Broken."""
        level = [top]
        while level := [child for child in level if child.tree]:
            level = self._lists(level)
            yield from level

    def _lists(self, folders: Sequence[Child]) -> list[Child]:
        wanted = tuple(dict.fromkeys(one.tree for one in folders if one.tree not in self._read))
        self._read |= self._trees.read(wanted) if wanted else {}
        found: list[Child] = []
        for folder in folders:
            content = self._read[folder.tree]
            if isinstance(content, Broken):
                raise content
            found += children(content, folder.entry.path)
        return found

    def _one(self, snapshot_id: str) -> bytes:
        try:
            ((_, content),) = self._place.read((f"snapshots/{snapshot_id}",))
        except PlaceLacks as error:
            raise SnapshotAbsent(snapshot_id) from error
        return content


def _top(sealed: bytes, key: MasterKey) -> str:
    return str(document(key, "the snapshot", sealed).get("tree"))


def _found(trees: _Repository, snapshot_id: str, path: str) -> FoundPath:
    try:
        child = trees.at(snapshot_id, path)
        below = trees.within(child) if child is not None and child.tree else []
    except SnapshotAbsent:
        return FoundPath(snapshot_id, broken="it is not there any more")
    except (Broken, PlaceLacks) as error:
        return FoundPath(snapshot_id, broken=str(error))
    entries = sorted((one.entry for one in below), key=lambda entry: entry.path)
    return FoundPath(snapshot_id, child.entry if child is not None else None, tuple(entries))


def _named(snapshot_id: str, entry: FileEntry, into: Path) -> list[str]:
    """The words by which restic writes just that: by its name out of its folder, whose own mode and times it so gets too."""
    parent, _, name = entry.path.rpartition("/")
    literal = "".join(f"\\{letter}" if letter in _PATTERN else letter for letter in name)
    only = ["--include", f"/{literal}"] if name else []
    return [f"{snapshot_id}:/{parent}" if parent else snapshot_id, *only, "--target", str(into)]


def _compared(wanted: Sequence[Child], index: Index, into: Path) -> Fetched:
    """What lies on the disk now, held against the trees."""
    top = wanted[0].entry
    parent = top.path.rpartition("/")[0]
    skipped = len(parent) + 1 if parent else 0
    expected = {into / child.entry.path[skipped:] if child.entry.path else into: child for child in wanted}
    unlike = [f"/{child.entry.path}: {why}" for path, child in expected.items() if (why := _unlike(path, child, index))]
    there = {Path(folder) / name for folder, folders, files in os.walk(into) for name in (*folders, *files)}
    unlike += [f"{path.relative_to(into)}: the snapshot has no such entry" for path in sorted(there - expected.keys())]
    files = [child.entry for child in wanted if child.entry.kind == "file"]
    unmade = sum(child.entry.kind in _UNMADE for child in wanted)
    aside = ["owners, extended attributes and hard links were not compared"]
    aside += [f"sockets are never written: {unmade}"] if unmade else []
    return Fetched(len(files), sum(entry.size for entry in files), tuple(unlike), "; ".join(aside))


def _unlike(path: Path, child: Child, index: Index) -> str:
    """Why what lies there is not this entry, "" where it is."""
    entry = child.entry
    try:
        facts = path.lstat()
    except FileNotFoundError:
        return "" if entry.kind in _UNMADE else "it did not come"
    if not _KINDS[entry.kind](facts.st_mode):
        return f"it is no {entry.kind}"
    if entry.kind == "symlink":
        return "" if path.readlink() == Path(entry.target or "") else "it points elsewhere"
    if entry.kind == "file" and (why := _other_bytes(path, child, index)):
        return why
    if entry.path and stat.S_IMODE(facts.st_mode) != entry.mode:
        return f"its mode is {stat.S_IMODE(facts.st_mode):o}, not {entry.mode:o}"
    if entry.path and entry.mtime_ns is not None and facts.st_mtime_ns != entry.mtime_ns:
        return "its time of change is another"
    return ""


def _other_bytes(path: Path, child: Child, index: Index) -> str:
    with path.open("rb") as file:
        for place, piece in enumerate(child.pieces, 1):
            blob = index.blob("data", piece)
            if blob is None:
                return f"piece {place} of it is in no index"
            content = file.read(blob.whole or blob.length - OVERHEAD)
            if hashlib.sha256(content).hexdigest() != piece:
                return f"piece {place} of {len(child.pieces)} is another"
        if file.read(1) or file.tell() != child.entry.size:
            return f"it is not {number(child.entry.size, 'byte')} long"
    return ""
