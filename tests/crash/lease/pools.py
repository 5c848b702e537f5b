"""Proxmox's pools as two machines see them, for schedules that begin before any API server answers. Knows no schedule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from adapters.proxmox.reserving import Party, owner_words, pool_of, process_words
from adapters.proxmox.results import Reservation
from engine.errors import TransientError

HOUSE_ID = "5f1d7c2a9e"


class Asks(Protocol):
    """A machine that asks over a network: it takes time, and may be in vain."""

    name: str

    def now(self) -> float: ...
    def sleep(self, seconds: float) -> None: ...
    def sees_proxmox(self) -> bool: ...


@dataclass
class Pools:
    """All pools: name → comment. `acts` are changes of hosts that go on now, by machine."""

    comments: dict[str, str] = field(default_factory=dict)
    acts: dict[str, int] = field(default_factory=dict)

    def held_by(self, machine: str) -> bool:
        """Whether the pool's words are of a run of this machine."""
        return f", on {machine}:" in self.comments.get(pool_of(HOUSE_ID), "")


@dataclass
class RunsHosts:
    """The reservation in the hands of one run of a machine: what of ports.Proxmox it takes."""

    machine: Asks
    pools: Pools
    life: int

    def __post_init__(self) -> None:
        mine = process_words(self.life + 1, f"{self.machine.name}:{self.life}", "1")
        gone: Callable[[str], bool] = lambda process: process != mine  # noqa: E731 - one at a time lives on a machine
        words = owner_words(f"{self.machine.name}-{self.life}", mine, self.machine.now(), f"{self.machine.name}:/state")
        self.party = Party(pool_of(HOUSE_ID), words, gone)

    def reservation(self) -> Reservation | None:
        """See ports.ProxmoxView; the answer may come late."""
        self._ask()
        owner = self.pools.comments.get(self.party.pool)
        self.machine.sleep(0.2)
        return None if owner is None else self.party.judge(owner)

    def reserve(self) -> None:
        """See ports.Proxmox."""
        self._ask()
        self.pools.comments.setdefault(self.party.pool, self.party.owner)
        self.machine.sleep(0.2)

    def unreserve(self, owner: str) -> None:
        """See ports.Proxmox."""
        found = self.reservation()
        if found is not None and found.owner == owner:
            self._ask()
            self.pools.comments.pop(self.party.pool, None)

    def _ask(self) -> None:
        self.machine.sleep(0.2)
        if not self.machine.sees_proxmox():
            self.machine.sleep(3.0)
            raise TransientError("no Proxmox endpoint can be reached")
