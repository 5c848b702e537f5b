"""Who looks at applications while something else is mended: probes and schedules, counted by the modelled house itself.

Knows nothing of the tool. What it counts is what the application's users would have noticed.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from engine.errors import TransientError
from lab.modelled.house import ModelledHome
from lab.world.cluster.kubernetes import Objects
from lab.world.world import Timer

PROBE_S, SCHEDULE_S = 2.0, 300.0
Key = tuple[str, str]


@dataclass
class Counts:
    """What one application went through: probes that were answered and not, starts, backups that were due and not made. Counted
    by `Watch` in the modelled house, and of real processes in console/demo/loss/wire.py."""

    probes: int = 0
    missed_probes: int = 0
    restarts: int = 0
    backups: int = 0
    missed_backups: int = 0

    @property
    def undisturbed(self) -> bool:
        """Whether it was looked at, and nothing of it went missing."""
        return self.probes > 0 and not (self.missed_probes or self.restarts or self.missed_backups)

    @property
    def told(self) -> str:
        """In words."""
        return (
            f"{self.restarts} restarts, {self.missed_probes} of {self.probes} probes missed, "
            f"{self.missed_backups} of {self.backups} backups missed"
        )


class Watch:
    """Probes these applications every 2 s and lets their schedules fall due every 300 s, from its making until `end`.

    What runs goes on where no API server answers: it is then looked at in the cluster that was seen last.
    """

    def __init__(self, home: ModelledHome, *keys: Key) -> None:
        self._home, self._world = home, home.world
        self.counts = {key: Counts() for key in keys}
        self._ready = dict.fromkeys(keys, True)
        self._uids: dict[Key, str] = {}
        self._due: dict[Key, float] = {}
        self._timers: dict[str, Timer] = {}
        self._last: Objects | None = None
        with self._world.looking():
            self._probe()
            self._schedule()

    def end(self) -> dict[Key, Counts]:
        """No more of it; what was counted."""
        for timer in self._timers.values():
            timer.cancel()
        return self.counts

    def _objects(self) -> Objects | None:
        with suppress(TransientError):
            self._last = self._home.kube.objects()
        return self._last

    def _probe(self) -> None:
        objects = self._objects()
        for key, count in self.counts.items():
            claim = objects.claims.get(key) if objects is not None else None
            ready = claim is not None and claim.app_ready
            uid = claim.uid if claim is not None else ""
            count.probes += 1
            count.missed_probes += not ready
            count.restarts += ready and (not self._ready[key] or self._uids.get(key, uid) != uid)
            self._ready[key], self._uids[key] = ready, uid
        self._timers["probe"] = self._world.after(PROBE_S, "probe the applications", self._probe)

    def _schedule(self) -> None:
        """Those of the last round must be in the store by now; the next round begins."""
        now = self._world.clock.now()
        objects = self._objects()
        for key, count in self.counts.items():
            of_it = [one for one in (objects.sources.values() if objects is not None else ()) if (one.namespace, one.claim) == key]
            if key in self._due:
                count.backups += 1
                count.missed_backups += not any(self._newest(one.address) >= self._due[key] for one in of_it)
            for source in of_it:
                assert objects is not None
                source.wanted = True
                self._home.volsync.consider_source(objects, source)
            self._due[key] = now
        self._timers["schedule"] = self._world.after(SCHEDULE_S, "schedules fall due", self._schedule)

    def _newest(self, address: str) -> float:
        found = self._home.store.repositories.get(address)
        return found.snapshots[-1].time if found is not None and found.snapshots else 0.0
