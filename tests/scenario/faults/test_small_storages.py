"""OpenEBS, democratic-csi, NFS and SMB: each fault turns the row of its own class red, and stops restores onto that alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.kubernetes.results import StorageClass
from cluster.course import Course
from cluster.storage.kinds import storage_checks
from cluster.storage.under import gates
from engine.errors import EXIT_OK
from engine.report import Outcome, Report
from lab.troubles.csi import CSI_TROUBLES, Change, CsiTrouble, only_on_one, pool
from lab.troubles.nas import NAS_FAULTS
from lab.world.cluster.csi import CLASSES, GIB, ZFS, healthy
from lab.world.nas import LabUser, sample_nas
from tests.copied import copied
from tests.scenario.faults.test_nas import a_nas_house
from tests.scenario.running import Running

BY_NAME = {found.name: found for found in CLASSES}
ROWS = {
    "zfs": "storage.openebs/zfs", "lvm": "storage.openebs/lvm", "mayastor": "storage.openebs/mayastor", "nfs": "storage.nfs/nfs",
    "hostpath": "storage.openebs/hostpath", "other-nfs": "storage.nfs/other-nfs", "smb": "storage.smb/smb",
    "iscsi": "storage.democratic-csi/iscsi",
}  # fmt: skip
WHOLE = healthy()


@pytest.fixture
def house(tmp_path: Path) -> Running:
    return copied(_built, tmp_path / "state")


def _built(folder: Path) -> Running:
    made = Running(folder, a_nas_house())
    made.home.nas["nas"] = sample_nas(made.clock.now(), LabUser("blackstart", "3-key"))
    made.backed_up()
    made.apply(made.bootstrap)
    objects = made.home.kube.objects()
    objects.csi = WHOLE
    objects.storage_classes |= {found.name: found for found in CLASSES}
    return made


def verified(house: Running) -> Report:
    return house.verify(house.bootstrap.with_checks(storage_checks(house.home.look(), house.house)))


def red(report: Report) -> list[str]:
    return sorted(step.id for step in report.steps if step.outcome is Outcome.FAILED and step.id.startswith("storage."))


def on(house: Running, found: StorageClass) -> Course:
    for claim in house.home.kube.objects().claims.values():
        claim.storage_class = found.name
    # Restored is a claim whose backup lies elsewhere than on the NAS: only what it is made on counts.
    claims = tuple(claim for claim in house.house.claims if claim.claim == "wiki")
    return house.restore.with_checks(gates(house.home.look(), house.house, claims))


def test_each_class_of_these_systems_has_a_row_and_none_is_red(house: Running) -> None:
    report = verified(house)
    assert red(report) == []
    assert {step.id for step in report.steps if step.id.startswith("storage.")} == set(ROWS.values())
    assert "nobody here asks how that is" in report["storage.nfs/other-nfs"].detail
    assert "export SMB media" in report["storage.smb/smb"].detail
    assert "nobody has a second copy" in report["storage.openebs/hostpath"].detail


@pytest.mark.parametrize("trouble", CSI_TROUBLES.values(), ids=list(CSI_TROUBLES))
def test_a_fault_turns_its_own_rows_red_and_stops_restores_onto_that_alone(house: Running, trouble: CsiTrouble) -> None:
    house.home.kube.objects().csi = trouble.change(WHOLE)
    house.home.kube.objects().storage_classes |= {found.name: trouble.reclass(found) for found in CLASSES}
    report = verified(house)
    rows = [ROWS[name] for name in trouble.classes]
    assert red(report) == sorted(rows)
    told = rows or [step.id for step in report.steps if step.id.startswith("storage.")]
    assert trouble.says in " ".join(text for row in told for text in (report[row].detail, *report[row].evidence))
    if rows:
        refused = house.apply(on(house, trouble.reclass(BY_NAME[trouble.classes[0]])))
        assert [step.id for step in refused.root_causes] == [rows[0]]
        assert refused["recovery.pin/apps/wiki"].outcome is Outcome.BLOCKED
    elsewhere = next(found for found in CLASSES if found.name not in trouble.classes)
    assert house.apply(on(house, elsewhere)).exit_code == EXIT_OK


@pytest.mark.parametrize(("name", "kinds"), [
    ("nas-pool-degraded", "nfs smb"), ("nas-off", "nfs smb"), ("nas-pool-full", "nfs smb"), ("nas-dataset-gone", "nfs"),
    ("nas-dataset-locked", "nfs"), ("nas-export-gone", "nfs"), ("nas-export-off", "nfs"), ("nas-nfs-stopped", "nfs"),
    ("nas-share-gone", "smb"), ("nas-smb-stopped", "smb"), ("nas-scrub-old", ""),
])  # fmt: skip
def test_what_is_wrong_with_the_nas_behind_a_class_is_wrong_with_the_class(house: Running, name: str, kinds: str) -> None:
    NAS_FAULTS[name].begin(house.home.nas["nas"], house.clock.now())
    rows = [ROWS[kind] for kind in kinds.split()]
    report = verified(house)
    assert red(report) == rows
    refused = house.apply(on(house, BY_NAME[kinds.split()[0] if rows else "nfs"]))
    # The other claim's backup lies on this NAS, and waits by a row of its own.
    assert [step.id for step in refused.root_causes if step.id in ROWS.values()] == rows[:1]
    assert refused["recovery.pin/apps/wiki"].outcome is (Outcome.BLOCKED if rows else Outcome.CHANGED)


@pytest.mark.parametrize("change", [only_on_one(ZFS), pool("zfs", free=None), pool("zfs", free=10 * GIB)])
def test_what_is_told_stops_nothing(house: Running, change: Change) -> None:
    house.home.kube.objects().csi = change(WHOLE)
    assert red(verified(house)) == []
    assert house.apply(on(house, BY_NAME["zfs"])).exit_code == EXIT_OK


def test_a_house_that_has_none_of_them_has_no_row(held_house: Running) -> None:
    assert [*storage_checks(held_house.home.look(), held_house.house)] == []
