"""Room is counted at its peak, for all claims of a run together, before the first of them is restored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.kubernetes.results import StorageClass
from cluster.course import Course
from cluster.storage.longhorn.check import DRIVER
from cluster.storage.under import gates
from engine.errors import EXIT_OK
from engine.report import Report
from lab.troubles.longhorn import of_disks
from lab.world.cluster.ceph import FSID, LabCeph
from lab.world.cluster.longhorn import GIB, healthy
from lab.world.cluster.rook import LabRook, classes
from tests.builders import a_claim, a_house, an_app
from tests.scenario.running import DATA, Running

LONGHORN = StorageClass("longhorn", DRIVER, (("numberOfReplicas", "2"),), default=True)
HOSTED = StorageClass("proxmox-rbd", "rbd.csi.ceph.com", (("clusterID", FSID), ("pool", "rbd")), default=True)
OF_LONGHORN, OF_CEPH = "storage.room/longhorn", "storage.room/ceph-proxmox.pool-rbd"
OF_ROOK = "storage.room/ceph-rook-ceph.pool-ceph-block"
ROOK = replace(classes()[0], default=True)
NAMES = ("notes", "wiki", "mail")


def a_house_with(folder: Path, *sizes: int, parallel: int = 8) -> Running:
    """A bootstrapped house with one held claim of each of these sizes in GiB (0: nobody says)."""
    claims = tuple(replace(a_claim(name), capacity=size * GIB) for name, size in zip(NAMES, sizes, strict=False))
    house = Running(folder / "state", a_house(claims=claims, flux_apps=(*a_house().flux_apps, *map(an_app, NAMES[1:]))))
    house.house = replace(house.house, limits=replace(house.house.limits, parallel=parallel))
    house.backed_up()
    house.apply(house.bootstrap)
    house.home.proxmox.ceph = LabCeph.on(house.home.proxmox.hosts)
    house.home.kube.objects().rook.append(LabRook.healthy(house.clock.now()))
    house.home.kube.objects().longhorn = healthy()
    return house


def on(house: Running, found: StorageClass) -> None:
    objects = house.home.kube.objects()
    objects.storage_classes = {found.name: found}
    for claim in objects.claims.values():
        claim.storage_class = found.name


def restoring(house: Running) -> Course:
    return house.restore.with_checks(gates(house.home.look(), house.house, house.house.claims))


def red(report: Report) -> list[str]:
    return [step.id for step in report.root_causes]


@pytest.mark.parametrize(("free", "stops"), [(90, False), (89, True)])
def test_longhorn_promises_whole_volumes_of_all_claims_together(tmp_path: Path, free: int, stops: bool) -> None:
    """Three volumes of each claim at the peak: 3 x (10 + 20) GiB, on the disks' 30 GiB each."""
    house = a_house_with(tmp_path, 10, 20)
    on(house, LONGHORN)
    look = of_disks(maximum=free // 3 * GIB + (free % 3) * GIB // 3, available=400 * GIB, scheduled=0, reserved=0)
    house.home.kube.objects().longhorn = look(healthy())
    report = house.apply(restoring(house))
    assert red(report) == ([OF_LONGHORN] if stops else [])
    if stops:
        told = str(report[OF_LONGHORN].error and report[OF_LONGHORN].error.what)
        assert "90.0 GiB" in told
        assert "2 claims of 30.0 GiB: destinations 30.0 GiB, proofs' copies 30.0 GiB, claims 30.0 GiB" in told
        assert not [name for name in house.home.world.faults.reached if name.startswith("claims.")]


def test_only_so_many_copies_count_as_proofs_run_at_once(tmp_path: Path) -> None:
    house = a_house_with(tmp_path, 10, 20, parallel=1)
    on(house, LONGHORN)
    house.home.kube.objects().longhorn = of_disks(maximum=27 * GIB, available=400 * GIB, scheduled=0, reserved=0)(healthy())
    assert red(house.apply(restoring(house))) == []  # 30 + 20 + 30 of 81


def test_a_volume_that_fits_on_no_disk_is_said_although_all_disks_together_have_room(tmp_path: Path) -> None:
    house = a_house_with(tmp_path, 50)
    on(house, LONGHORN)
    many = replace(healthy(), nodes=healthy([f"w-{n}" for n in range(9)]).nodes)
    house.home.kube.objects().longhorn = of_disks(maximum=40 * GIB, available=400 * GIB, scheduled=0, reserved=0)(many)
    report = house.apply(restoring(house))
    assert red(report) == [OF_LONGHORN]
    assert "50.0 GiB finds no place" in report[OF_LONGHORN].detail


def test_where_only_the_copies_do_not_fit_it_is_told_and_goes_on(tmp_path: Path) -> None:
    house = a_house_with(tmp_path, 10)
    on(house, LONGHORN)
    house.home.kube.objects().longhorn = of_disks(maximum=15 * GIB, available=400 * GIB, scheduled=0, reserved=0)(healthy())
    report = house.apply(restoring(house))
    assert report.exit_code == EXIT_OK
    assert "not for every copy" in report[OF_LONGHORN].detail


def test_it_can_be_passed_by_consent(tmp_path: Path) -> None:
    house = a_house_with(tmp_path, 100)
    on(house, LONGHORN)
    house.home.kube.objects().longhorn = of_disks(maximum=90 * GIB, available=400 * GIB, scheduled=0, reserved=0)(healthy())
    assert red(house.apply(restoring(house))) == [OF_LONGHORN]
    (act,) = house.plan(restoring(house)).acts
    assert "run full in the middle" in act.words
    assert house.apply(restoring(house), house.consent(restoring(house))).exit_code == EXIT_OK


def test_what_a_run_that_broke_off_made_is_not_counted_again(tmp_path: Path) -> None:
    house = a_house_with(tmp_path, 10, 20)
    on(house, LONGHORN)
    assert house.apply(restoring(house)).exit_code == EXIT_OK
    house.home.kube.objects().longhorn = of_disks(maximum=25 * GIB, available=400 * GIB, scheduled=0, reserved=0)(healthy())
    seen = house.plan(restoring(house))[OF_LONGHORN]
    assert "destinations 0.0 GiB" in seen.detail


@pytest.mark.parametrize(("row", "found"), [(OF_CEPH, HOSTED), (OF_ROOK, ROOK)], ids=["hosts", "rook"])
def test_a_ceph_is_asked_for_what_is_written_and_blocks_only_when_the_data_do_not_fit(
    tmp_path: Path, row: str, found: StorageClass
) -> None:
    house = a_house_with(tmp_path, 100)
    on(house, found)

    def left(size: int) -> None:
        house.home.proxmox.ceph = replace(LabCeph.on(house.home.proxmox.hosts), free=size)
        rook = house.home.kube.objects().rook[0]
        rook.cluster = replace(rook.cluster, free=size)

    left(2 << 40)
    assert "400.0 GiB at most" in house.plan(restoring(house))[row].detail
    left(50 * GIB)
    assert "look after it meanwhile" in house.plan(restoring(house))[row].detail
    data = sum(entry.size for entry in DATA)
    left(data)
    if row == OF_ROOK:
        left(data - 1)
    report = house.apply(restoring(house))
    assert red(report) == [row]


def test_a_size_that_nobody_tells_is_said_and_not_counted(tmp_path: Path) -> None:
    house = a_house_with(tmp_path, 0)
    on(house, LONGHORN)
    house.home.kube.objects().claims.clear()
    seen = house.plan(restoring(house))[OF_LONGHORN]
    assert "how large apps/notes is nobody says" in " ".join((seen.detail, *seen.evidence))
