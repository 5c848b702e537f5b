"""Reads restic's JSON: snapshots into restore points, differences into paths. Starts no program, opens no place.

How much a complete snapshot holds is judged here, whoever made it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from statistics import median
from typing import Any

from adapters.backups.results import Changes, RestorePoint
from engine.text.jsontext import Malformed, read

BURST_S = 15 * 60.0
"""Snapshots of one host and path that follow each other as fast as this are one backup and its retries, in seconds."""
_FIRST_S = int(datetime(1, 1, 1, tzinfo=UTC).timestamp())
_LAST_S = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())
_BASELINE = 3
_FEWER_FILES = 5
_FEWER_BYTES = 1 << 18


def restore_points(
    repository_id: str, told: Iterable[dict[str, Any]], normal_since: float = 0.0
) -> tuple[RestorePoint, ...]:
    """Snapshots as restic keeps them, each with its `id`; the newest first. ValueError when one is not what restic writes.

    `normal_since` (epoch seconds): what is older says nothing about how much a complete snapshot holds.
    """
    try:
        points = [_point(repository_id, one) for one in told]
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise Malformed(f"a snapshot of an unknown shape ({error})") from error
    return judged(points, normal_since)


def judged(points: Iterable[RestorePoint], normal_since: float = 0.0) -> tuple[RestorePoint, ...]:
    """The same, the newest first; one that is far smaller than those before it is not complete. `normal_since` as above."""
    made: list[RestorePoint] = []
    usual: dict[tuple[str, tuple[str, ...]], _Usual] = {}
    for point in sorted(points, key=lambda point: (point.time, point.snapshot_id)):
        known = usual.setdefault((point.hostname, point.paths), _Usual())
        complete = point.complete and (point.time < normal_since or not known.exceeds(point))
        if complete and point.time >= normal_since:
            known.learn(point)
        made.append(replace(point, complete=complete))
    return tuple(reversed(made))


class _Usual:
    """What a complete snapshot of one host and path held so far: the last few backups, each with its retries counted once.

    restic does not write into a snapshot that files could not be read (exit 3), so size is all that tells. One that is far
    smaller never becomes usual, however often it comes: that the data are meant to be fewer is for a person to say.
    """

    def __init__(self) -> None:
        self._last = float("-inf")
        self._files: list[int | None] = []
        self._sizes: list[int | None] = []

    def exceeds(self, point: RestorePoint) -> bool:
        """Whether what was usual so far is far more than this one holds. That it holds more is never suspicious."""
        return _far_less(point.files, self._files, _FEWER_FILES) or _far_less(point.size, self._sizes, _FEWER_BYTES)

    def learn(self, point: RestorePoint) -> None:
        """A complete one: of a burst the fullest stands for all."""
        if point.time - self._last <= BURST_S and self._files:
            self._files[-1] = max(filter(None, (self._files[-1], point.files)), default=self._files[-1])
            self._sizes[-1] = max(filter(None, (self._sizes[-1], point.size)), default=self._sizes[-1])
        else:
            self._files = [*self._files, point.files][-_BASELINE:]
            self._sizes = [*self._sizes, point.size][-_BASELINE:]
        self._last = point.time


class Differences:
    """Gathers what `restic diff --json` prints, line by line."""

    def __init__(self) -> None:
        self._vanished: list[str] = []
        self._changed: list[str] = []
        self._added = 0

    def line(self, line: str) -> None:
        """One line. Malformed when it is none of restic's."""
        read(line, self._take)

    def _take(self, told: dict[str, Any]) -> None:
        if told.get("message_type") != "change":
            return
        path, modifier = str(told["path"]).lstrip("/"), str(told["modifier"])
        if modifier == "-":
            self._vanished.append(path)
        elif modifier == "+":
            self._added += 1
        else:
            self._changed.append(path)

    def changes(self) -> Changes:
        """All of it so far; a folder is told by what was in it."""
        return Changes(tuple(sorted(self._vanished)), tuple(sorted(self._changed)), self._added)


def pin_of(seconds: float) -> str:
    """A time as VolSync's restoreAsOf takes it: RFC 3339, whole seconds (cut, not rounded), UTC.

    What another zone's calendar has and UTC's has not (the last evening of 9999) is told as the nearest that it has.
    """
    told = datetime.fromtimestamp(min(max(int(seconds), _FIRST_S), _LAST_S), UTC)
    return told.isoformat(timespec="seconds").replace("+00:00", "Z")


def _point(repository_id: str, raw: dict[str, Any]) -> RestorePoint:
    summary, paths = raw.get("summary") or {}, raw.get("paths") or ()
    if isinstance(paths, str):
        raise TypeError("its paths are one text")
    try:
        seconds = seconds_of(str(raw["time"]))
    except ValueError as error:
        raise Malformed(f"snapshot {str(raw['id'])[:8]} has a time that is none: {raw['time']}") from error
    return RestorePoint(
        repository_id=repository_id,
        snapshot_id=str(raw["id"]),
        time=seconds,
        pin=pin_of(seconds),
        hostname=str(raw.get("hostname", "")),
        paths=tuple(str(path) for path in paths),
        tags=tuple(str(tag) for tag in raw.get("tags") or ()),
        files=_number(summary, "total_files_processed"),
        size=_number(summary, "total_bytes_processed"),
        original=str(raw.get("original") or ""),
    )


def seconds_of(text: str) -> float:
    """restic prints nanoseconds and the zone of the machine that backed up; `fromisoformat` takes six digits at most."""
    head, dot, tail = text.replace("Z", "+00:00").partition(".")
    if dot:
        digits = tail[: len(tail) - len(tail.lstrip("0123456789"))]
        head = f"{head}.{digits[:6]}{tail[len(digits) :]}"
    return datetime.fromisoformat(head).timestamp()


def _number(summary: dict[str, Any], name: str) -> int | None:
    """A count of the summary, None where it has none. TypeError for what is no count: nothing follows from it."""
    count = summary.get(name)
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 0):
        raise TypeError(f"{name} is no count")
    return count


def _far_less(value: int | None, before: list[int | None], floor: int) -> bool:
    told = [one for one in before if one is not None]
    if value is None or not told:
        return False
    usual = median(told)
    return value * 2 < usual and usual - value >= floor
