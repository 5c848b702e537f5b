"""How much of a Ceph is free, as room for restores: its pool's where that is told, else what all OSDs have together."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from cluster.storage.ceph.check import CephSound, Part
from cluster.storage.ceph.places import InRook, OnHosts, Place
from cluster.storage.room import Free


@dataclass(frozen=True)
class CephRoom:
    """One pool of one Ceph, "" where no pool is known by name."""

    place: Place
    pool: str
    promised = False

    @property
    def name(self) -> str:
        """Of the Ceph and the pool."""
        return f"ceph-{self.place.name}" + (f".pool-{self.pool}" if self.pool else "")

    def free(self, look: LookContext) -> Free:
        """By what it says of itself. Raises what the look raises."""
        if isinstance(self.place, InRook):
            there = [one for one in look.cluster.ceph_clusters() if one.namespace == self.place.namespace]
            return Free(there[0].free if there else None)
        hosted = look.proxmox.ceph()
        if hosted is None:
            return Free(None)
        pool = next((one for one in hosted.status.pools or () if one.name == self.pool), None)
        if pool is None:
            return Free(hosted.status.free)
        if pool.free is None:
            return Free(hosted.status.free, copies=max(1, pool.size))
        return Free(min(pool.free, pool.quota - pool.stored) if pool.quota else pool.free)


def ceph_room(rows: tuple[CephSound, ...]) -> CephRoom | None:
    """Of the rows under a class: the Ceph that tells most of it, None where nobody can ask one."""
    places = [row.place for row in rows if isinstance(row.place, InRook | OnHosts)]
    if not places:
        return None
    hosted = [place for place in places if isinstance(place, OnHosts)]
    pool = next((row.pool for row in rows if row.part is Part.POOL), "")
    return CephRoom((hosted or places)[0], pool)
