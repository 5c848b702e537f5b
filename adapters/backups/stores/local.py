"""A repository in a folder of this machine, which may be a mounted share. Knows no restic."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from adapters.backups.stores.mounts import not_mounted
from adapters.backups.stores.places import (
    FOLDERS,
    Contents,
    Found,
    Listed,
    Packs,
    PlaceLacks,
    PlaceRefused,
    PlaceUnreachable,
    assembled,
    at_home,
    dates,
    ids,
    no_file,
)


@dataclass(frozen=True)
class LocalPlace:
    """A folder. A missing or empty parent on the root disk is taken for a share that is not mounted: nothing is known then."""

    path: Path

    def contents(self) -> Contents:
        """See Place.contents."""
        with self._told():
            kind = _kind(self.path)
            if kind is None:
                return self._absent()
            if not stat.S_ISDIR(kind):
                return Contents(others=(self.path.name,), detail="a file, not a folder")
            return self._listed()

    def names(self, folder: str) -> tuple[str, ...]:
        """See Place.names."""
        with self._told():
            return ids(self._listing(folder).files)

    def dated(self, folder: str) -> dict[str, float]:
        """See Place.dated."""
        with self._told():
            return dates(self._listing(folder).files)

    def ahead(self, now: float) -> float | None:
        """See Place.ahead. Only a file written now would tell, and nothing is written to look."""
        return None

    def packs(self) -> Packs:
        """See Place.packs."""
        sizes: dict[str, int] = {}
        closed: set[str] = set()
        with self._told():
            for folder in sorted((self.path / "data").iterdir()) if _is_folder(self.path / "data") else ():
                for found in self._listing(f"data/{folder.name}").files:
                    if not at_home(folder.name, found.name):
                        continue
                    sizes[found.name] = found.size
                    if not os.access(folder / found.name, os.R_OK):
                        closed.add(found.name)
        return Packs(sizes, frozenset(closed))

    def read(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """See Place.read."""
        for name in names:
            with self._told(), self._opened(name) as file:
                content = file.read()
            yield name, content

    def read_part(self, name: str, offset: int, length: int) -> bytes:
        """See Place.read_part."""
        with self._told(), self._opened(name) as file:
            file.seek(offset)
            return file.read(length)

    def remove(self, name: str) -> None:
        """See Place.remove."""
        with self._told():
            (self.path / name).unlink()

    def _opened(self, name: str) -> BinaryIO:
        """The file, to be read: what is none is not waited for, and raises PlaceLacks."""
        path = self.path / name
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        if what := no_file(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise PlaceLacks(f"{path} is {what}, and no file")
        return os.fdopen(descriptor, "rb")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except PermissionError as error:
            uid = os.geteuid()
            raise PlaceRefused(
                f"{error.filename or self.path}: permission denied to uid {uid} of this machine",
                "the file's owner or mode, not the repository's password: run as a user who may read it, or export the share so",
            ) from error
        except FileNotFoundError as error:
            raise PlaceLacks(f"{error.filename or self.path} is not there") from error
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise PlaceLacks(f"{error.filename or self.path} is {no_file(None)}, and no file") from error
            raise PlaceUnreachable(f"{error.filename or self.path}: {error.strerror or error}") from error

    def _absent(self) -> Contents:
        parent = self.path.parent
        if self.path.is_symlink():
            raise PlaceUnreachable(f"{self.path} is {no_file(None)}: is what it leads to mounted?")
        if not _is_folder(parent):
            raise PlaceUnreachable(f"the folder {parent} does not exist: is the share mounted?")
        if unmounted := not_mounted(self.path):
            raise PlaceUnreachable(unmounted)
        if not any(parent.iterdir()) and parent.stat().st_dev == Path("/").stat().st_dev:
            raise PlaceUnreachable(f"the folder {parent} is empty and on the root disk: is the share mounted?")
        return Contents(detail=f"{parent} was listed, {self.path.name} is not in it")

    def _listed(self) -> Contents:
        names = {entry.name for entry in self.path.iterdir()}
        if not names and (unmounted := not_mounted(self.path, suspicious=True)):
            raise PlaceUnreachable(unmounted)
        config = _kind(self.path / "config")
        return assembled(
            (self.path / "config").stat().st_size if stat.S_ISREG(config or 0) else None,
            {name: self._listing(name) for name in FOLDERS},
            self._any_pack(),
            names - {"config", "data", *FOLDERS},
            "" if names else "the folder is there and empty",
            no_file(config) if "config" in names else "",
        )

    def _any_pack(self) -> bool:
        data = self.path / "data"
        return _is_folder(data) and any(self._listing(f"data/{folder.name}").files for folder in data.iterdir())

    def _listing(self, name: str) -> Listed:
        folder = self.path / name
        if not _is_folder(folder):
            return Listed()
        with os.scandir(folder) as entries:
            found = [(entry.name, _seen(entry)) for entry in entries]
        return Listed(
            tuple(Found(name, seen.st_size, seen.st_mtime) for name, seen in found if seen and stat.S_ISREG(seen.st_mode)),
            {name: what for name, seen in found if (what := no_file(seen.st_mode if seen else None))},
        )


def _seen(entry: os.DirEntry[str]) -> os.stat_result | None:
    """What is there behind all links; None where they lead nowhere."""
    try:
        return entry.stat()
    except OSError as error:
        if entry.is_symlink() and error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            return None
        raise


def _kind(path: Path) -> int | None:
    """The mode of what is there behind all links, None for nothing. Raises PermissionError, which `exists`, `is_dir` and `glob`
    may swallow."""
    try:
        return path.stat().st_mode
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            return None
        raise


def _is_folder(path: Path) -> bool:
    return stat.S_ISDIR(_kind(path) or 0)
