"""Whether a user can read and write what comes back, by owners and modes. Asks nobody, knows no Pod."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from adapters.volsync.results import FileEntry
from engine.text.words import number, some
from recovery.compared.identities import User

NOBODY = -1
_READ, _WRITE, _ENTER = 4, 2, 1


@dataclass(frozen=True)
class Left:
    """As whom a mover without privileges restores, which can give nothing to anybody else: user, and group where one is known."""

    uid: int
    gid: int | None


@dataclass(frozen=True)
class Denied:
    """One user, and the paths that it can't read, or can't write."""

    user: User
    unread: tuple[str, ...] = ()
    unwritten: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """In words, the first names of each."""
        parts = (("read", self.unread), ("write", self.unwritten))
        told = "; ".join(f"cannot {word} {number(len(paths), 'path')}: {some(paths)}" for word, paths in parts if paths)
        return f"{self.user.who} (uid {self.user.uid}) {told}"


def as_left(entries: Iterable[FileEntry], by: Left | None) -> tuple[FileEntry, ...]:
    """The entries as their mover leaves them; None: one that can set owners."""
    if by is None:
        return tuple(entries)
    return tuple(replace(entry, uid=by.uid, gid=NOBODY if by.gid is None else by.gid) for entry in entries)


def denied(user: User, entries: Sequence[FileEntry]) -> Denied:
    """What keeps this user out. Where its uid is not known nothing is said of it."""
    if user.uid is None or user.mighty:
        return Denied(user)
    unread, unwritten = [], []
    for entry in entries:
        if entry.kind not in ("file", "dir") or entry.path.partition("/")[0] == "lost+found":
            continue  # that one is the filesystem's own, and closed to everybody
        may = _bits(user, entry)
        enters = _ENTER if entry.kind == "dir" else 0
        if may & (_READ | enters) != _READ | enters:
            unread.append(entry.path)
        elif not user.reads and not may & _WRITE and entry.mode & 0o222:  # what nobody may write is meant so
            unwritten.append(entry.path)
    return Denied(user, tuple(unread), tuple(unwritten))


def _bits(user: User, entry: FileEntry) -> int:
    """rwx of this user, once the kubelet has given the entry to the fsGroup (with all that a group needs)."""
    mode, gid = entry.mode, entry.gid
    if user.given is not None:
        mode, gid = mode | (0o070 if entry.kind == "dir" else 0o060), user.given
    if user.uid == entry.uid:
        return mode >> 6 & 7
    return (mode >> 3 if gid in user.groups else mode) & 7
