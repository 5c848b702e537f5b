"""Which claims a drill takes: those that were named, or in their turn as many as fit, proven longest ago first. Asks nobody.

What does not fit is said, and comes first the next time: nothing of it was proven since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.text.words import number
from house.model import BackedUpClaim

RATE = 20 << 20
"""Bytes a second that a restore and its comparison take where no earlier drill says more: a slow disk's."""
START_S = 60.0
_PLANTED = 2
"""So often is the smallest claim restored once more: a fault that keeps a restore from anything is followed by another."""


@dataclass(frozen=True)
class Budget:
    """What one drill may cost: bytes to be restored, seconds, and bytes that leave the store. 0 for as much as there is."""

    bytes: int = 0
    seconds: float = 0.0
    egress: int = 0


@dataclass(frozen=True)
class Candidate:
    """A claim that could be taken: the size of its newest snapshot in bytes (None: not known), when it was last proven (epoch
    seconds, 0.0 for never), and how long its last drill took (None: there was none)."""

    claim: BackedUpClaim
    size: int | None
    proven: float = 0.0
    took: float | None = None

    @property
    def seconds(self) -> float:
        """How long it will take: as last time, else by its size."""
        return self.took if self.took is not None else START_S + (self.size or 0) / RATE


@dataclass(frozen=True)
class Choice:
    """The claims of a drill, and what was left out of it, with why."""

    claims: tuple[BackedUpClaim, ...]
    left_out: tuple[str, ...]


def choose(candidates: tuple[Candidate, ...], budget: Budget) -> Choice:
    """Take them in turn as long as they fit. One of unknown size is taken: it is the one whose backup may be gone. Not so where
    what leaves the store is bounded: nobody could say that it fits."""
    taken: list[Candidate] = []
    left: list[str] = []
    for one in sorted(candidates, key=lambda each: (each.proven, each.claim.key)):
        used = sum(each.size or 0 for each in taken)
        spent = sum(each.seconds for each in taken)
        size, seconds = one.size or 0, one.seconds
        if budget.bytes and used + size > budget.bytes:
            left.append(f"{one.claim.key}: {number(size, 'byte')} did not fit into the {budget.bytes - used} that were left")
        elif budget.seconds and spent + seconds > budget.seconds:
            left.append(f"{one.claim.key}: {seconds:.0f} s did not fit into the {budget.seconds - spent:.0f} s that were left")
        elif budget.egress and one.size is None:
            left.append(f"{one.claim.key}: its size is not known, so nobody can say what would leave the store")
        elif budget.egress and (would := egress_of([*(each.size or 0 for each in taken), size])) > budget.egress:
            left.append(f"{one.claim.key}: with it {would} bytes would leave the store, and {budget.egress} may")
        else:
            taken.append(one)
    return Choice(tuple(one.claim for one in taken), tuple(left))


def egress_of(sizes: Sequence[int]) -> int:
    """Bytes that a drill of claims of these sizes downloads at most: each once, and the smallest twice more for what is planted."""
    return sum(sizes) + _PLANTED * min(sizes, default=0)


def candidates(
    claims: tuple[BackedUpClaim, ...], sizes: Mapping[str, int], proven: Mapping[str, float], took: Mapping[str, float]
) -> tuple[Candidate, ...]:
    """The claims with what is known of each, by key."""
    return tuple(Candidate(c, sizes.get(c.key), proven.get(c.key, 0.0), took.get(c.key)) for c in claims)
