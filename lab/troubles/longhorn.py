"""What can be wrong with a Longhorn, by name, and whether every volume says that it is healthy meanwhile. Knows no house."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from adapters.longhorn.results import BackupTarget, LonghornLook, Running, Said, StorageNode
from lab.troubles.seen import WITHIN_S
from lab.world.cluster.longhorn import DISK, GIB, ORPHAN, SINCE, VOLUME

Change = Callable[[LonghornLook], LonghornLook]


@dataclass(frozen=True)
class LonghornTrouble:
    """One named trouble of one that was in order: `rows` are the parts that tell of it, `says` a word of what they tell. `well`:
    every volume is healthy or detached meanwhile; `stops`: nothing may be restored onto it."""

    name: str
    what: str
    rows: tuple[str, ...]
    says: str
    change: Change
    well: bool = True
    stops: bool = True
    seen_within_s: float = WITHIN_S


def no(reason: str, message: str = "") -> Said:
    """A condition that is false."""
    return Said(good=False, reason=reason, message=message, since=SINCE)


def of_nodes(**changes: object) -> Change:
    """Every node is changed so."""
    return lambda look: replace(look, nodes=tuple(replace(node, **changes) for node in look.nodes))  # type: ignore[arg-type] # by name


def of_disks(**changes: object) -> Change:
    """Every disk is changed so."""
    return of_nodes(disks=(replace(DISK, **changes),))  # type: ignore[arg-type] # by name


def of_volume(**changes: object) -> Change:
    """There is one volume, and it is so."""
    return lambda look: replace(look, volumes=(replace(VOLUME, **changes),))  # type: ignore[arg-type] # by name


def of_images(**changes: object) -> Change:
    """Every engine image is changed so."""
    return lambda look: replace(look, images=tuple(replace(one, **changes) for one in look.images))  # type: ignore[arg-type] # by name


def pods(manager: int, driver: int | None = None) -> Change:
    """So many of its managers are ready, and of its driver's pods; None: all of them. Where a part is 0 of 0 there is none."""

    def change(look: LonghornLook) -> LonghornLook:
        wanted = len(look.nodes)
        made = [Running("longhorn-manager", manager, wanted)]
        made.append(Running("longhorn-csi-plugin", wanted, wanted) if driver is None else Running("longhorn-csi-plugin", driver, 0))
        return replace(look, running=tuple(made))

    return change


def target(url: str) -> Change:
    """Its backup target is this one, and does not answer."""
    return lambda look: replace(look, targets=(BackupTarget("default", url, available=False),))


def orphaned(*settings: tuple[str, str]) -> Change:
    """A replica of an earlier cluster lies on a disk, with these settings."""
    return lambda look: replace(look, orphans=(ORPHAN,), settings=settings)


def _without_engine(look: LonghornLook) -> LonghornLook:
    return replace(look, images=())


def _nowhere(look: LonghornLook) -> LonghornLook:
    return of_images(state="deploying", missing_on=tuple(node.name for node in look.nodes))(look)


def _one_left(look: LonghornLook) -> LonghornLook:
    first, *others = look.nodes
    return replace(look, nodes=(first, *(_asleep(node) for node in others)))


def _asleep(node: StorageNode) -> StorageNode:
    return replace(node, ready=no("KubernetesNodeNotReady"))


def _all() -> Iterator[LonghornTrouble]:
    kind = LonghornTrouble
    yield kind("longhorn-no-manager", "none of its managers runs", ("running",), "old", pods(0))
    yield kind("longhorn-no-driver", "its driver is gone", ("running",), "attached", lambda look: pods(len(look.nodes), 0)(look))
    asleep = of_nodes(ready=no("KubernetesNodeNotReady"))
    yield kind("longhorn-nodes-unready", "none of its nodes is ready", ("nodes", "disks"), "take replicas", asleep)
    off = of_nodes(wanted=False)
    yield kind("longhorn-nodes-off", "a person let no node take replicas", ("nodes", "disks"), "take replicas", off)
    pressed = of_disks(schedulable=no("DiskPressure"))
    yield kind("longhorn-disks-pressed", "its disks are under pressure", ("disks",), "no disk takes a replica", pressed)
    other = of_disks(ready=no("DiskFilesystemChanged"))
    yield kind("longhorn-disk-not-mounted", "another filesystem is where its disk was", ("disks",), "another filesystem", other)
    promised = of_disks(scheduled=450 * GIB)
    yield kind("longhorn-promised-away", "all of its room is promised", ("disks",), "no disk takes a replica", promised)
    full = of_disks(available=120 * GIB)
    yield kind("longhorn-disk-full", "its disks are full of other things", ("disks",), "no disk takes a replica", full)
    yield kind("longhorn-no-disk", "it has no disk", ("disks",), "no disk takes a replica", of_nodes(disks=()))
    yield kind("longhorn-engine-nowhere", "its engine is on no node", ("engine",), "deploying", _nowhere)
    yield kind("longhorn-engine-old", "its engine is incompatible", ("engine",), "incompatible", of_images(state="incompatible"))
    yield kind("longhorn-no-engine", "it has no engine image", ("engine",), "no engine image", _without_engine)
    own = {"well": False, "stops": False}
    faulted = of_volume(state="detached", robustness="faulted", degraded_since=SINCE)
    yield kind("longhorn-volume-lost", "a volume lost all replicas", ("volumes",), "every replica has failed", faulted, **own)
    silent = of_volume(robustness="unknown")
    yield kind("longhorn-volume-silent", "an attached volume says nothing", ("volumes",), "nobody says", silent, **own)
    away = target("nfs://nas/longhorn")
    yield kind("longhorn-target-away", "its backup target does not answer", ("backup-target",), "nas", away, stops=False)
    told = orphaned(("orphan-auto-deletion", "true"))
    yield kind("longhorn-orphans", "it deletes what an earlier cluster left", ("orphans",), "may be the only copy", told)
    newer = orphaned(("orphan-resource-auto-deletion", "replica-data;instance"))
    yield kind("longhorn-orphans-1-9", "so does 1.9, whose setting is another", ("orphans",), "only copy", newer)
    some = of_volume(robustness="degraded", degraded_since=SINCE)
    yield kind("longhorn-volume-degraded", "a volume is degraded", (), "since 2027", some, **own)
    yield kind("longhorn-one-node-left", "one node takes replicas still", (), "degraded at once", _one_left, stops=False)


LONGHORN_TROUBLES = {trouble.name: trouble for trouble in _all()}
