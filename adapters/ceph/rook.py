"""What Rook's operator wrote down of its Ceph, read from its objects in the Kubernetes API. Judges nothing."""

from __future__ import annotations

import re

from adapters.ceph.reading import count_or_none, identity, word
from adapters.ceph.results import CephCheck, RookCluster, RookPart
from adapters.kubernetes.client import ApiClient
from adapters.kubernetes.kinds import CEPH_CLUSTER, CEPH_PARTS
from adapters.kubernetes.objects import Obj, dig, name_of, namespace_of, seconds, table, text

_INTERVAL_S = 60.0
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def rook_clusters(client: ApiClient) -> tuple[RookCluster, ...]:
    """Every CephCluster, by namespace and name. An API that does not know the kind has none."""
    found = client.list_if_served(CEPH_CLUSTER)
    if not found:
        return ()
    parts = [
        (namespace_of(obj), RookPart(kind.name, name_of(obj), word(dig(obj, "status", "phase"))))
        for kind in CEPH_PARTS
        for obj in client.list_if_served(kind) or ()
    ]
    made = (rook_cluster(obj, tuple(part for place, part in parts if place == namespace_of(obj))) for obj in found)
    return tuple(sorted(made, key=lambda one: (one.namespace, one.name)))


def rook_cluster(obj: Obj, parts: tuple[RookPart, ...]) -> RookCluster:
    """One CephCluster object; what it lacks, or has in another shape, comes out as not told."""
    ceph, capacity = table(obj, "status", "ceph"), table(obj, "status", "ceph", "capacity")
    return RookCluster(
        namespace=namespace_of(obj),
        name=name_of(obj),
        phase=word(dig(obj, "status", "phase")),
        message=word(dig(obj, "status", "message")),
        fsid=identity(ceph.get("fsid")),
        health=word(ceph.get("health")),
        checks=_checks(ceph),
        last_checked=seconds(text(ceph, "lastChecked")),
        last_changed=seconds(text(ceph, "lastChanged")),
        interval_s=_interval(text(obj, "spec", "healthCheck", "daemonHealth", "status", "interval")),
        external=dig(obj, "spec", "external", "enable") is True,
        free=count_or_none(capacity.get("bytesAvailable")),
        total=count_or_none(capacity.get("bytesTotal")),
        versions=tuple(sorted(map(str, table(ceph, "versions", "overall")))),
        wipes_strangers=dig(obj, "spec", "cleanupPolicy", "wipeDevicesFromOtherClusters") is True,
        parts=parts,
    )


def _checks(ceph: Obj) -> tuple[CephCheck, ...] | None:
    """None where nothing of Ceph's health was written; the map is left out where no check speaks."""
    if not ceph.get("health"):
        return None
    details = ceph.get("details") or {}
    if not isinstance(details, dict) or not all(isinstance(one, dict) for one in details.values()):
        return None
    return tuple(
        CephCheck(str(code)[:80], word(one.get("severity")), word(one.get("message")), muted=None)
        for code, one in sorted(details.items())
    )


def _interval(written: str) -> float:
    """Seconds of a duration as Go writes it; the operator's own where it is absent or anything else."""
    found = _DURATION.fullmatch(written)
    hours, minutes, rest = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    return float((hours * 60 + minutes) * 60 + rest) or _INTERVAL_S
