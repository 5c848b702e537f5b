"""What Longhorn says and does not say: every part is weighed by itself, and half of the faults leave each volume healthy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.longhorn.results import LonghornLook, Running
from cluster.storage.findings import Weight, worst
from cluster.storage.longhorn.judge import PARTS, room_of
from lab.troubles.longhorn import LONGHORN_TROUBLES, Change, LonghornTrouble, no, of_images, of_volume, orphaned
from lab.world.cluster.longhorn import DISK, GIB, ORPHAN, healthy

WHOLE = healthy()


def first_node(**changes: object) -> Change:
    first, *others = WHOLE.nodes
    return lambda look: replace(look, nodes=(replace(first, **changes), *others))  # type: ignore[arg-type] # by name


def setting(name: str, value: str) -> Change:
    return lambda look: replace(look, settings=(*look.settings, (name, value)))


def one_restarts(look: LonghornLook) -> LonghornLook:
    return replace(look, running=(Running("longhorn-manager", 2, 3), Running("longhorn-csi-plugin", 3, 3)))


@pytest.mark.parametrize("trouble", LONGHORN_TROUBLES.values(), ids=list(LONGHORN_TROUBLES))
def test_a_fault_turns_exactly_its_own_parts_red(trouble: LonghornTrouble) -> None:
    look = trouble.change(WHOLE)
    found = {name: tuple(part.judge(look)) for name, part in PARTS.items()}
    assert {name for name, findings in found.items() if worst(findings) in (Weight.BLOCKS, Weight.UNKNOWN)} == set(trouble.rows)
    told = " ".join(f"{one.told} {one.hint}" for name in trouble.rows or PARTS for one in found[name])
    assert trouble.says in told
    assert all(one.robustness == "healthy" or one.state == "detached" for one in look.volumes if trouble.well)


def test_half_of_its_faults_leave_every_volume_healthy() -> None:
    red = [trouble for trouble in LONGHORN_TROUBLES.values() if trouble.rows]
    assert len(red) >= 10
    assert sum(trouble.well for trouble in red) * 2 >= len(red)


NOTED: list[tuple[str, Change, str, str]] = [
    ("a node is cordoned", first_node(schedulable=no("KubernetesNodeCordoned")), "nodes", "KubernetesNodeCordoned"),
    ("a node is emptied", first_node(evicting=True), "nodes", "emptied"),
    ("a volume is degraded", of_volume(robustness="degraded", degraded_since=1_800_000_000.0), "volumes", "since 2027"),
    ("a replica finds no place", of_volume(placed=no("ReplicaSchedulingFailure", "insufficient")), "volumes", "insufficient"),
    ("the engine is on its way to one node", of_images(state="deploying", missing_on=("w-3",)), "engine", "w-3"),
    ("one manager restarts", one_restarts, "running", "2 of 3"),
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
