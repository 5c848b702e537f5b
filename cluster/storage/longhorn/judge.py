"""What a look at Longhorn comes to, part by part. Pure: no port, no clock.

Longhorn has no health of its own that covers all: `robustness` is of one volume and "unknown" of every detached one, and everything
that its objects say is written by its managers and stays as it was while none of them runs. So each part is judged by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from adapters.longhorn.results import Disk, LonghornLook, Said, StorageNode, StorageVolume
from cluster.storage.findings import Finding, Weight, fine
from engine.text.words import number
from house.files.grammar import number_of

MANAGER, CSI = "longhorn-manager", "longhorn-csi-plugin"
# Since 1.6: all of a disk, and no more; a quarter of it stays free.
_GIVEN_PERCENT, _FREE_PERCENT = 100, 25
# The setting of 1.4 to 1.8, and of 1.9.
_DELETES_ORPHANS = ("orphan-auto-deletion", "orphan-resource-auto-deletion")
_SHOWN = 20
_GET = "kubectl -n longhorn-system get"
_GIB = 2**30


def running(look: LonghornLook) -> Iterator[Finding]:
    """Whether its managers and its driver run: without them nothing is made, and nothing that is said can be believed."""
    command = f"{_GET} daemonsets,pods -o wide"
    for one in look.running:
        what = {MANAGER: "managers", CSI: "driver"}.get(one.name, one.name)
        told = f"{one.ready} of {number(one.wanted, 'pod')} ready"
        if one.ready == 0:
            meaning = "what Longhorn says of itself is old" if one.name == MANAGER else "no volume can be attached"
            yield Finding(what, Weight.BLOCKS, f"{told}: {meaning}", one.name, hint="look why its pods do not run", command=command)
        elif one.ready < one.wanted:
            yield Finding(what, Weight.NOTED, told, one.name, command=command)
        else:
            yield fine(what, told)


def nodes(look: LonghornLook) -> Iterator[Finding]:
    """Whether there are nodes that take replicas; each that does not, and why."""
    able = [node for node in look.nodes if _takes(node.ready, node.schedulable, wanted=node.wanted, evicting=node.evicting)]
    for node in look.nodes:
        if node not in able:
            yield _of_node(node)
    wanted = max((volume.replicas for volume in look.volumes), default=1)
    told = f"{len(able)} of {number(len(look.nodes), 'node')} take replicas"
    if not able:
        hint = "a volume that is made now stays without a replica"
        yield Finding("nodes", Weight.BLOCKS, told, hint=hint, command=f"{_GET} nodes.longhorn.io")
    elif len(able) < wanted:
        yield Finding("nodes", Weight.NOTED, f"{told}, and volumes want {wanted} each: what is made now is degraded at once")
    else:
        yield fine("nodes", told)


def disks(look: LonghornLook) -> Iterator[Finding]:
    """Whether there is a disk that takes replicas, and how much may still be put on them."""
    every = [(node, disk) for node in look.nodes for disk in node.disks]
    room = [
        space for node, disk in every
        if _takes(node.ready, node.schedulable, wanted=node.wanted, evicting=node.evicting)
        and (space := room_of(disk, look)) is not None and space > 0
    ]  # fmt: skip
    for node, disk in every:
        yield from _of_disk(node, disk)
    if not room:
        hint = "make room, or let a disk take replicas; a claim that is restored now stays Pending"
        yield Finding("room", Weight.BLOCKS, "no disk takes a replica", hint=hint, command=f"{_GET} nodes.longhorn.io -o yaml")
    else:
        largest, all_ = (f"{size / _GIB:.0f} GiB" for size in (max(room), sum(room)))
        yield fine("room", f"{all_} on {number(len(room), 'disk')}, {largest} on the roomiest")


def room_of(disk: Disk, look: LonghornLook) -> int | None:
    """Bytes of replicas that Longhorn may still put on a disk; None where nobody says, 0 where it takes none."""
    if not _takes(disk.ready, disk.schedulable, wanted=disk.wanted, evicting=disk.evicting):
        return 0
    if disk.maximum is None or disk.available is None or disk.scheduled is None:
        return None
    given = _percent(look, "storage-over-provisioning-percentage", _GIVEN_PERCENT)
    free = _percent(look, "storage-minimal-available-percentage", _FREE_PERCENT)
    by_promise = (disk.maximum - disk.reserved) * given // 100 - disk.scheduled
    by_fact = disk.available - disk.maximum * free // 100
    return max(0, by_promise if by_fact > 0 else 0)


def engine_images(look: LonghornLook) -> Iterator[Finding]:
    """Whether the engine that volumes use is on every node."""
    command = f"{_GET} engineimages.longhorn.io -o yaml"
    if not look.images:
        yield Finding("engine", Weight.UNKNOWN, "there is no engine image", command=command)
    for image in look.images:
        where = f"; not on {', '.join(image.missing_on)}" if image.missing_on else ""
        if image.state == "deployed" and not image.missing_on:
            yield fine("engine", f"{image.image} on every node")
        elif not image.used:
            yield Finding("engine", Weight.NOTED, f"{image.image}, which no volume uses, is {image.state or 'of no state'}{where}")
        elif image.state in ("deployed", "deploying") and len(image.missing_on) < max(1, len(look.nodes)):
            yield Finding("engine", Weight.NOTED, f"{image.image} is {image.state}{where}", command=command)
        else:
            told = f"{image.image} is {image.state or 'of no state'}{where}"
            yield Finding("engine", Weight.BLOCKS, told, hint="no volume can be attached with it", command=command)


def volumes(look: LonghornLook) -> Iterator[Finding]:
    """Every volume that is not as it should be; a detached one says nothing of itself, and is counted."""
    command = f"{_GET} volumes.longhorn.io"
    for volume in look.volumes:
        yield from _of_volume(volume, command)
    silent = sum(1 for one in look.volumes if one.state == "detached" and one.robustness == "unknown")
    told = f"{number(len(look.volumes), 'volume')}"
    yield fine("volumes", f"{told}, {silent} of them detached: of those nothing is known" if silent else told)


def backup_targets(look: LonghornLook) -> Iterator[Finding]:
    """Whether Longhorn's own backups have a place that answers."""
    for target in look.targets:
        part = f"backup target {target.name}"
        if not target.url:
            yield Finding(part, Weight.NOTED, "no place is set: Longhorn makes no backups of its own")
        elif target.available:
            yield fine(part, f"{target.url} answers")
        else:
            told = f"{target.url}: {target.why.message or target.why.reason or 'not available'}"
            command = f"{_GET} backuptargets.longhorn.io -o yaml"
            yield Finding(part, Weight.BLOCKS, told, "Unavailable", target.why.since, command=command)


