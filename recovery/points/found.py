"""The snapshots of one claim over all places that it is backed up to: who wants a file back wants the newest. Draws nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.backups.results import FoundPath, RestorePoint
from adapters.ports import BackupsView
from cluster.backups.audit import repository_of
from cluster.backups.counting import Counted, LeftBehind, counted
from cluster.backups.sources import named
from engine.errors import PermanentError
from house.model import BackedUpClaim, House
from recovery.files import opened


@dataclass(frozen=True)
class Held:
    """One snapshot, the claim as the place has it that holds it, and why no restore would take it ("" where one would)."""

    place: BackedUpClaim
    point: RestorePoint
    not_counted: str = ""


@dataclass(frozen=True)
class Everywhere:
    """Snapshots of all places, the newest first; those that do not count, the unreadable among them; and in words of each place
    that shows none why."""

    held: tuple[Held, ...]
    left: tuple[LeftBehind, ...] = ()
    silent: tuple[str, ...] = ()

    @property
    def points(self) -> tuple[RestorePoint, ...]:
        """The snapshots by themselves."""
        return tuple(one.point for one in self.held)

    @property
    def count(self) -> Counted:
        """Which of them a restore would take."""
        return Counted(tuple(one.point for one in self.held if not one.not_counted), self.left, ())

    def holding(self, point: RestorePoint) -> BackedUpClaim:
        """The place of one of them."""
        return next(one.place for one in self.held if one.point is point)


def everywhere(backups: BackupsView, house: House, claim: BackedUpClaim, now: float) -> Everywhere:
    """Look at each place, at `now` (epoch seconds). A snapshot that two of them have is the first one's.

    PermanentError where no place shows any; of a claim with one place that error is the place's own, as `opened` says it.
    """
    held: dict[tuple[str, str], Held] = {}
    left: dict[tuple[str, str], LeftBehind] = {}
    errors: list[tuple[BackedUpClaim, PermanentError]] = []
    for place in claim.sources:
        try:
            look = backups.look(repository_of(house, place))
            points = opened(look, claim.key)
            odd = {one.snapshot_id: one for one in counted(look, now).left}
            left |= {(place.origin, name): one for name, one in odd.items()}
            for point in points:
                why = odd[point.snapshot_id].why if point.snapshot_id in odd else ""
                held.setdefault((point.repository_id, point.snapshot_id), Held(place, point, why))
        except PermanentError as error:
            errors.append((place, error))
    silent = tuple("; ".join((f"{named(place)}: {error.what}", *error.evidence)) for place, error in errors)
    if held:
        return Everywhere(tuple(sorted(held.values(), key=lambda one: -one.point.time)), tuple(left.values()), silent)
    if len(errors) == 1:
        raise errors[0][1]
    raise PermanentError(
        f"no place of {claim.key} shows a snapshot", evidence=silent, hint=errors[0][1].hint, next_command="invoke dr.audit"
    )


def find_in(backups: BackupsView, house: House, held: Sequence[Held], path: str) -> tuple[FoundPath, ...]:
    """What is at a path in each of these snapshots, in their order. Each place is asked once."""
    found: dict[tuple[str, str], FoundPath] = {}
    for origin in dict.fromkeys(one.place.origin for one in held):
        of_it = [one for one in held if one.place.origin == origin]
        ids = [one.point.snapshot_id for one in of_it]
        for one, answer in zip(of_it, backups.find(repository_of(house, of_it[0].place), ids, path), strict=True):
            found[(origin, one.point.snapshot_id)] = answer
    return tuple(found[(one.place.origin, one.point.snapshot_id)] for one in held)
