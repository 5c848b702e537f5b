"""Which Ceph, and what of it, a storage class makes its volumes on."""

from __future__ import annotations

import re
from collections.abc import Collection

from adapters.ceph.results import HostedCeph, RookCluster
from adapters.context import LookContext
from adapters.kubernetes.results import StorageClass
from cluster.storage.ceph.check import CephSound, Part
from cluster.storage.ceph.places import InRook, OnHosts, Place, RookUnread, Unseen
from cluster.storage.ceph.room import ceph_room
from cluster.storage.room import Ground
from engine.errors import PermanentError, TransientError

_DRIVER = re.compile(r"(?:[\w-]+\.)*(rbd|cephfs|nfs)\.csi\.ceph\.com")
_FSID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def is_ceph(found: StorageClass) -> bool:
    """Whether Ceph's own drivers make its volumes; Rook puts its namespace before their names."""
    return _DRIVER.fullmatch(found.provisioner) is not None


def ceph_under(look: LookContext, classes: Collection[StorageClass]) -> dict[StorageClass, Ground]:
    """For each of these classes what must be sound before a volume of it is written to."""
    try:
        rook = {one.namespace: one for one in look.cluster.ceph_clusters()}
    except (TransientError, PermanentError):
        rook = None
    hosts = _Hosts(look)
    made = {found: tuple(_rows(found, rook, hosts)) for found in classes}
    return {found: Ground(rows, ceph_room(rows), written=True) for found, rows in made.items()}


class _Hosts:
    """The hosts' Ceph, asked once and only where a class may be on it. `silent`: they may have one that gives no answer."""

    def __init__(self, look: LookContext) -> None:
        self._look = look
        self._asked: list[HostedCeph | None] = []
        self.silent = False

    def may_be(self, fsid: str) -> bool:
        """Whether it is that Ceph, or may be it."""
        if not self._asked:
            try:
                self._asked.append(self._look.proxmox.ceph())
            except (TransientError, PermanentError):
                self._asked.append(None)
                self.silent = True
        found = self._asked[0]
        return self.silent or (found is not None and found.status.fsid == fsid)


def _rows(found: StorageClass, rook: dict[str, RookCluster] | None, hosts: _Hosts) -> list[CephSound]:
    parameters = dict(found.parameters)
    cluster, driver = parameters.get("clusterID", ""), _DRIVER.fullmatch(found.provisioner)
    assert driver is not None  # is_ceph was asked
    made: list[CephSound] = []
    for place, tells_pools in _places(cluster, rook, hosts):
        made.append(CephSound(place, Part.WHOLE))
        if isinstance(place, Unseen | RookUnread):
            continue
        if driver[1] != "rbd":
            made.append(CephSound(place, Part.FILESYSTEMS))
        elif tells_pools and parameters.get("pool"):
            made.append(CephSound(place, Part.POOL, parameters["pool"]))
    return made


def _places(cluster: str, rook: dict[str, RookCluster] | None, hosts: _Hosts) -> list[tuple[Place, bool]]:
    """Whom to ask about the Ceph of this name or id, and whether they tell of its pools. `rook` None: it could not be read."""
    there = rook.get(cluster) if rook is not None else None
    if there is None:
        if _FSID.fullmatch(cluster) is not None and hosts.may_be(cluster):
            return [(OnHosts(cluster), True)]
        return [(RookUnread(), False)] if rook is None else [(Unseen(cluster or "no-cluster"), False)]
    if not there.external:
        return [(InRook(cluster), True)]
    # Rook only knows of it: whoever runs it knows more.
    shared = bool(there.fsid) and hosts.may_be(there.fsid)
    return [(InRook(cluster), False), *([(OnHosts(there.fsid), True)] if shared else [])]