def orphans(look: LonghornLook) -> Iterator[Finding]:
    """Folders of replicas that no volume has: after a rebuild on kept disks they may be the only copy of what was."""
    if not look.orphans:
        yield fine("orphans", "no folder of a replica without a volume")
        return
    switched_on = [name for name in _DELETES_ORPHANS if look.setting(name) == "true" or "replica" in look.setting(name)]
    if switched_on:
        told = f"{number(len(look.orphans), 'folder')} of replicas without a volume, and Longhorn deletes such"
        yield Finding(
            "orphans", Weight.BLOCKS, told, switched_on[0],
            hint="switch that off until the restore is proven: they may be the only copy",
            command=f"kubectl -n longhorn-system edit settings.longhorn.io {switched_on[0]}",
        )  # fmt: skip
    for one in look.orphans[:_SHOWN]:
        told = f"{one.disk.rstrip('/')}/replicas/{one.folder} belongs to no volume; it may be an earlier cluster's"
        yield Finding(f"node {one.node}", Weight.NOTED, told, since=one.seen)
    if len(look.orphans) > _SHOWN:
        yield Finding("orphans", Weight.NOTED, f"and {len(look.orphans) - _SHOWN} more", command=f"{_GET} orphans.longhorn.io")


@dataclass(frozen=True)
class Part:
    """One part: how it is judged, and which fields of a look that takes."""

    judge: Callable[[LonghornLook], Iterable[Finding]]
    asks: tuple[str, ...]


