"""A fresh write before anything is restored onto a Ceph, and snapshots of each class proven by a step that leaves its date."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.kubernetes.results import StorageClass
from adapters.trials.results import Trial, Tried
from cluster.course import Course
from cluster.storage.trials import OLD_S, classes_to_prove, trial_checks
from cluster.storage.under import gates, to_write
from engine.errors import EXIT_HELD, EXIT_OK
from engine.report import Outcome, Report
from lab.troubles.ceph import CEPH_TROUBLES
from lab.world.cluster.ceph import FSID, LabCeph
from recovery.course import course as recovery_course
from recovery.courses.proving import proving_course
from recovery.steps.volumes.probe_write import FRESH_S
from tests.scenario.running import Running

HOSTED = StorageClass("proxmox-rbd", "rbd.csi.ceph.com", (("clusterID", FSID), ("pool", "rbd")))
WRITE, PROVE, ROW = "storage.write/proxmox-rbd", "storage.prove/lab", "storage.snapshots/lab"


@pytest.fixture
def house(held_house: Running) -> Running:
    held_house.home.proxmox.ceph = LabCeph.on(held_house.home.proxmox.hosts)
    return held_house


def on(house: Running, found: StorageClass) -> None:
    objects = house.home.kube.objects()
    objects.storage_classes[found.name] = replace(found, default=True)
    for claim in objects.claims.values():
        claim.storage_class = found.name


def restoring(house: Running) -> Course:
    """As `dr.restore` makes it."""
    look, claims = house.home.look(), house.house.claims
    written = to_write(look, house.house, claims)
    return recovery_course(house.house, claims, written=written).with_checks(gates(look, house.house, claims))


def verified(house: Running) -> Report:
    return house.verify(house.bootstrap.with_checks(trial_checks(house.home.look(), house.house)))


def test_a_power_cut_that_no_look_tells_stops_a_restore_before_anything_is_changed(house: Running) -> None:
    on(house, HOSTED)
    CEPH_TROUBLES["ceph-power-cut"].begin(house.home.proxmox.ceph or pytest.fail("no Ceph"))
    house.home.world.faults.forget()
    report = house.apply(restoring(house))
    assert [step.id for step in report.root_causes] == [WRITE]
    error = report[WRITE].error
    assert error is not None
    assert "did not end in 120 s" in error.what
    assert report["recovery.pin/apps/notes"].outcome is Outcome.BLOCKED
    assert not [name for name in house.home.world.faults.reached if name.startswith(("claims.", "hold."))]
    assert house.home.kube.objects().trials_left == set()


def test_a_write_that_is_through_lets_it_begin_and_is_not_tried_again_at_once(house: Running) -> None:
    on(house, HOSTED)
    assert house.apply(restoring(house)).exit_code == EXIT_OK
    assert house.plan(restoring(house))[WRITE].detail.startswith("one was through")
    house.clock.sleep(FRESH_S)
    assert house.plan(restoring(house))[WRITE].detail == "none was tried lately"


def test_a_sick_ceph_is_not_written_to(house: Running) -> None:
    on(house, HOSTED)
    CEPH_TROUBLES["ceph-paused"].begin(house.home.proxmox.ceph or pytest.fail("no Ceph"))
    report = house.apply(restoring(house))
    assert [step.id for step in report.root_causes] == ["storage.ceph/proxmox"]
    assert report[WRITE].outcome is Outcome.BLOCKED


def test_what_a_look_tells_all_of_is_not_written_to(house: Running) -> None:
    assert to_write(house.home.look(), house.house, house.house.claims) == {}


def test_snapshots_are_proven_by_a_step_and_the_row_tells_since_when(house: Running) -> None:
    assert verified(house)[ROW].detail.startswith("never proven")
    assert verified(house).exit_code == EXIT_HELD  # a warning is no drift
    classes = classes_to_prove(house.home.look(), house.house)
    assert classes == ("lab",)
    report = house.apply(proving_course(classes))
    assert (report.exit_code, report[PROVE].outcome) == (EXIT_OK, Outcome.CHANGED)
    assert house.apply(proving_course(classes))[PROVE].outcome is Outcome.OK
    house.clock.sleep(86400 * 3)
    seen = verified(house)[ROW]
    assert seen.outcome is Outcome.OK
    assert "proven 3.0 days ago" in seen.detail
    assert "last write probe 3.0 days ago" in seen.detail
    house.clock.sleep(OLD_S)
    assert verified(house)[ROW].outcome is Outcome.FAILED


def test_snapshots_that_hold_something_else_are_not_proven_and_nothing_is_left(house: Running) -> None:
    house.home.kube.objects().snapshots_lie.add("lab")
    report = house.apply(proving_course(("lab",)))
    error = report[PROVE].error
    assert error is not None
    assert "does not hold what was written" in error.what
    assert house.home.look().trials.look().passed == ()
    assert house.home.kube.objects().trials_left == set()


def test_what_a_dead_run_left_is_told_and_goes_with_the_next(house: Running) -> None:
    house.home.kube.objects().trials_left.add("lab")
    house.home.kube.objects().trials[Tried.SNAPSHOT, "lab"] = Trial(Tried.SNAPSHOT, "lab", house.clock.now() - 7200, 6.0)
    seen = verified(house)[ROW]
    assert "has left Job blackstart/trial-of-lab" in seen.detail
    assert house.apply(proving_course(("lab",))).exit_code == EXIT_OK
    assert verified(house)[ROW].outcome is Outcome.OK


def test_a_class_without_snapshots_has_no_row(house: Running) -> None:
    house.home.kube.objects().snapshot_drivers.clear()
    assert [*trial_checks(house.home.look(), house.house)] == []


def test_a_marker_of_a_time_to_come_proves_nothing(house: Running) -> None:
    later = Trial(Tried.SNAPSHOT, "lab", house.clock.now() + 9e6, 6.0)
    house.home.kube.objects().trials[Tried.SNAPSHOT, "lab"] = later
    assert house.plan(proving_course(("lab",))).changes
    assert verified(house)[ROW].outcome is Outcome.FAILED
