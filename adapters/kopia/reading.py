"""kopia's JSON: snapshots into restore points, files and pieces of the store into values. Starts no program, opens no place."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from adapters.backups.results import RestorePoint
from adapters.backups.snapshots import judged, pin_of, seconds_of
from engine.text.jsontext import Malformed
from engine.text.words import number


@dataclass(frozen=True)
class Blob:
    """One file of the store: `length` in bytes, `written` in seconds since the epoch."""

    name: str
    length: int
    written: float

    @property
    def is_pack(self) -> bool:
        """Whether it holds pieces: of files (p) or of folders and snapshots (q)."""
        return self.name[:1] in ("p", "q")

    @property
    def session(self) -> str:
        """Which writer made it, "" where the name does not say: `p0123…-s4567`."""
        return self.name.rpartition("-s")[2] if "-s" in self.name else ""


@dataclass(frozen=True)
class Content:
    """One piece, as an index knows it: it lies in `pack` up to the byte `end`. A `deleted` one is needed by nobody."""

    pack: str
    end: int
    deleted: bool


def blob_of(told: dict[str, Any]) -> Blob:
    """One line of `blob list`. ValueError for another shape."""
    try:
        return Blob(str(told["id"]), int(told["length"]), seconds_of(str(told["timestamp"])))
    except (KeyError, TypeError) as error:
        raise Malformed(f"kopia names a file of the store in a way that is not known ({error})") from error


def content_of(told: dict[str, Any]) -> Content:
    """One line of `content list`. ValueError for another shape."""
    try:
        return Content(str(told["packFile"]), int(told["packOffset"]) + int(told["length"]), bool(told.get("deleted")))
    except (KeyError, TypeError) as error:
        raise Malformed(f"kopia names a piece in a way that is not known ({error})") from error


def identity_of(told: dict[str, Any]) -> str:
    """Whose snapshot it is: `user@host:/path`. ValueError for another shape."""
    try:
        source = told["source"]
        return f"{source['userName']}@{source['host']}:{source['path']}"
    except (KeyError, TypeError) as error:
        raise Malformed(f"a snapshot of an unknown shape ({error})") from error


def own_id(unique_id: str, identity: str) -> str:
    """What one claim has of a repository that many share: the same for as long as repository and identity are."""
    return hashlib.sha256(f"{unique_id} {identity}".encode()).hexdigest()


def restore_points(
    repository_id: str, identity: str, told: Iterable[dict[str, Any]], normal_since: float = 0.0
) -> tuple[RestorePoint, ...]:
    """The snapshots of this identity, the newest first. ValueError when one is not what kopia prints."""
    try:
        return judged([_point(repository_id, one) for one in told if identity_of(one) == identity], normal_since)
    except (KeyError, TypeError, AttributeError) as error:
        raise Malformed(f"a snapshot of an unknown shape ({error})") from error


def _point(repository_id: str, told: dict[str, Any]) -> RestorePoint:
    at = seconds_of(str(told["startTime"]))
    root = told.get("rootEntry") or {}
    summary, stats = root.get("summ") or {}, told.get("stats") or {}
    lacks = _lacks(told, root, summary, stats)
    return RestorePoint(
        repository_id=repository_id,
        snapshot_id=str(told["id"]),
        time=at,
        pin=pin_of(at),
        hostname=str(told["source"]["host"]),
        paths=(str(told["source"]["path"]),),
        tags=tuple(sorted(f"{name}={value}" for name, value in (told.get("tags") or {}).items())),
        files=int(summary["files"]) if "files" in summary else None,
        size=int(summary["size"]) if "size" in summary else None,
        complete=not lacks,
        lacks=lacks,
    )


def _lacks(told: dict[str, Any], root: dict[str, Any], summary: dict[str, Any], stats: dict[str, Any]) -> str:
    """Why it is not complete, in kopia's own account of it; "" when it is."""
    if why := told.get("incomplete"):
        return f"not complete ({why})"
    if not root.get("obj"):
        return "not complete (it has no top)"
    failed = max(int(summary.get("numFailed") or 0), int(stats.get("errorCount") or 0))
    ignored = int(stats.get("ignoredErrorCount") or 0)
    if failed or ignored:
        return f"not complete ({number(failed + ignored, 'entry', 'entries')} could not be read)"
    return ""
