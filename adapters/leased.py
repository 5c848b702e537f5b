"""Excludes other machines: before each change of the cluster, the house's Lease must be ours. A decorator round the ports.

`flock` excludes a second run on this machine; two machines share only the cluster, so the Lease lives there. It is taken
with the first mutation and renewed by later ones: nothing needs to run in the background, and nothing is changed without it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from adapters.context import ActContext
from adapters.ports import Cluster
from adapters.surface import Surface, surfaces
from engine.errors import JournalBusy
from engine.waiting import Clock

LEASE_S = 60
GUARDED = ("cluster", "releases", "flux", "claims", "hold")
LEASE_CALLS = frozenset({"take_lease", "drop_lease"})


class HouseLease:
    """The Lease of one house in the hands of one machine. `holder` must be the same for every run of this machine."""

    def __init__(self, cluster: Cluster, holder: str, clock: Clock) -> None:
        self._cluster = cluster
        self._holder = holder
        self._clock = clock
        self._lock = threading.Lock()
        self._until = 0.0

    def require(self) -> None:
        """Take or renew it. Raises JournalBusy when another machine holds it, and what the port raises."""
        if self._clock.monotonic() < self._until:
            return
        asked = self._clock.monotonic()
        now = self._cluster.take_lease(self._holder, LEASE_S)
        if now.holder != self._holder:
            raise JournalBusy(
                "another machine is at work on this house",
                evidence=(f"the Lease is held by {now.holder}",),
                hint=f"it expires {LEASE_S} s after that machine's last change; wait for its run, or stop it there",
                next_command="invoke cluster.status",
            )
        with self._lock:
            self._until = max(self._until, asked + LEASE_S / 2)

    def drop(self) -> None:
        """Give it back, if it was taken in this run."""
        if self._until:
            self._cluster.drop_lease(self._holder)


def leased(act: ActContext, holder: str) -> tuple[ActContext, HouseLease]:
    """The same bundle, every change of the cluster guarded by the Lease; and the Lease, to be dropped at the end."""
    lease = HouseLease(act.cluster, holder, act.clock)
    guarded: dict[str, Any] = {
        name: _Guarded(getattr(act, name), surfaces()[name], lease.require) for name in GUARDED
    }
    return replace(act, **guarded), lease


class _Guarded:
    """One port whose mutations ask for the Lease first."""

    def __init__(self, door: object, known: Surface, require: Callable[[], None]) -> None:
        self._door = door
        self._known = known
        self._require = require

    def __getattr__(self, name: str) -> object:
        real: Any = getattr(self._door, name)
        if name not in self._known.mutations or name in LEASE_CALLS:
            return real

        def mutate(*args: object, **named: object) -> object:
            self._require()
            return real(*args, **named)

        return mutate
