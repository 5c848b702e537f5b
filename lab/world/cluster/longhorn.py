"""A Longhorn in order, as its objects would tell of it. Nothing of it runs in the lab: troubles change what the objects say."""

from __future__ import annotations

from collections.abc import Iterable

from adapters.longhorn.results import (
    BackupTarget,
    Disk,
    EngineImage,
    LonghornLook,
    Orphan,
    Running,
    Said,
    StorageNode,
    StorageVolume,
)
from house.known.inventory import ReplicaRecord

GIB = 2**30
SINCE = 1_800_000_000.0
YES = Said(good=True)
DISK = Disk("data", "/var/lib/longhorn", YES, YES, maximum=500 * GIB, available=400 * GIB, scheduled=60 * GIB, reserved=50 * GIB)
VOLUME = StorageVolume("pvc-1", "apps/notes", "attached", "healthy", 3, GIB, placed=YES)
ORPHAN = Orphan("w-1", "/var/lib/longhorn/", "pvc-8f-1a2b3c4d", SINCE)


def healthy(nodes: Iterable[str] = ("w-1", "w-2", "w-3")) -> LonghornLook:
    """One disk on each node, one volume that is attached and one that is not."""
    named = tuple(nodes)
    return LonghornLook(
        served=True,
        nodes=tuple(StorageNode(name, YES, YES, disks=(DISK,)) for name in named),
        volumes=(VOLUME, StorageVolume("pvc-2", "apps/old", "detached", "unknown", 3, GIB, placed=YES)),
        images=(EngineImage("longhornio/longhorn-engine:v1.9.0", "deployed", used=True),),
        targets=(BackupTarget("default", "", available=False),),
        running=tuple(Running(name, len(named), len(named)) for name in ("longhorn-manager", "longhorn-csi-plugin")),
    )


def replicas_of(volume: StorageVolume, look: LonghornLook) -> tuple[ReplicaRecord, ...]:
    """Where its replicas lie: one on the first disk of each node, until there are as many as it wants."""
    places = [(node.name, disk.path) for node in look.nodes for disk in node.disks[:1]]
    return tuple(ReplicaRecord(node, path, f"{volume.name}-{node}") for node, path in places[: volume.replicas])
