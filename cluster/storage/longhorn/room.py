"""How much Longhorn may still promise, as room for restores."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import LookContext
from adapters.kubernetes.results import StorageClass
from cluster.storage.longhorn.judge import room_of
from cluster.storage.room import Free
from house.files.grammar import number_of

_REPLICAS = 3


@dataclass(frozen=True)
class LonghornRoom:
    """All of its disks. `replicas` is how many each volume wants; with fewer places it is made all the same, degraded."""

    replicas: int
    name = "longhorn"
    promised = True

    def free(self, look: LookContext) -> Free:
        """By what Longhorn promises on the disks that take replicas. Raises what the look raises."""
        found = look.cluster.longhorn(("settings",))
        sizes = [room_of(disk, found) for node in found.nodes for disk in node.disks]
        if any(size is None for size in sizes):
            return Free(None)
        known = [size for size in sizes if size]
        return Free(sum(known), max(known, default=0), self.replicas)


def longhorn_room(found: StorageClass) -> LonghornRoom:
    """Of this class: its own number of replicas, else Longhorn's."""
    told = dict(found.parameters).get("numberOfReplicas", "")
    return LonghornRoom(number_of(told) or _REPLICAS)
