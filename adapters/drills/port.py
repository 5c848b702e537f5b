"""Every way in which a rehearsal can look at or change the living cluster: signatures only, as in adapters/ports.py."""

from __future__ import annotations

from typing import Protocol

from adapters.drills.results import (
    Examination,
    Examined,
    FenceTrial,
    Found,
    Order,
    Restore,
    Scheduled,
    Scratch,
    Sent,
)
from adapters.kubernetes.results import LeaseHolder
from adapters.volsync.results import Compared, Meanwhile, idle


class DrillsView(Protocol):
    """What a rehearsal has made in the living cluster."""

    def scratch(self) -> Scratch | None:
        """The scratch namespace of whatever drill there is, None when nothing of any is left."""

    def restored(self, into: str) -> Restore:
        """How far the restore into this scratch claim is."""

    def examined(self, of: Examination) -> Examined:
        """How far this probe of restored data is, and what it has seen."""

    def canary(self) -> Sent:
        """How far VolSync is with the canary of whatever drill there is."""

    def scheduled(self, namespace: str, name: str) -> Scheduled | None:
        """What the cluster says of the CronJob that drills in it, None where there is none of this name."""


class Drills(DrillsView, Protocol):
    """Adds what makes, fills and clears the scratch namespace and the canary's. Only VolSync writes to a store: the canary."""

    def fence_in(self, drill: str) -> None:
        """Make the scratch namespace with its fence for this drill; PermanentError while another drill's is there."""

    def try_fence(self, namespace: str, destination: str) -> tuple[FenceTrial, ...]:
        """Try every wall, with the mover of this ReplicationDestination for the way to the store."""

    def send_canary(self, namespace: str, destination: str, word: str) -> None:
        """Write this word into a claim of ours, and have VolSync begin to back it up to the store of this ReplicationDestination's
        mover, into a repository of its own. One that was sent goes on."""

    def find_canary(self, namespace: str, destination: str) -> Found:
        """What the newest snapshot of that repository holds, read by a pod of our own."""

    def restore(self, order: Order) -> None:
        """Begin it, in a pod of our own with the mover's image and a copy of its Secret. One that was begun goes on. The damage
        that the order asks for is done there too, once."""

    def compare(self, order: Order, meanwhile: Meanwhile = idle, *, anew: bool = False) -> Compared:
        """Hold what was restored against the order's snapshot, as Claims.compare does it. The restore's own pod has done so at its
        end; `anew` in another one."""

    def examine(self, of: Examination) -> None:
        """Begin this probe, in a pod of its own that nothing gets out of, as whom the restore was. One that was begun goes on."""

    def note(self, key: str, value: str) -> None:
        """Write down in the scratch namespace, over what stands there under this key."""

    def clear(self) -> None:
        """Delete everything of whatever drill there is; returns at once, `scratch` tells what is left."""

    def take_lease(self, holder: str, seconds: int, over: str = "") -> LeaseHolder:
        """Take or renew the drill's own Lease; as Cluster.take_lease."""

    def drop_lease(self, holder: str) -> None: ...
