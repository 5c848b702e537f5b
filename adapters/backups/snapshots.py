"""Reads what restic prints as JSON: snapshots into restore points, `ls` into a list. Starts no program, opens no place."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from statistics import median
from typing import Any

from adapters.backups.results import RestorePoint
from adapters.volsync.results import FileEntry

NEIGHBOURS = 12
_BASELINE = 3
_FEWER_FILES = 5
_FEWER_BYTES = 1 << 20
# Go's os.FileMode keeps these three elsewhere than st_mode does.
_GO_BITS = ((1 << 23, 0o4000), (1 << 22, 0o2000), (1 << 20, 0o1000))


def identity_of(printed: bytes) -> str:
    """The repository's id out of `restic cat config`. ValueError when it is not there."""
    try:
        found = str(json.loads(printed)["id"])
    except (KeyError, TypeError) as error:
        raise ValueError("restic printed a config without an id") from error
    if not found:
        raise ValueError("restic printed a config without an id")
    return found


def restore_points(repository_id: str, printed: bytes) -> tuple[RestorePoint, ...]:
    """The answer of `restic snapshots --json`, newest first. ValueError when it is not what restic prints."""
    try:
        raw = json.loads(printed)
        points = [_point(repository_id, one) for one in raw]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"restic printed snapshots of an unknown shape ({error})") from error
    points.sort(key=lambda point: (point.time, point.snapshot_id))
    judged: list[RestorePoint] = []
    for point in points:
        judged.append(_judged(point, judged))
    return tuple(reversed(judged))


def pin_of(seconds: float) -> str:
    """A time as VolSync's restoreAsOf takes it: RFC 3339, whole seconds (cut, not rounded), UTC."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def file_entry(line: str) -> FileEntry | None:
    """One line of `restic ls --json`; None for the line about the snapshot itself. ValueError when it is not JSON."""
    node: dict[str, Any] = json.loads(line)
    if "node" not in (node.get("message_type"), node.get("struct_type")):
        return None
    bits = int(node.get("mode", 0))
    mode = bits & 0o777
    for go, posix in _GO_BITS:
        mode |= posix if bits & go else 0
    kind = str(node["type"])
    return FileEntry(
        path=str(node["path"]).lstrip("/"),
        kind=kind,
        size=int(node.get("size", 0)) if kind == "file" else 0,
        mode=mode,
        uid=int(node.get("uid", 0)),
        gid=int(node.get("gid", 0)),
    )


def _point(repository_id: str, raw: dict[str, Any]) -> RestorePoint:
    summary = raw.get("summary") or {}
    seconds = _seconds(str(raw["time"]))
    return RestorePoint(
        repository_id=repository_id,
        snapshot_id=str(raw["id"]),
        time=seconds,
        pin=pin_of(seconds),
        hostname=str(raw.get("hostname", "")),
        paths=tuple(str(path) for path in raw.get("paths") or ()),
        tags=tuple(str(tag) for tag in raw.get("tags") or ()),
        files=_number(summary, "total_files_processed"),
        size=_number(summary, "total_bytes_processed"),
    )


def _seconds(text: str) -> float:
    """restic prints nanoseconds and the zone of the machine that backed up; `fromisoformat` takes six digits at most."""
    head, dot, tail = text.replace("Z", "+00:00").partition(".")
    if dot:
        digits = tail[: len(tail) - len(tail.lstrip("0123456789"))]
        head = f"{head}.{digits[:6]}{tail[len(digits) :]}"
    return datetime.fromisoformat(head).timestamp()


def _number(summary: dict[str, Any], name: str) -> int | None:
    return int(summary[name]) if name in summary else None


def _judged(point: RestorePoint, before: Iterable[RestorePoint]) -> RestorePoint:
    """Incomplete when far smaller than the last complete ones of the same host and paths before it.

    restic does not write into a snapshot that files could not be read (exit 3), so this is all that a snapshot tells. Growing
    is never suspicious; what stays small for as many backups as NEIGHBOURS is the new normal.
    """
    same = [one for one in before if (one.hostname, one.paths) == (point.hostname, point.paths)][-NEIGHBOURS:]
    baseline = [one for one in same if one.complete][-_BASELINE:]
    files = [one.files for one in baseline if one.files is not None]
    sizes = [one.size for one in baseline if one.size is not None]
    shrunk = _far_less(point.files, files, _FEWER_FILES) or _far_less(point.size, sizes, _FEWER_BYTES)
    return replace(point, complete=not shrunk)


def _far_less(value: int | None, before: list[int], floor: int) -> bool:
    if value is None or not before:
        return False
    usual = median(before)
    return value * 2 < usual and usual - value >= floor
