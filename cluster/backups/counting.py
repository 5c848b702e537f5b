"""Which snapshots of a repository count for a claim, and why the others do not. Looks at nothing, judges no age."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from adapters.backups.results import RepositoryLook, RestorePoint
from adapters.backups.snapshots import pin_of
from engine.text.ages import to_come
from engine.text.words import number

MOVER_PATHS = ("/data",)
"""What VolSync's mover backs up as, and all that it restores: it passes over snapshots of anything else."""
NOT_THE_MOVERS = f"not of {MOVER_PATHS[0]}"
"""Why a snapshot of other paths does not count: it is nobody's data."""
MOVER_HOST = "volsync"


@dataclass(frozen=True)
class LeftBehind:
    """A snapshot that does not count; `time` in epoch seconds, 0.0 where nobody knows."""

    snapshot_id: str
    time: float
    why: str

    def __str__(self) -> str:
        return f"{self.snapshot_id[:8]} ({self.why})"


@dataclass(frozen=True)
class Counted:
    """`points` count, the newest first, complete or not; `left` do not; `remarks` are for a person, sorted by weight."""

    points: tuple[RestorePoint, ...]
    left: tuple[LeftBehind, ...]
    remarks: tuple[str, ...]


def of_the_mover(points: tuple[RestorePoint, ...]) -> tuple[RestorePoint, ...]:
    """Those that VolSync can restore: somebody may have copied something else into the repository."""
    return tuple(point for point in points if point.paths == MOVER_PATHS)


def is_future(point: RestorePoint, now: float) -> bool:
    """Whether it is dated later than any clock can be wrong: it says nothing about when it was made."""
    return to_come(point.time, now)


def counted(seen: RepositoryLook, now: float) -> Counted:
    """What counts of a look, at `now` (epoch seconds)."""
    if seen.repository.identity:
        return _of_one_identity(seen.points, now)
    home = _home(of_the_mover(seen.points))
    second: Counter[int] = Counter(int(p.time) for p in of_the_mover(seen.points))
    points: list[RestorePoint] = []
    left = [LeftBehind(name, at, "cannot be read") for name, at in seen.unread]
    taken: set[int] = set()
    for point in seen.points:
        if why := _why_not(point, home, now):
            left.append(LeftBehind(point.snapshot_id, point.time, why))
        elif int(point.time) in taken:
            # A mover knows snapshots by their whole second, and of two in one takes the later.
            left.append(LeftBehind(point.snapshot_id, point.time, "another was made in the same second"))
        else:
            points.append(point)
            taken.add(int(point.time))
    return Counted(tuple(points), tuple(left), _remarks(seen.points, home, now, second))


def _of_one_identity(points: tuple[RestorePoint, ...], now: float) -> Counted:
    """All of them are the claim's: kopia was asked for its identity alone, and restores by a snapshot's id."""
    future = [point for point in points if is_future(point, now)]
    left = tuple(LeftBehind(p.snapshot_id, p.time, f"dated {p.pin}, which is yet to come") for p in future)
    return Counted(tuple(point for point in points if point not in future), left, _dated_ahead(future))


def _home(points: tuple[RestorePoint, ...]) -> str:
    """Whose snapshots are the claim's own: VolSync's, and where none is, those of the host that made the most."""
    hosts = Counter(point.hostname for point in points)
    return MOVER_HOST if MOVER_HOST in hosts or not hosts else hosts.most_common(1)[0][0]


def _why_not(point: RestorePoint, home: str, now: float) -> str:
    if point.paths != MOVER_PATHS:
        return NOT_THE_MOVERS
    if is_future(point, now):
        return f"dated {point.pin}, which is yet to come"
    if point.hostname != home:
        return f"made by host {point.hostname or 'unknown'}, not by {home}"
    return ""


def _remarks(points: tuple[RestorePoint, ...], home: str, now: float, second: Counter[int]) -> tuple[str, ...]:
    mine = of_the_mover(points)
    future = [point for point in mine if is_future(point, now)]
    strangers = [point for point in mine if point.hostname != home and not is_future(point, now)]
    others = [point for point in points if point.paths != MOVER_PATHS]
    alike = [point for point in others if any(MOVER_PATHS[0] in path for path in point.paths)]
    twice = sum(count > 1 for count in second.values())
    told = [*_dated_ahead(future)]
    if strangers:
        hosts = ", ".join(sorted({point.hostname or "unknown" for point in strangers}))
        newest = " the newest of all among them," if mine and mine[0] in strangers else ""
        told.append(f"{number(len(strangers), 'snapshot')} of another host ({hosts}),{newest} which are not chosen")
    if others:
        told.append(f"{number(len(others), 'snapshot')} besides, not of {MOVER_PATHS[0]}: VolSync passes over them")
    if alike:
        told.append(f"{len(alike)} of those have {MOVER_PATHS[0]} in their path: a mover without a pin would take them too")
    if twice:
        told.append(f"{twice} seconds with more than one snapshot: a mover can only take the last of each")
    return tuple(told)


def _dated_ahead(future: list[RestorePoint]) -> tuple[str, ...]:
    if not future:
        return ()
    last = pin_of(max(point.time for point in future))
    return (f"{number(len(future), 'snapshot')} dated in the future, the last {last}: that does not count",)
