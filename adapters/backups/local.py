"""A repository in a folder of this machine, which may be a mounted share. Knows no restic."""

from __future__ import annotations

import os
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
            if not self.path.exists():
                return self._absent()
            if not self.path.is_dir():
                return Contents(others=(self.path.name,), detail="a file, not a folder")
            return self._listed()
        except PermissionError as error:
            raise PlaceRefused(f"{error.filename or self.path}: permission denied") from error
        except OSError as error:
            raise PlaceUnreachable(f"{error.filename or self.path}: {error.strerror or error}") from error

    def _absent(self) -> Contents:
        parent = self.path.parent
        if not parent.is_dir():
            raise PlaceUnreachable(f"the folder {parent} does not exist: is the share mounted?")
        if not any(parent.iterdir()) and parent.stat().st_dev == Path("/").stat().st_dev:
            raise PlaceUnreachable(f"the folder {parent} is empty and on the root disk: is the share mounted?")
        return Contents(detail=f"{parent} was listed, {self.path.name} is not in it")

    def _listed(self) -> Contents:
        config = self.path / "config"
        counts = {name: self._files(name) for name in FOLDERS}
        known = {"config", "data", *FOLDERS}
        return Contents(
            config_size=config.stat().st_size if config.is_file() else None,
            keys=len(counts["keys"]),
            snapshots=len(counts["snapshots"]),
            indexes=len(counts["index"]),
            packs=any(pack.is_file() for pack in self.path.glob("data/*/*")),
            locks=tuple(entry.stat().st_mtime for entry in counts["locks"]),
            others=tuple(sorted(entry.name for entry in self.path.iterdir() if entry.name not in known)),
            detail="" if any(self.path.iterdir()) else "the folder is there and empty",
        )

    def _files(self, name: str) -> list[os.DirEntry[str]]:
        folder = self.path / name
        if not folder.is_dir():
            return []
        with os.scandir(folder) as entries:
            return [entry for entry in entries if entry.is_file()]