PARTS: Mapping[str, Part] = MappingProxyType({
    "running": Part(running, ("running",)),
    "nodes": Part(nodes, ("volumes",)),
    "disks": Part(disks, ("settings",)),
    "engine": Part(engine_images, ("images",)),
    "volumes": Part(volumes, ("volumes",)),
    "backup-target": Part(backup_targets, ("targets",)),
    "orphans": Part(orphans, ("orphans", "settings")),
})  # fmt: skip
"""Part → what is found of it, in the order in which a person would ask."""
GATES = ("running", "nodes", "disks", "engine", "orphans")
"""What a restore onto Longhorn needs: another claim's volume, or Longhorn's own backups, stop none."""


def _takes(ready: Said, schedulable: Said, *, wanted: bool, evicting: bool) -> bool:
    return ready.good is True and schedulable.good is True and wanted and not evicting


def _why(ready: Said, schedulable: Said, *, wanted: bool, evicting: bool) -> tuple[str, str, float | None]:
    """Why nothing is put there: in words, Longhorn's word, and since when."""
    for said, what in ((ready, "not ready"), (schedulable, "takes no replicas")):
        if said.good is not True:
            unsaid = "" if said.good is False else ", or nobody says so"
            return f"{what}{unsaid}{f': {said.message}' if said.message else ''}", said.reason, said.since
    return ("is being emptied" if evicting else "a person lets it take no replicas" if not wanted else ""), "", None


def _of_node(node: StorageNode) -> Finding:
    told, code, since = _why(node.ready, node.schedulable, wanted=node.wanted, evicting=node.evicting)
    return Finding(f"node {node.name}", Weight.NOTED, told, code, since, command=f"{_GET} nodes.longhorn.io {node.name} -o yaml")


def _of_disk(node: StorageNode, disk: Disk) -> Iterator[Finding]:
    part = f"disk {disk.path or disk.name} of {node.name}"
    if disk.ready.reason == "DiskFilesystemChanged":
        hint = "another filesystem is mounted there than the one that Longhorn knows: is the data disk mounted?"
        yield Finding(part, Weight.BLOCKS, disk.ready.message or "is another filesystem", disk.ready.reason, disk.ready.since, hint)
    elif not _takes(disk.ready, disk.schedulable, wanted=disk.wanted, evicting=disk.evicting):
        told, code, since = _why(disk.ready, disk.schedulable, wanted=disk.wanted, evicting=disk.evicting)
        yield Finding(part, Weight.NOTED, told, code, since)


def _of_volume(volume: StorageVolume, command: str) -> Iterator[Finding]:
    part = f"volume of {volume.claim}" if volume.claim else f"volume {volume.name}"
    if volume.robustness == "faulted":
        hint = "no replica of it can be used; look at its replicas and their nodes before anything is deleted"
        yield Finding(part, Weight.BLOCKS, "every replica has failed", "faulted", volume.degraded_since, hint, command)
    elif volume.robustness == "degraded":
        told = f"fewer than its {number(volume.replicas, 'replica')} are whole"
        yield Finding(part, Weight.NOTED, told, "degraded", volume.degraded_since, command=command)
    elif volume.robustness != "healthy" and volume.state == "attached":
        code = volume.robustness or "no robustness"
        yield Finding(part, Weight.UNKNOWN, "attached, and nobody says how it is", code, command=command)
    if (placed := volume.placed).good is False:
        yield Finding(part, Weight.NOTED, placed.message or "a replica finds no place", placed.reason, placed.since)


def _percent(look: LonghornLook, name: str, default: int) -> int:
    said = number_of(look.setting(name))
    return default if said is None else said
