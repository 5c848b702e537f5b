"""The state file `state/<house>/journal`: append-only, synced, locked, refused when it cannot be trusted. Knows no step.

Losing it loses history, never safety: the world is the truth. So whatever does not fit is refused with the command that
moves it aside, and only a last line without its newline is cut, by the lock's holder alone.
"""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from engine.errors import JournalDamaged, JournalUnwritable
from engine.files.content import NO_FILE, content_of
from engine.files.durable import sync_folder
from engine.files.lock import HouseLock
from engine.sealed.entries import (
    SCHEMA,
    Begin,
    Damage,
    Decoded,
    End,
    Entry,
    Header,
    Line,
    NewerSchema,
    Note,
    decode,
    encode,
    redacted,
)
from engine.secrets import redact as redact_secrets
from engine.state import State, fold

JOURNAL_FILE = "journal"
LOCK_FILE = "lock"
_LOSES = "moving it aside loses history, not safety: the next run looks at the world again"
_LARGEST = 2**30
"""Bytes: what years of drills every day leave. It is read into memory."""


class Disk(Protocol):
    """How bytes reach the disk: the operating system's calls, or the lab's that can die or fail at any of them."""

    def write(self, fd: int, data: bytes) -> int:
        """Write some of `data`, answer how many bytes."""

    def sync(self, fd: int) -> None:
        """Return when all that was written is on the disk."""


class SystemDisk:
    """The operating system's own calls."""

    def write(self, fd: int, data: bytes) -> int:
        """write(2)"""
        return os.write(fd, data)

    def sync(self, fd: int) -> None:
        """fdatasync(2): the file's content and its length, not its times."""
        os.fdatasync(fd)


