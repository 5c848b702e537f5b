"""OpenEBS, democratic-csi, NFS and SMB: each fault turns the row of its own class red, and stops restores onto that alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from adapters.csi.results import CsiLook, Driver, Pool
from adapters.kubernetes.results import StorageClass
from cluster.course import Course
from cluster.storage.kinds import storage_checks
from cluster.storage.under import gates
from engine.errors import EXIT_OK
from engine.report import Outcome, Report
from lab.nas_troubles import NAS_FAULTS
from lab.world.nas import LabUser, sample_nas
from tests.scenario.running import Running
from tests.scenario.test_nas import NAS, a_nas_house

GIB = 1 << 30
NODES = ("cp-1", "w-1", "w-2")
ZFS = StorageClass("zfs", "zfs.csi.openebs.io", (("poolname", "tank/k8s"),))
LVM = StorageClass("lvm", "local.csi.openebs.io", (("volgroup", "vg0"),))
MAYASTOR = StorageClass("mayastor", "io.openebs.csi-mayastor")
HOSTPATH = StorageClass("hostpath", "openebs.io/local")
NFS = StorageClass("nfs", "nfs.csi.k8s.io", (("server", "NAS.lan"), ("share", "/mnt/tank/backup")))
OTHER = StorageClass("other-nfs", "nfs.csi.k8s.io", (("server", "elsewhere.lan"), ("share", "/export")))
SMB = StorageClass("smb", "smb.csi.k8s.io", (("source", "//nas.lan/media"),))
DEMOCRATIC = StorageClass("iscsi", "org.democratic-csi.iscsi")
CLASSES = (ZFS, LVM, MAYASTOR, HOSTPATH, NFS, OTHER, SMB, DEMOCRATIC)
ROWS = {
    "zfs": "storage.openebs/zfs", "lvm": "storage.openebs/lvm", "mayastor": "storage.openebs/mayastor", "nfs": "storage.nfs/nfs",
    "hostpath": "storage.openebs/hostpath", "other-nfs": "storage.nfs/other-nfs", "smb": "storage.smb/smb",
    "iscsi": "storage.democratic-csi/iscsi",
}  # fmt: skip
WHOLE = CsiLook(
    NODES,
    tuple(Driver(one, NODES) for one in sorted({found.provisioner for found in CLASSES} - {"openebs.io/local"})),
    (
        Pool("zfs", "w-1", "tank", 400 * GIB, 500 * GIB), Pool("lvm", "w-1", "vg0", 400 * GIB, 500 * GIB, well=True),
        Pool("mayastor", "w-1", "pool-1", 400 * GIB, 500 * GIB, "Online", well=True),
    ),
)  # fmt: skip
Change = Callable[[CsiLook], CsiLook]


@pytest.fixture
def house(empty_house: Running) -> Running:
    made = Running(empty_house.folder / "small", a_nas_house())
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


def without_driver(*names: str) -> Change:
    return lambda look: replace(look, drivers=tuple(one for one in look.drivers if one.name not in names))


def only_on_one(name: str) -> Change:
    return lambda look: replace(look, drivers=tuple(replace(o, nodes=("w-1",)) if o.name == name else o for o in look.drivers))


def pool(engine: str, **changes: object) -> Change:
    def change(look: CsiLook) -> CsiLook:
        made = [replace(one, **changes) if one.engine == engine else one for one in look.pools]  # type: ignore[arg-type] # by name
        return replace(look, pools=tuple(made))

    return change


def no_pool(engine: str) -> Change:
    return lambda look: replace(look, pools=tuple(one for one in look.pools if one.engine != engine))


RED: list[tuple[str, Change, tuple[StorageClass, ...], str]] = [
    ("the driver of ZFS is gone", without_driver("zfs.csi.openebs.io"), (ZFS,), "on no node"),
    ("the driver of LVM is gone", without_driver("local.csi.openebs.io"), (LVM,), "on no node"),
    ("there is no ZFS pool", no_pool("zfs"), (ZFS,), "no pool tank"),
    ("the ZFS pool has another name", pool("zfs", name="other"), (ZFS,), "no pool tank"),
    ("the ZFS pool is full", pool("zfs", free=0), (ZFS,), "byte free"),
    ("a disk of the volume group is missing", pool("lvm", well=False, state="1 of its disks missing"), (LVM,), "disks missing"),
    ("there is no volume group", no_pool("lvm"), (LVM,), "no pool vg0"),
    ("the pool of Mayastor is faulted", pool("mayastor", well=False, state="Faulted"), (MAYASTOR,), "Faulted"),
    ("the pool of Mayastor is silent", pool("mayastor", well=None, state=""), (MAYASTOR,), "nothing of itself"),
    ("the driver of NFS is gone", without_driver("nfs.csi.k8s.io"), (NFS, OTHER), "on no node"),
    ("the driver of SMB is gone", without_driver("smb.csi.k8s.io"), (SMB,), "on no node"),
    ("the driver of democratic-csi is gone", without_driver("org.democratic-csi.iscsi"), (DEMOCRATIC,), "on no node"),
]  # fmt: skip


def test_each_class_of_these_systems_has_a_row_and_none_is_red(house: Running) -> None:
    report = verified(house)
    assert red(report) == []
    assert {step.id for step in report.steps if step.id.startswith("storage.")} == set(ROWS.values())
    assert "nobody here asks how that is" in report["storage.nfs/other-nfs"].detail
    assert "its own rows tell" in report["storage.smb/smb"].detail
    assert "nobody has a second copy" in report["storage.openebs/hostpath"].detail


@pytest.mark.parametrize(("change", "classes", "says"), [case[1:] for case in RED], ids=[case[0] for case in RED])
def test_a_fault_turns_its_own_rows_red_and_stops_restores_onto_that_alone(
    house: Running, change: Change, classes: tuple[StorageClass, ...], says: str
) -> None:
    objects = house.home.kube.objects()
    objects.csi = change(WHOLE)
    report = verified(house)
    rows = [ROWS[found.name] for found in classes]
    assert red(report) == sorted(rows)
    assert says in " ".join((report[rows[0]].detail, *report[rows[0]].evidence))
    refused = house.apply(on(house, classes[0]))
    assert [step.id for step in refused.root_causes] == [rows[0]]
    assert refused["recovery.pin/apps/wiki"].outcome is Outcome.BLOCKED
    elsewhere = next(found for found in CLASSES if found not in classes)
    assert house.apply(on(house, elsewhere)).exit_code == EXIT_OK


@pytest.mark.parametrize("name", ["nas-pool-degraded", "nas-off", "nas-dataset-gone", "nas-dataset-locked", "nas-pool-full"])
def test_what_is_wrong_with_the_nas_behind_a_class_is_wrong_with_the_class(house: Running, name: str) -> None:
    NAS_FAULTS[name].begin(house.home.nas["nas"], house.clock.now())
    assert red(verified(house)) == ["storage.nfs/nfs"]
    assert NAS.name == "nas"


@pytest.mark.parametrize("change", [
    only_on_one("zfs.csi.openebs.io"), pool("zfs", free=None), pool("zfs", free=10 * GIB),
    pool("mayastor", well=False, state="Degraded"),
])  # fmt: skip
def test_what_is_told_stops_nothing(house: Running, change: Change) -> None:
    house.home.kube.objects().csi = change(WHOLE)
    assert red(verified(house)) == []
    assert house.apply(on(house, ZFS)).exit_code == EXIT_OK


def test_a_house_that_has_none_of_them_has_no_row(empty_house: Running) -> None:
    empty_house.apply(empty_house.bootstrap)
    assert [*storage_checks(empty_house.home.look(), empty_house.house)] == []
