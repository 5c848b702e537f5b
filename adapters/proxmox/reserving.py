"""A house's reservation of its hosts: a pool, which Proxmox makes only once, and whose comment says who made it.

Knows no call of the API. Whose a reservation is goes by the comment's words: a run of this machine that is gone is told by its
process, start time and boot; whether another machine's run lives cannot be told from here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from adapters.proxmox.results import Reservation, Whose
from engine.errors import PermanentError

PRIVILEGES = ("Pool.Allocate", "Pool.Audit")
"""On the pool's path: to make it and take it away, and to see whose it is."""

_WORDS = re.compile(r"run (\S+), (process \d+ of \S+ in \S+), since (\S+), on (([^:]+):.*)")


class MayNotReserve(PermanentError):
    """The token lacks what it needs to reserve the hosts, or to see who has."""


def pool_of(house_id: str) -> str:
    """The pool that stands for the reservation of one house."""
    return f"blackstart-{house_id}"


def owner_words(run: str, process: str, since: float, holder: str) -> str:
    """What a run writes into the comment: itself, its process, when (seconds since the epoch), machine and state folder."""
    return f"run {run}, {process}, since {datetime.fromtimestamp(since, UTC):%Y-%m-%dT%H:%M:%SZ}, on {holder}"


def process_words(pid: int, start: str, namespace: str) -> str:
    """One process, for ever: a bare number is given out again, and means nothing in another pid namespace."""
    return f"process {pid} of {start or '-'} in {namespace or '-'}"


@dataclass(frozen=True)
class Party:
    """A run that may reserve the hosts. `owner` are its words; `gone` says whether a process (its words) of this machine is."""

    pool: str
    owner: str
    gone: Callable[[str], bool] = lambda process: False

    def judge(self, owner: str) -> Reservation:
        """Whose the reservation with this comment is."""
        ours, theirs = _WORDS.fullmatch(self.owner), _WORDS.fullmatch(owner)
        if theirs is None:
            return Reservation(owner, Whose.OURS if owner == self.owner else Whose.ANOTHER, 0.0)
        since, holder = _epoch(theirs[3]), theirs[4]
        if owner == self.owner:
            return Reservation(owner, Whose.OURS, since, holder)
        dead = ours is not None and ours[5] == theirs[5] and self.gone(theirs[2])
        return Reservation(owner, Whose.DEAD if dead else Whose.ANOTHER, since, holder)


def _epoch(told: str) -> float:
    try:
        at = datetime.fromisoformat(told)
    except ValueError:
        return 0.0
    return at.timestamp() if at.tzinfo is not None else 0.0
