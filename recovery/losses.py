"""What an earlier list of files has that a later one of the same volume has not: by name and by size. Knows no port.

An application changes its files from its first second on, so a later list is never the same. What it may not do is lose data: that
is told from change by what is gone, what is empty now, and how much less there is in all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from adapters.volsync.results import FileEntry

FEW = 3
SHOWN = 20
IGNORED = ("lost+found",)
_OF_A_DATABASE = ("-wal", "-shm", "-journal")
"""What SQLite makes beside a database and takes away again when it is opened or closed."""
_OF_A_PROCESS = (".pid", ".lock", ".lck", ".sock")
_SHORT = 256
"""Bytes: what tells a process's number is no longer, and a list of versions that is called `.lock` is no shorter."""
_NO_DATA = ("socket", "fifo")


@dataclass(frozen=True)
class Losses:
    """`gone`: paths that the later list has not, or has as another kind; `emptied`: files that had bytes and have none now.

    `changed` (by their size) and `new` are what an application does. `passing` are gone or empty too, and hold no data of their
    own: locks, sockets, journals beside a database that is there. `paths` and `size` (bytes) are of the earlier list without those,
    `lost` is how many bytes of it are gone.
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
    old, new = _by_path(before), _by_path(after)
    absent = sorted(path for path, entry in old.items() if path not in new or new[path].kind != entry.kind)
    emptied = sorted(path for path, entry in old.items() if entry.size and path in new and not new[path].size)
    passing = {path for path in (*absent, *emptied) if _holds_no_data(old[path], new)}
    gone = tuple(path for path in absent if path not in passing)
    empty = tuple(path for path in emptied if path not in passing and path not in gone)
    lost = {*gone, *empty, *passing}
    counted = [entry for path, entry in old.items() if path not in passing]
    size = sum(entry.size for entry in counted)
    # What went in several small steps, or was made again with little in it, shows in the sum alone.
    less = size - sum(entry.size for entry in new.values())
    return Losses(
        paths=len(counted),
        size=size,
        gone=gone,
        emptied=empty,
        changed=tuple(sorted(p for p in old.keys() & new.keys() if old[p].size != new[p].size and p not in lost)),
        new=tuple(sorted(new.keys() - old.keys())),
        passing=tuple(sorted(passing)),
        lost=max(less, sum(old[path].size for path in (*gone, *empty))),
    )


def _holds_no_data(entry: FileEntry, after: Mapping[str, FileEntry]) -> bool:
    if entry.kind in _NO_DATA or (entry.path.endswith(_OF_A_PROCESS) and entry.size <= _SHORT):
        return True
    beside = next((entry.path.removesuffix(end) for end in _OF_A_DATABASE if entry.path.endswith(end)), "")
    return beside in after and after[beside].size > 0


def _by_path(entries: Iterable[FileEntry]) -> dict[str, FileEntry]:
    return {e.path: e for e in entries if e.path not in ("", "/", ".") and e.path.strip("/").split("/")[0] not in IGNORED}


def _few(paths: tuple[str, ...]) -> str:
    more = len(paths) - FEW
    return ", ".join((*paths[:FEW], *((f"and {more} more",) if more > 0 else ())))
