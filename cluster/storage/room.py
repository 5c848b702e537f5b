"""Room for what a restore makes, counted at its peak before the first one begins. Knows no system: each tells what it has.

A restore makes a destination's volume and an image of it, a copy of the image for the proof, and the claim's own volume. All but
the copy stay until the run ends, and as many proofs run at a time as the settings let steps run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from adapters.context import LookContext
from cluster.backups.audit import repository_of
from cluster.hold.standing import Standing, Way, standing
from cluster.storage.findings import Finding, Weight, fine
from cluster.storage.row import FoundRow, StorageRow, System
from engine.errors import PermanentError, TransientError
from engine.step import StepId
from engine.text.words import number
from house.data.nouns import Space
from house.files.quantity import bytes_of
from house.model import BackedUpClaim, House

_GIB = 1 << 30


@dataclass(frozen=True)
class Free:
    """What is free, in bytes of data (`None`: nobody says), and the largest volume that finds a place (`None`: as large as that).

    `copies`: how often each byte is kept there, as far as it is known; what is free is before that.
    """

    size: int | None
    largest: int | None = None
    copies: int = 1


class Room(Protocol):
    """One place that volumes share: `name` is the instance in its row's id. `promised`: a volume takes its whole size when it is
    made, and an image nothing; else what is written counts, and what is made of an image may share it."""

    @property
    def name(self) -> str: ...
    @property
    def promised(self) -> bool: ...
    def free(self, look: LookContext) -> Free: ...


@dataclass(frozen=True)
class Ground:
    """What stands under one storage class: the rows that must be sound, and the place that its volumes share, None where nobody
    can tell of its room. `written`: only a write tells whether it takes one."""

    rows: tuple[StorageRow, ...]
    room: Room | None = None
    written: bool = False


@dataclass(frozen=True)
class Wanted:
    """What one claim's restore still makes: its volumes' size in bytes (0: nobody says), and which of them."""

    claim: BackedUpClaim
    size: int
    destination: bool
    own: bool

    @property
    def stays(self) -> int:
        """Bytes of whole volumes that it adds and that stay."""
        return self.size * (self.destination + self.own)


@dataclass(frozen=True)
class RoomEnough(FoundRow):
    """Whether the restores of these claims fit, together. `rows` are those of their system: a sick one is one problem."""

    house: House
    room: Room
    claims: tuple[BackedUpClaim, ...]
    rows: tuple[StorageRow, ...]
    risk = "the storage may run full in the middle: then writes of everything on it hang or fail"

    @property
    def system(self) -> System:
        return self.rows[0].system

    @property
    def id(self) -> StepId:
        return StepId(f"storage.room/{self.room.name}")

    @property
    def title(self) -> str:
        return f"room on {self.system.title} for {number(len(self.claims), 'claim')}"

    @property
    def needs(self) -> tuple[str, ...]:
        return tuple(row.id for row in self.rows)

    def findings(self, look: LookContext) -> Sequence[Finding]:
        wanted = [_wanted(look, self.house, claim) for claim in self.claims]
        untold = [one.claim.key for one in wanted if not one.size]
        try:
            free = self.room.free(look)
        except (TransientError, PermanentError):
            # That it gives no answer is told, and stops, in a row of its own.
            free = Free(None)
        told = [Finding("room", Weight.NOTED, f"how large {key} is nobody says: it is not counted") for key in untold]
        judged = _promised if self.room.promised else _written
        return [judged(self, look, wanted, free), *told]

    def by_hand(self) -> str:
        return self.rows[0].by_hand()


def _wanted(look: LookContext, house: House, claim: BackedUpClaim) -> Wanted:
    """What is there already is not made again: a run that was cut off goes on."""
    made = look.claims.destination(claim.namespace, claim.destination)
    there = standing(look.hold, look.claims, claim)
    size = claim.capacity or _size_of(look, house, claim.key)
    return Wanted(claim, size, destination=not (made.present and made.image), own=not there.now.alive or _goes(look, there, claim))


def _goes(look: LookContext, there: Standing, claim: BackedUpClaim) -> bool:
    """Whether a living claim is yet to be replaced: its volume is kept, so that the new one comes on top of it.

    One that is through is only asked for its first backup while that is triggered.
    """
    if there.way in (Way.HELD, Way.PROVEN):
        return there.entry is not None and there.entry.replaces == there.now.uid
    return there.way is not Way.THROUGH or not look.claims.source(claim.namespace, claim.source).manual


def _size_of(look: LookContext, house: House, key: str) -> int:
    seen = next((one.size for one in look.cluster.claims() if one.key == key), "")
    declared = next((one.size for one in house.data.holders if one.key == key and one.space is Space.CLAIM), "")
    return bytes_of(seen) or bytes_of(declared)


def _copies(house: House, sizes: Sequence[int]) -> int:
    """The largest copies that proofs can have at one time, together."""
    return sum(sorted(sizes, reverse=True)[: house.limits.parallel])


def _promised(row: RoomEnough, look: LookContext, wanted: Sequence[Wanted], free: Free) -> Finding:
    """Whole volumes: that many bytes are given away, written or not."""
    peak = sum(one.stays for one in wanted) + _copies(row.house, [one.size for one in wanted])
    largest = max((one.size for one in wanted), default=0)
    asked = f"at its peak this restore asks for {_gib(peak)} ({_parts(wanted, row.house)})"
    if free.size is None:
        return Finding("room", Weight.NOTED, f"{asked}, and how much is free is not told")
    each = f", each byte kept {free.copies} times" if free.copies > 1 else ""
    left = f"{_gib(free.size)} may still be given away{each}"
    if free.largest is not None and largest > free.largest:
        told = f"a volume of {_gib(largest)} finds no place: {_gib(free.largest)} is the most on one disk"
        return Finding("room", Weight.BLOCKS, told, hint="make room on one disk, or restore fewer claims (--claims)")
    if peak > free.size:
        return Finding("room", Weight.BLOCKS, f"{asked}; {left}", hint="make room, or restore fewer claims at a time (--claims)")
    if peak * free.copies > free.size:
        return Finding("room", Weight.NOTED, f"{asked}; {left}: not for every copy")
    return fine("room", f"{asked}; {left}")


def _written(row: RoomEnough, look: LookContext, wanted: Sequence[Wanted], free: Free) -> Finding:
    """What is written: at least the data once, at most every volume and image in full. Data are asked for where it is tight."""
    most = sum(one.stays + one.size * one.destination for one in wanted) + _copies(row.house, [one.size for one in wanted])
    asked = f"at its peak this restore writes {_gib(most)} at most ({_parts(wanted, row.house)})"
    if free.size is None:
        return Finding("room", Weight.NOTED, f"{asked}, and how much is free is not told")
    left = f"free: {_gib(free.size // free.copies)}" + (f" with {free.copies} copies of each byte" if free.copies > 1 else "")
    if most * free.copies <= free.size:
        return fine("room", f"{asked}; {left}")
    data = [_data(look, row.house, one) for one in wanted if one.destination]
    least = sum(size for size in data if size is not None)
    told = f"{asked}, and {_gib(least)} at least, which the snapshots hold; {left}"
    if least * free.copies > free.size:
        return Finding("room", Weight.BLOCKS, told, hint="make room, or restore fewer claims at a time (--claims)")
    return Finding("room", Weight.NOTED, f"{told}: look after it meanwhile")


def _data(look: LookContext, house: House, one: Wanted) -> int | None:
    """Bytes of the newest snapshot, None where it does not say."""
    points = look.backups.look(repository_of(house, one.claim)).points
    return max(points, key=lambda point: point.time).size if points else None


def _parts(wanted: Sequence[Wanted], house: House) -> str:
    sizes = sum(one.size for one in wanted)
    made = sum(one.size for one in wanted if one.destination)
    own = sum(one.size for one in wanted if one.own)
    copies = _copies(house, [one.size for one in wanted])
    made_of = f"destinations {_gib(made)}, proofs' copies {_gib(copies)}, claims {_gib(own)}"
    return f"{number(len(wanted), 'claim')} of {_gib(sizes)}: {made_of}"


def _gib(size: int) -> str:
    return f"{size / _GIB:.1f} GiB"
