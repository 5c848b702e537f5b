"""What an earlier list of files has that a later one of the same volume has not: by name and by size. Knows no port.

An application changes its files from its first second on, so a later list is never the same. What it may not do is lose data: that
is told from change by what is gone, what is empty now, and how many bytes each file has less. What is new pays for none of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from adapters.volsync.results import FileEntry

FEW = 3
SHOWN = 20
_IGNORED = ("lost+found",)
_JOURNALS = ("-wal", "-journal")
"""What SQLite writes beside a database, and takes away once the database has it: till then a part of the data is only here."""
_INDEX = "-shm"
_HEADER = 32
"""Bytes: a journal of SQLite that is no longer has not one page in it."""
_OF_A_PROCESS = (".pid", ".lock", ".lck", ".sock")
_SHORT = 256
"""Bytes: what tells a process's number is no longer, and a list of versions that is called `.lock` is no shorter."""
_NO_DATA = ("socket", "fifo")


@dataclass(frozen=True)
class Losses:
    """`gone`: paths that the later list has not, or has as another kind; `emptied`: files that had bytes and have none now.

    `changed` (by their size) and `new` are what an application does. `passing` are gone or empty too, and hold no data of their
    own: locks, sockets, journals beside a database that has taken them in. `paths` and `size` (bytes) are of the earlier list
    without those, `lost` is how many bytes of it are gone, counted file by file.
    """

    paths: int
    size: int
    gone: tuple[str, ...]
    emptied: tuple[str, ...]
    changed: tuple[str, ...]
    new: tuple[str, ...]
    passing: tuple[str, ...]
    lost: int

    def above(self, share: float) -> bool:
        """Whether more than this share (0.01 for one in a hundred) of the paths, or of the bytes, is lost."""
        return len(self.gone) + len(self.emptied) > share * self.paths or self.lost > share * self.size

    @property
    def evidence(self) -> tuple[str, ...]:
        """Every path that is lost, one a line."""
        return (*(f"gone: {path}" for path in self.gone), *(f"empty now: {path}" for path in self.emptied))

    @property
    def shown(self) -> tuple[str, ...]:
        """The first of them, and how many more there are."""
        found = self.evidence
        more = len(found) - SHOWN
        return (*found[:SHOWN], *((f"and {more} more",) if more > 0 else ()))

    @staticmethod
    def share(share: float) -> str:
        """A share as the settings write it."""
        return f"{share:.1%}".replace(".0%", "%")

    @property
    def words(self) -> str:
        """Counts, with the first names of each, in one line; "unchanged" when there is nothing to tell."""
        told = (
            ("gone", self.gone), ("empty now", self.emptied), ("of another size", self.changed), ("new", self.new),
            ("gone that hold no data", self.passing),
        )  # fmt: skip
        parts = [f"{len(paths)} {what} ({_few(paths)})" for what, paths in told if paths]
        return ", ".join(parts) or "unchanged"


def losses(before: Iterable[FileEntry], after: Iterable[FileEntry]) -> Losses:
    """What `after` has lost of `before`."""
    old, new = by_path(before), by_path(after)
    absent = sorted(path for path, entry in old.items() if path not in new or new[path].kind != entry.kind)
    emptied = sorted(path for path, entry in old.items() if entry.size and path in new and not new[path].size)
    passing = {path for path in (*absent, *emptied) if _holds_no_data(old[path], old, new)}
    gone = tuple(path for path in absent if path not in passing)
    empty = tuple(path for path in emptied if path not in passing and path not in gone)
    lost = {*gone, *empty, *passing}
    counted = [entry for path, entry in old.items() if path not in passing]
    return Losses(
        paths=len(counted),
        size=sum(entry.size for entry in counted),
        gone=gone,
        emptied=empty,
        changed=tuple(sorted(p for p in old.keys() & new.keys() if old[p].size != new[p].size and p not in lost)),
        new=tuple(sorted(new.keys() - old.keys())),
        passing=tuple(sorted(passing)),
        lost=sum(_less(entry, old, new) for entry in counted),
    )


def _less(entry: FileEntry, before: Mapping[str, FileEntry], after: Mapping[str, FileEntry]) -> int:
    """How many bytes of this one file are gone: what grew, or is new, has not got them."""
    now = after.get(entry.path)
    if now is None or now.kind != entry.kind:
        return entry.size
    return 0 if now.size >= entry.size or _holds_no_data(entry, before, after) else entry.size - now.size


def _holds_no_data(entry: FileEntry, before: Mapping[str, FileEntry], after: Mapping[str, FileEntry]) -> bool:
    if entry.kind in _NO_DATA or (entry.path.endswith(_OF_A_PROCESS) and entry.size <= _SHORT):
        return True
    beside = next((entry.path.removesuffix(end) for end in (*_JOURNALS, _INDEX) if entry.path.endswith(end)), "")
    was, now = before.get(beside), after.get(beside)
    if now is None or not now.size:
        return False
    return entry.path.endswith(_INDEX) or entry.size <= _HEADER or (was is not None and _written(was, now))


def _written(was: FileEntry, now: FileEntry) -> bool:
    """Whether it is seen that the file was written between the two lists; a time that nobody knows shows nothing."""
    if was.size != now.size:
        return True
    return was.mtime_ns is not None and now.mtime_ns is not None and was.mtime_ns != now.mtime_ns


def by_path(entries: Iterable[FileEntry]) -> dict[str, FileEntry]:
    """Entries by path, without the root's and what a file system keeps for itself."""
    return {e.path: e for e in entries if e.path not in ("", "/", ".") and e.path.strip("/").split("/")[0] not in _IGNORED}


def _few(paths: tuple[str, ...]) -> str:
    more = len(paths) - FEW
    return ", ".join((*paths[:FEW], *((f"and {more} more",) if more > 0 else ())))
