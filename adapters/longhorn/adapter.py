"""Longhorn's objects (longhorn.io/v1beta2), and the pods that keep their words true.

Every state in Longhorn's objects is written by its managers: while none of them runs, all of it stays as it was. So what runs is
asked too. Fields as in the API types of longhorn-manager, 1.6 to 1.9; what an older version does not write is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from adapters.kubernetes.client import Clients
from adapters.kubernetes.kinds import DAEMON_SET, Kind
from adapters.kubernetes.objects import Obj, condition, dig, name_of, number, rows, seconds, table, text
from adapters.longhorn.results import (
    WHAT,
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
from engine.secrets import redact
from engine.workers import Threads, each
from house.files.grammar import number_of

GROUP, VERSION = "longhorn.io", "v1beta2"
NODES = Kind(GROUP, VERSION, "nodes", "Node")
VOLUMES = Kind(GROUP, VERSION, "volumes", "Volume")
ENGINE_IMAGES = Kind(GROUP, VERSION, "engineimages", "EngineImage")
BACKUP_TARGETS = Kind(GROUP, VERSION, "backuptargets", "BackupTarget")
ORPHANS = Kind(GROUP, VERSION, "orphans", "Orphan")
SETTINGS = Kind(GROUP, VERSION, "settings", "Setting")
DAEMONS = ("longhorn-manager", "longhorn-csi-plugin")
_T = TypeVar("_T")


class KubernetesLonghorn:
    """Asks a real API; part of the Cluster port."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._workers = Threads()

    def look(self, what: Collection[str] = WHAT) -> LonghornLook:
        """These fields of the look, listed side by side; the others stay empty.

        Raises TransientError when the API gives no answer.
        """
        client = self._clients.main()
        if (nodes := client.list_if_served(NODES)) is None:
            return LonghornLook(served=False)
        wanted = sorted(set(what) & _READ.keys())
        listed = each(self._workers, lambda name: client.list_if_served(_READ[name][0]) or [], wanted, at_once=len(_READ))
        found = {name: _READ[name][1](objects) for name, objects in zip(wanted, listed, strict=True)}
        return LonghornLook(served=True, nodes=_all(_node, nodes), **found)


def _all(read: Callable[[Obj], _T], objects: list[Obj]) -> tuple[_T, ...]:
    return tuple(map(read, sorted(objects, key=name_of)))


def _running(daemons: list[Obj]) -> tuple[Running, ...]:
    """Of each part that there is; a part without a DaemonSet is one of which none runs."""
    found = {name_of(one): one for one in daemons}
    return tuple(
        Running(name, number(one, "status", "numberReady"), number(one, "status", "desiredNumberScheduled"))
        for name in DAEMONS
        for one in (found.get(name, {}),)
    )


def _said(obj: Obj, kind: str) -> Said:
    """A condition of an object, or of a part of one that has `conditions` itself."""
    told = condition(obj, kind) if "status" in obj else next((c for c in rows(obj, "conditions") if c.get("type") == kind), {})
    good = {"True": True, "False": False}.get(text(told, "status"))
    return Said(good, text(told, "reason"), redact(text(told, "message")), seconds(text(told, "lastTransitionTime")) or None)


def _node(obj: Obj) -> StorageNode:
    told, spec = table(obj, "status", "diskStatus"), table(obj, "spec", "disks")
    return StorageNode(
        name_of(obj),
        _said(obj, "Ready"),
        _said(obj, "Schedulable"),
        wanted=dig(obj, "spec", "allowScheduling") is not False,
        evicting=dig(obj, "spec", "evictionRequested") is True,
        disks=tuple(_disk(name, table(spec, name), table(told, name)) for name in sorted(spec)),
    )


def _disk(name: str, spec: Obj, told: Obj) -> Disk:
    def size(key: str) -> int | None:
        return number(told, key) if isinstance(told.get(key), int) else None

    return Disk(
        name,
        text(spec, "path"),
        _said(told, "Ready"),
        _said(told, "Schedulable"),
        wanted=spec.get("allowScheduling") is not False,
        evicting=spec.get("evictionRequested") is True,
        maximum=size("storageMaximum"),
        available=size("storageAvailable"),
        scheduled=size("storageScheduled"),
        reserved=number(spec, "storageReserved"),
    )


def _volume(obj: Obj) -> StorageVolume:
    bound = table(obj, "status", "kubernetesStatus")
    claim = f"{text(bound, 'namespace')}/{text(bound, 'pvcName')}"
    size = text(obj, "spec", "size")
    return StorageVolume(
        name_of(obj),
        # lastPVCRefAt: the claim is of the past.
        "" if claim == "/" or text(bound, "lastPVCRefAt") else claim,
        text(obj, "status", "state"),
        text(obj, "status", "robustness"),
        number(obj, "spec", "numberOfReplicas"),
        number_of(size) or 0,
        seconds(text(obj, "status", "lastDegradedAt")) or None,
        _said(obj, "Scheduled"),
    )


def _image(obj: Obj) -> EngineImage:
    deployed = table(obj, "status", "nodeDeploymentMap")
    return EngineImage(
        text(obj, "spec", "image"),
        text(obj, "status", "state"),
        number(obj, "status", "refCount") > 0,
        tuple(sorted(node for node, there in deployed.items() if there is not True)),
    )


def _target(obj: Obj) -> BackupTarget:
    url = redact(text(obj, "spec", "backupTargetURL"))
    return BackupTarget(name_of(obj), url, dig(obj, "status", "available") is True, _said(obj, "Unavailable"))


def _orphan(obj: Obj) -> Orphan:
    told = table(obj, "spec", "parameters")
    seen = seconds(text(obj, "metadata", "creationTimestamp")) or None
    return Orphan(text(obj, "spec", "nodeID"), text(told, "DiskPath") or text(told, "DiskName"), text(told, "DataName"), seen)


def _replica_folders(objects: list[Obj]) -> tuple[Orphan, ...]:
    return _all(_orphan, [one for one in objects if text(one, "spec", "orphanType") in ("", "replica")])


def _settings(objects: list[Obj]) -> tuple[tuple[str, str], ...]:
    return tuple((name_of(one), text(one, "value")) for one in objects)


# Field of the look → which objects it is read of, and how.
_READ: Mapping[str, tuple[Kind, Callable[[list[Obj]], Any]]] = MappingProxyType({
    "volumes": (VOLUMES, lambda objects: _all(_volume, objects)),
    "images": (ENGINE_IMAGES, lambda objects: _all(_image, objects)),
    "targets": (BACKUP_TARGETS, lambda objects: _all(_target, objects)),
    "orphans": (ORPHANS, _replica_folders),
    "running": (DAEMON_SET, _running),
    "settings": (SETTINGS, _settings),
})  # fmt: skip
