"""What Longhorn says and does not say: every part is weighed by itself, and half of the faults leave each volume healthy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

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
from cluster.storage.findings import Weight, worst
from cluster.storage.longhorn.judge import PARTS, room_of

GIB = 2**30
YES = Said(good=True)
DISK = Disk("data", "/var/lib/longhorn", YES, YES, maximum=500 * GIB, available=400 * GIB, scheduled=60 * GIB, reserved=50 * GIB)
NODES = tuple(StorageNode(f"w-{n}", YES, YES, disks=(DISK,)) for n in (1, 2, 3))
VOLUME = StorageVolume("pvc-1", "apps/notes", "attached", "healthy", 3, GIB, placed=YES)
WHOLE = LonghornLook(
    served=True,
    nodes=NODES,
    volumes=(VOLUME, replace(VOLUME, name="pvc-2", claim="apps/old", state="detached", robustness="unknown")),
    images=(EngineImage("longhornio/longhorn-engine:v1.9.0", "deployed", used=True),),
    targets=(BackupTarget("default", "", available=False),),
    running=(Running("longhorn-manager", 3, 3), Running("longhorn-csi-plugin", 3, 3)),
)
Change = Callable[[LonghornLook], LonghornLook]


def no(reason: str, message: str = "") -> Said:
    return Said(good=False, reason=reason, message=message, since=1_800_000_000.0)


def of_nodes(**changes: object) -> Change:
    return lambda look: replace(look, nodes=tuple(replace(node, **changes) for node in look.nodes))  # type: ignore[arg-type] # by name


def of_disks(**changes: object) -> Change:
    return of_nodes(disks=(replace(DISK, **changes),))  # type: ignore[arg-type] # by name


def of_volume(**changes: object) -> Change:
    return lambda look: replace(look, volumes=(replace(VOLUME, **changes),))  # type: ignore[arg-type] # by name


def of_images(**changes: object) -> Change:
    return lambda look: replace(look, images=tuple(replace(one, **changes) for one in look.images))  # type: ignore[arg-type] # by name


def first_node(**changes: object) -> Change:
    first = replace(NODES[0], **changes)  # type: ignore[arg-type] # by name
    return lambda look: replace(look, nodes=(first, *NODES[1:]))


def pods(manager: tuple[int, int], driver: tuple[int, int] = (3, 3)) -> Change:
    return lambda look: replace(look, running=(Running("longhorn-manager", *manager), Running("longhorn-csi-plugin", *driver)))


def target(url: str) -> Change:
    return lambda look: replace(look, targets=(BackupTarget("default", url, available=False),))


def setting(name: str, value: str) -> Change:
    return lambda look: replace(look, settings=(*look.settings, (name, value)))


ORPHAN = Orphan("w-1", "/var/lib/longhorn/", "pvc-8f-1a2b3c4d", 1_800_000_000.0)


def orphaned(*settings: tuple[str, str]) -> Change:
    return lambda look: replace(look, orphans=(ORPHAN,), settings=settings)


RED: list[tuple[str, Change, set[str], str]] = [
    ("no manager runs", pods((0, 3)), {"running"}, "old"),
    ("no driver at all", pods((3, 3), (0, 0)), {"running"}, "attached"),
    ("every node unready", of_nodes(ready=no("KubernetesNodeNotReady")), {"nodes", "disks"}, "take replicas"),
    ("a person switched all nodes off", of_nodes(wanted=False), {"nodes", "disks"}, "0 of 3"),
    ("disks without pressure's room", of_disks(schedulable=no("DiskPressure")), {"disks"}, "no disk takes a replica"),
    ("another filesystem is mounted", of_disks(ready=no("DiskFilesystemChanged")), {"disks"}, "another filesystem"),
    ("everything is promised away", of_disks(scheduled=450 * GIB), {"disks"}, "no disk takes a replica"),
    ("a disk is full of other things", of_disks(available=120 * GIB), {"disks"}, "no disk takes a replica"),
    ("no disk is configured", of_nodes(disks=()), {"disks"}, "no disk takes a replica"),
    ("the engine is nowhere", of_images(state="deploying", missing_on=("w-1", "w-2", "w-3")), {"engine"}, "deploying"),
    ("the engine is incompatible", of_images(state="incompatible"), {"engine"}, "incompatible"),
    ("there is no engine", lambda look: replace(look, images=()), {"engine"}, "no engine image"),
    ("a volume lost all replicas", of_volume(state="detached", robustness="faulted"), {"volumes"}, "every replica has failed"),
    ("an attached volume is silent", of_volume(robustness="unknown"), {"volumes"}, "nobody says"),
    ("the backup target is away", target("nfs://nas/longhorn"), {"backup-target"}, "nas"),
    ("orphans would be deleted", orphaned(("orphan-auto-deletion", "true")), {"orphans"}, "may be the only copy"),
    ("so they would in 1.9", orphaned(("orphan-resource-auto-deletion", "replica-data;instance")), {"orphans"}, "only copy"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "red", "says"), [case[1:] for case in RED], ids=[case[0] for case in RED])
def test_a_fault_turns_exactly_its_own_parts_red(change: Change, red: set[str], says: str) -> None:
    look = change(WHOLE)
    found = {name: tuple(part.judge(look)) for name, part in PARTS.items()}
    assert {name for name, findings in found.items() if worst(findings) in (Weight.BLOCKS, Weight.UNKNOWN)} == red
    told = " ".join(f"{one.told} {one.hint}" for name in red for one in found[name])
    assert says in told


NOTED: list[tuple[str, Change, str, str]] = [
    ("a node is cordoned", first_node(schedulable=no("KubernetesNodeCordoned")), "nodes", "KubernetesNodeCordoned"),
    ("a node is emptied", first_node(evicting=True), "nodes", "emptied"),
    ("a volume is degraded", of_volume(robustness="degraded", degraded_since=1_800_000_000.0), "volumes", "since 2027"),
    ("a replica finds no place", of_volume(placed=no("ReplicaSchedulingFailure", "insufficient")), "volumes", "insufficient"),
    ("the engine is on its way to one node", of_images(state="deploying", missing_on=("w-3",)), "engine", "w-3"),
    ("one manager restarts", pods((2, 3)), "running", "2 of 3"),
    ("what an earlier cluster left", orphaned(), "orphans", "/var/lib/longhorn/replicas/pvc-8f-1a2b3c4d"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "name", "says"), [case[1:] for case in NOTED], ids=[case[0] for case in NOTED])
def test_what_stops_nothing_is_told(change: Change, name: str, says: str) -> None:
    look = change(WHOLE)
    findings = {other: tuple(part.judge(look)) for other, part in PARTS.items()}
    assert {worst(found) for found in findings.values()} <= {Weight.FINE, Weight.NOTED}
    assert worst(findings[name]) is Weight.NOTED
    assert says in " ".join(one.told for one in findings[name])


def test_a_whole_one_is_fine_and_a_detached_volume_is_counted_as_unknown() -> None:
    told = {name: tuple(part.judge(WHOLE)) for name, part in PARTS.items()}
    assert {name for name, found in told.items() if worst(found) is not Weight.FINE} == {"backup-target"}
    assert "1 of them detached: of those nothing is known" in told["volumes"][-1].detail
    assert told["disks"][-1].detail == "1170 GiB on 3 disks, 390 GiB on the roomiest"


def test_room_is_what_is_neither_reserved_nor_promised() -> None:
    assert room_of(DISK, WHOLE) == 390 * GIB
    assert room_of(DISK, setting("storage-over-provisioning-percentage", "200")(WHOLE)) == 840 * GIB
    assert room_of(DISK, setting("storage-minimal-available-percentage", "90")(WHOLE)) == 0
    assert room_of(replace(DISK, available=None), WHOLE) is None
    assert room_of(replace(DISK, wanted=False), WHOLE) == 0


def test_many_orphans_are_a_bounded_list() -> None:
    look = replace(WHOLE, orphans=tuple(replace(ORPHAN, folder=f"pvc-{n}") for n in range(500)))
    findings = tuple(PARTS["orphans"].judge(look))
    assert len(findings) == 21
    assert "480 more" in findings[-1].detail
