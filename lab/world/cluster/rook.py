"""A simulated Rook: a CephCluster whose operator writes down what it sees, and stops writing when it is gone. Knows no API."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from adapters.ceph.results import CephCheck, RookCluster, RookPart
from adapters.kubernetes.results import StorageClass
from house.known.inventory import MonitorRecord

NAMESPACE = "rook-ceph"
FSID = "6f1de3a2-0000-4000-8000-000000000a00"
MONITORS = tuple(MonitorRecord(name, f"10.96.7.{place}:6789", f"w-{place}") for place, name in enumerate("abc", start=1))
LATE_S = 20.0
"""How long ago the operator looked last while it lives: somewhere within its minute."""


@dataclass
class LabRook:
    """One CephCluster as its operator would write it; `stopped_at` is when the operator ended (epoch), None while it lives.
    `flags` of its OSD map, `marked` those of them that bear our mark; `tools` whether a pod has `ceph`, `silent`: no answer."""

    cluster: RookCluster
    stopped_at: float | None = None
    flags: set[str] = field(default_factory=set)
    marked: set[str] = field(default_factory=set)
    tools: bool = True
    silent: bool = False

    @classmethod
    def healthy(cls, since: float) -> LabRook:
        """One that is whole, with a pool and a filesystem; nothing has changed since `since`."""
        parts = (RookPart("CephBlockPool", "ceph-block", "Ready"), RookPart("CephFilesystem", "ceph-filesystem", "Ready"))
        return cls(
            RookCluster(
                NAMESPACE, "rook-ceph", "Ready", "Cluster created successfully", FSID, "HEALTH_OK", (), since, since,
                free=3 << 40, total=4 << 40, versions=("ceph version 19.2.3 squid (stable)",), parts=parts,
            )
        )  # fmt: skip

    def seen(self, now: float) -> RookCluster:
        """The object as it stands at `now`."""
        looked = (now if self.stopped_at is None else self.stopped_at) - LATE_S
        if not self.flags:
            return replace(self.cluster, last_checked=looked)
        told = CephCheck("OSDMAP_FLAGS", "HEALTH_WARN", f"{','.join(sorted(self.flags))} flag(s) set", muted=None)
        health = self.cluster.health if self.cluster.health != "HEALTH_OK" else "HEALTH_WARN"
        return replace(self.cluster, last_checked=looked, health=health, checks=(*(self.cluster.checks or ()), told))

    def says(self, health: str, *codes: str, now: float) -> None:
        """From now on `ceph` answers the operator with this health and these checks, each as a warning or as an error by `!`."""
        checks = tuple(
            CephCheck(code.strip("!"), "HEALTH_ERR" if "!" in code else "HEALTH_WARN", "as the lab plays it", muted=None)
            for code in sorted(codes)
        )
        self.cluster = replace(self.cluster, health=health, checks=checks, last_changed=now)


def classes() -> tuple[StorageClass, ...]:
    """The storage classes that Rook's charts make for such a cluster."""
    cluster = ("clusterID", NAMESPACE)
    return (
        StorageClass("ceph-block", f"{NAMESPACE}.rbd.csi.ceph.com", (cluster, ("pool", "ceph-block"))),
        StorageClass("ceph-filesystem", f"{NAMESPACE}.cephfs.csi.ceph.com", (cluster, ("fsName", "ceph-filesystem"))),
    )
