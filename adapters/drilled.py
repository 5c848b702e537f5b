"""What a rehearsal may act through: the drills port alone, behind a Lease of its own, and given up as soon as a run begins.

A recovery never waits for a drill. Whoever works on the house takes the house's Lease with the first change; a drill looks at
that Lease before every call of its port, and none but writing its result down and clearing up is made once somebody has it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from adapters.context import ActContext
from adapters.drills.port import Drills
from adapters.kubernetes.results import LeaseHolder
from adapters.leased import LEASE_CALLS, OUTLIVED_S, WATCH_S, HouseLease
from adapters.ports import ClusterView
from adapters.surface import Surface, read_only, surfaces
from engine.errors import PermanentError
from engine.waiting import Clock, pause
from engine.workers import Workers

STILL = frozenset({"scratch", "note", "clear"})
"""What a drill does although somebody else is at work: so that nothing of it is left in their way."""


class HouseTaken(PermanentError):
    """A run is at work on the house: the drill gives way."""


class HouseWatch:
    """Whether a run is at work, told as HouseLease tells it: by a Lease that changes, never by a clock on a wall."""

    def __init__(self, cluster: ClusterView, clock: Clock) -> None:
        self._cluster = cluster
        self._clock = clock
        self._lock = threading.Lock()
        self._settled = False
        self._stale: LeaseHolder | None = None

    def demand(self) -> None:
        """Raise HouseTaken when somebody is at work. A Lease that is there at first is watched until it is known to be dead."""
        if not self._settled:
            stale = self._settle()  # by each caller itself: nobody may sleep while it holds a lock
            with self._lock:
                if not self._settled:
                    self._stale, self._settled = stale, True
        seen = self._cluster.lease()
        if seen is not None and seen != self._stale:
            raise _taken(seen)

    def _settle(self) -> LeaseHolder | None:
        first = self._cluster.lease()
        end = self._clock.monotonic() + OUTLIVED_S
        while first is not None and self._clock.monotonic() < end:
            pause(self._clock, WATCH_S)
            seen = self._cluster.lease()
            if seen is None:
                return None
            if seen != first:
                raise _taken(seen)
        return first


def _taken(by: LeaseHolder) -> HouseTaken:
    return HouseTaken(
        "a run is at work on the house: the rehearsal gives way",
        evidence=(f"the house's Lease is held by {by.holder}",),
        hint="nothing was proven; rehearse again when that run has ended",
        next_command="invoke cluster.status",
    )


def drilled(act: ActContext, holder: str, workers: Workers) -> tuple[ActContext, HouseLease]:
    """The bundle of a drill: of every port but the drills' only the looks; and its Lease, to be dropped at the end."""
    lease = HouseLease(
        act.drills, holder, act.clock, workers, busy="another machine holds a rehearsal of this house"
    )
    looks = read_only(act)
    ports: dict[str, Any] = {name: getattr(looks, name) for name in surfaces()}
    guarded = _Drilled(act.drills, surfaces()["drills"], lease, HouseWatch(act.cluster, act.clock))
    return replace(act, **(ports | {"drills": cast("Drills", guarded)})), lease


class _Drilled:
    """The drills port: behind its Lease, and only while nobody is at work on the house."""

    def __init__(self, door: Drills, known: Surface, lease: HouseLease, watch: HouseWatch) -> None:
        self._door = door
        self._known = known
        self._lease = lease
        self._watch = watch

    def __getattr__(self, name: str) -> object:
        real: Callable[..., object] = getattr(self._door, name)
        if name in LEASE_CALLS:
            return real

        def call(*args: object, **named: object) -> object:
            if name not in STILL:
                self._watch.demand()
            if name in self._known.looks:
                return real(*args, **named)
            with self._lease.held(f"drills.{name}"):
                return real(*args, **named)

        return call