class Journal:
    """The open journal of one run. Made by `open_journal`; used by one thread alone. `older`: an older version began it."""

    def __init__(
        self, fd: int, path: Path, lock: HouseLock, run: str, found: Decoded, disk: Disk, now: Callable[[], float]
    ) -> None:  # fmt: skip
        self.run = run
        self._path = path
        self.cut_bytes = 0
        self.older = found.unchained and bool(found.lines)
        self._fd = fd
        self._lock = lock
        self._disk = disk
        self._now = now
        self._state = fold(found.lines)
        self._seq = len(found.lines)
        self._chain = found.chain
        self._broken: JournalUnwritable | None = None

    @property
    def state(self) -> State:
        """What the journal said when it was opened."""
        return self._state

    def append(self, *entries: Begin | Note | End) -> None:
        """Write the entries and return when they are on the disk. Texts are redacted.

        Raises JournalUnwritable; from then on every call does: after a failed sync nobody knows what is on the disk.
        """
        if entries:
            self._write([redacted(entry, redact_secrets) for entry in entries])

    def _write(self, entries: list[Entry]) -> None:
        if self._broken is not None:
            raise self._broken
        if not self._lock.excludes():
            self._broken = JournalUnwritable(
                "the lock of this house was removed while we held it",
                evidence=("another run may have begun: nothing more is written beside it",),
                hint="what was in flight is looked at again by the next run",
            )
            raise self._broken
        at = self._now()
        lines = (Line(self._seq + place, self.run, at, entry) for place, entry in enumerate(entries))
        data = b"".join(encode(line, self._chain) for line in lines)
        try:
            view = memoryview(data)
            while view:
                view = view[self._disk.write(self._fd, bytes(view)) :]
            self._disk.sync(self._fd)
        except OSError as error:
            self._broken = JournalUnwritable(
                "the journal cannot be written",
                evidence=(f"{self._path}: {type(error).__name__}: {error.strerror}",),
                hint="free space or repair the disk; what was in flight is looked at again by the next run",
            )
            raise self._broken from error
        self._seq += len(entries)

    def lock_fileno(self) -> int:
        """Descriptor of the house's lock, for a process whose programs must not outlive us unseen."""
        return self._lock.fileno()

    def close(self) -> None:
        """Let go of file and lock. Writes nothing; doing it twice does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        self._lock.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_journal(
    folder: Path, *, lineage: str, run: str, disk: Disk | None = None, now: Callable[[], float] = time.time
) -> Journal:
    """Open or make the journal in `folder` (`state/<house>`) for writing by run `run`; `lineage` is the house's id.

    Raises JournalBusy when another run holds the lock, JournalDamaged when the file is damaged, of another lineage or of a
    newer schema, JournalUnwritable when it cannot be opened or its first line cannot be synced.
    """
    try:
        return _open(folder, lineage, run, disk if disk is not None else SystemDisk(), now)
    except OSError as error:
        raise JournalUnwritable(
            f"the journal in {folder} cannot be opened",
            evidence=(f"{error.filename or folder}: {type(error).__name__}: {error.strerror}",),
            hint="this folder must be yours, on a disk that can be written and locked",
        ) from error


def _open(folder: Path, lineage: str, run: str, disk: Disk, now: Callable[[], float]) -> Journal:
    _make_folder(folder)
    lock = HouseLock(folder / LOCK_FILE, run, _stamp(now()))
    try:
        path = folder / JOURNAL_FILE
        raw = _raw(path, now)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            found = _checked(path, raw, lineage, now)
            if found.whole < len(raw):
                os.ftruncate(fd, found.whole)
                os.fsync(fd)
            journal = Journal(fd, path, lock, run, found, disk, now)
            journal.cut_bytes = len(raw) - found.whole
            if journal.older or not found.lines:  # what follows is sealed, and covers what an older version wrote
                journal._write([Header(lineage)])
                sync_folder(folder)
        except BaseException:
            os.close(fd)
            raise
    except BaseException:
        lock.close()
        raise
    return journal


def read_state(folder: Path, *, lineage: str, now: Callable[[], float] = time.time) -> State:
    """The folded journal for reading alone: takes no lock, cuts nothing. A journal that is not there is an empty State.

    Raises JournalDamaged as `open_journal` does, and where the file is there and cannot be read.
    """
    return fold(read_lines(folder, lineage=lineage, now=now)[0])


def read_lines(folder: Path, *, lineage: str, now: Callable[[], float] = time.time) -> tuple[list[Line], bytes]:
    """The same as its whole lines, and the bytes that they stand in; none for a journal that is not there."""
    path = folder / JOURNAL_FILE
    try:
        raw = _raw(path, now)
    except OSError as error:
        raise JournalDamaged(
            "the journal cannot be read", evidence=(f"{path}: {type(error).__name__}: {error.strerror}",)
        ) from error
    found = _checked(path, raw, lineage, now)
    return found.lines, raw[: found.whole]


def _raw(path: Path, now: Callable[[], float]) -> bytes:
    """The file's bytes, none where there is none. JournalDamaged for what is no file (a pipe is waited for, for ever); OSError."""
    try:
        return content_of(path, _LARGEST)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not path.is_symlink():
            return b""
        if not (isinstance(error, FileNotFoundError) or error.errno in NO_FILE):
            raise
        # A link to what is not there may lead to a disk that is not mounted: what is remembered is not nothing.
        why = "it is a link that leads nowhere" if isinstance(error, FileNotFoundError) else error.strerror
        told = (f"{path}: {why}",)
        raise JournalDamaged("the journal is damaged", evidence=told, hint=_LOSES, next_command=_aside(path, now)) from None


def _aside(path: Path, now: Callable[[], float]) -> str:
    return f"mv {shlex.quote(str(path))} {shlex.quote(f'{path}.aside-{_stamp(now())}')}"


def _checked(path: Path, raw: bytes, lineage: str, now: Callable[[], float]) -> Decoded:
    """What the file holds, or JournalDamaged with the command that moves it aside."""
    aside, hint = _aside(path, now), _LOSES
    try:
        found = decode(raw)
    except NewerSchema as newer:
        raise JournalDamaged(
            "the journal was written by a newer version",
            evidence=(f"{path}: schema {newer.schema}, this version knows {SCHEMA}",),
            hint="use the newer version; " + hint,
            next_command=aside,
        ) from newer
    except Damage as damage:
        raise JournalDamaged(
            "the journal is damaged", evidence=(f"{path}, line {damage.line}: {damage.why}",), hint=hint, next_command=aside
        ) from damage
    if found.lines:
        header = found.lines[0].entry
        assert isinstance(header, Header)  # decode made sure
        if header.lineage != lineage:
            raise JournalDamaged(
                "the journal belongs to another house",
                evidence=(f"{path}: lineage {header.lineage}, the settings say {lineage}",),
                hint="check that the settings file is the one you mean; " + hint,
                next_command=aside,
            )
    return found


def _make_folder(folder: Path) -> None:
    """Make the folder and its parents, and see each new name on the disk."""
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in new:
        sync_folder(path.parent)


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")
