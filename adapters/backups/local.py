"""A repository in a folder of this machine, which may be a mounted share. Knows no restic."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from adapters.backups.places import FOLDERS, Contents, PlaceRefused, PlaceUnreachable


@dataclass(frozen=True)
class LocalPlace:
    """A folder. A missing or empty parent on the root disk is taken for a share that is not mounted: nothing is known then."""

    path: Path

    def contents(self) -> Contents:
        """See Place.contents."""
        try:
            kind = _kind(self.path)
            if kind is None:
                return self._absent()
            if not stat.S_ISDIR(kind):
                return Contents(others=(self.path.name,), detail="a file, not a folder")
            return self._listed()
        except PermissionError as error:
            raise PlaceRefused(f"{error.filename or self.path}: permission denied") from error
        except OSError as error:
            raise PlaceUnreachable(f"{error.filename or self.path}: {error.strerror or error}") from error

    def _absent(self) -> Contents:
        parent = self.path.parent
        if not _is_folder(parent):
            raise PlaceUnreachable(f"the folder {parent} does not exist: is the share mounted?")
        if not any(parent.iterdir()) and parent.stat().st_dev == Path("/").stat().st_dev:
            raise PlaceUnreachable(f"the folder {parent} is empty and on the root disk: is the share mounted?")
        return Contents(detail=f"{parent} was listed, {self.path.name} is not in it")

    def _listed(self) -> Contents:
        config = self.path / "config"
        counts = {name: self._files(name) for name in FOLDERS}
        known = {"config", "data", *FOLDERS}
        return Contents(
            config_size=config.stat().st_size if stat.S_ISREG(_kind(config) or 0) else None,
            keys=len(counts["keys"]),
            snapshots=len(counts["snapshots"]),
            indexes=len(counts["index"]),
            packs=self._packs(),
            locks=tuple(entry.stat().st_mtime for entry in counts["locks"]),
            others=tuple(sorted(entry.name for entry in self.path.iterdir() if entry.name not in known)),
            detail="" if any(self.path.iterdir()) else "the folder is there and empty",
        )

    def _packs(self) -> bool:
        """Whether there is any pack."""
        data = self.path / "data"
        return _is_folder(data) and any(self._files(f"data/{folder.name}") for folder in data.iterdir())

    def _files(self, name: str) -> list[os.DirEntry[str]]:
        folder = self.path / name
        if not _is_folder(folder):
            return []
        with os.scandir(folder) as entries:
            return [entry for entry in entries if entry.is_file()]


def _kind(path: Path) -> int | None:
    """The mode of what is there, None for nothing. Raises PermissionError, which `exists`, `is_dir` and `glob` may swallow."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None


def _is_folder(path: Path) -> bool:
    return stat.S_ISDIR(_kind(path) or 0)
