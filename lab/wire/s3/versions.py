"""What a bucket that keeps versions has beside its objects: former contents and marks of deletion, as files. Knows no HTTP.

A version is known by the nanosecond in which it was written. Files lie below the key's own folders, under a name that no key has.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_MARK = "%v"  # never what quoting makes of a key
_GONE = ".gone"
_DAY_S = 86400.0


@dataclass(frozen=True)
class StoredVersion:
    """One version of the object at `path`, relative to its bucket: its id, when it was written, whether it says "deleted"."""

    path: Path
    version_id: str
    written: float
    size: int
    gone: bool
    latest: bool
    file: Path


@dataclass
class Keeping:
    """What one bucket is told to do: `state` as S3 has it, "" for never; default retention (mode, days); life cycle, days.

    `overwritten` are paths of objects written while no versions were kept: the next such write takes their place.
    """

    state: str = ""
    lock: tuple[str, int] | None = None
    expires_days: int = 0
    overwritten: set[Path] = field(default_factory=set)


@dataclass
class Former:
    """The former contents of all buckets of one store, below `root`."""

    root: Path
    told: dict[str, Keeping] = field(default_factory=dict)

    def of(self, bucket: str) -> Keeping:
        """What this bucket was told."""
        return self.told.setdefault(bucket, Keeping())

    def keep(self, bucket: str, base: Path, path: Path) -> Path | None:
        """The object at `path` is about to go, or to be another: where it is kept, None where it is not."""
        keeping, name = self.of(bucket), path.relative_to(base)
        own, target = keeping.state == "Suspended" and name not in keeping.overwritten, None
        if (keeping.state == "Enabled" or own) and path.is_file():
            target = self._folder(bucket, name) / f"{_MARK}{path.stat().st_mtime_ns:x}"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(path, target)
        (keeping.overwritten.discard if keeping.state == "Enabled" else keeping.overwritten.add)(name)
        return target

    def mark(self, bucket: str, base: Path, path: Path) -> None:
        """It was deleted."""
        if self.of(bucket).state:
            folder = self._folder(bucket, path.relative_to(base))
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{_MARK}{time.time_ns():x}{_GONE}").touch()

    def all(self, bucket: str, base: Path, under: str) -> Iterator[StoredVersion]:
        """Every version of every object whose path below the bucket begins with `under`, of one object the newest first."""
        paths = {file.relative_to(base) for file in base.rglob("*") if file.is_file()}
        top = self.root / bucket
        paths |= {file.parent.relative_to(top) for file in top.rglob(f"{_MARK}*") if file.is_file()}
        for path in sorted(paths):
            if path.as_posix().startswith(under):
                yield from self.one(bucket, base, path)

    def one(self, bucket: str, base: Path, path: Path) -> list[StoredVersion]:
        """The versions of one object, the newest first."""
        found = []
        if (base / path).is_file():
            facts = (base / path).stat()
            found.append((facts.st_mtime_ns, facts.st_size, False, base / path))
        folder = self._folder(bucket, path)
        for file in folder.glob(f"{_MARK}*") if folder.is_dir() else ():
            at = int(file.name.removeprefix(_MARK).removesuffix(_GONE), 16)
            found.append((at, file.stat().st_size, file.name.endswith(_GONE), file))
        found.sort(key=lambda one: -one[0])
        return [
            StoredVersion(path, f"{at:x}", at / 1e9, size, gone, latest=place == 0, file=file)
            for place, (at, size, gone, file) in enumerate(found)
        ]

    def locked(self, bucket: str, version: StoredVersion) -> bool:
        """Whether the default retention forbids that this version goes."""
        lock = self.of(bucket).lock
        return lock is not None and not version.gone and version.written + lock[1] * _DAY_S > time.time()

    def _folder(self, bucket: str, path: Path) -> Path:
        return self.root / bucket / path
