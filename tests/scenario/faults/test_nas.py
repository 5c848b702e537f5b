"""A NAS that backups lie on: each named fault of it turns its own rows red, and stops the restore that reads from it alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cluster.storage.nas.check import nas_checks
from engine.errors import EXIT_HELD
from engine.report import Outcome, Report
from house.model import House, SecretRef
from house.values.nas import Export, Nas, NasExport
from lab.troubles.nas import NAS_FAULTS, START, NasFault
from lab.troubles.storage import VM_BACKUPS
from lab.wiring import only_backup
from lab.world.nas import LabNas, LabUser, sample_nas
from lab.world.pve.vm import LabVm, PowerEvent
from tests.builders import a_claim, a_house, an_app
from tests.copied import copied
from tests.scenario.running import Running

MOVERS = NasExport(Export.NFS, "/mnt/tank/backup", "VolSync's movers (policy.yaml:1)", movers=True)
NAS = Nas(
    "nas", "nas.lan", 443, "AB:" * 31 + "CD", "", "blackstart", SecretRef(("env:NAS_API_KEY",)), vm=105, vm_name="nas",
    datasets=("tank/backup",), exports=(MOVERS, NasExport(Export.SMB, "media", "media/films")),
)  # fmt: skip
ON_NAS = "storage.nas/nas.under-mnt-tank-backup"


def a_nas_house(*nas: Nas) -> House:
    """Two claims: one whose mover writes to a mounted NFS export of the NAS, one in a bucket."""
    here = a_claim("notes", mover_repository="/repository/notes", open_as="/repository/notes")
    return a_house(nas=nas or (NAS,), claims=(here, a_claim("wiki")), flux_apps=(*a_house().flux_apps, an_app("wiki")))


@pytest.fixture
def house(tmp_path: Path) -> Running:
    return copied(_built, tmp_path / "state")


def _built(folder: Path) -> Running:
    made = Running(folder, a_nas_house())
    plugged(made)
    made.backed_up()
    made.apply(made.bootstrap)
    return made


def plugged(house: Running) -> LabVm:
    """The box, in its VM on pve-2."""
    return house.home.plug_nas(sample_nas(house.clock.now(), LabUser("blackstart", "3-key")), 105, "pve-2")


def box(house: Running) -> LabNas:
    return house.home.nas["nas"]


def verified(house: Running) -> Report:
    """As `cluster.verify` does it."""
    return house.verify(house.bootstrap.with_checks(nas_checks(house.house)))


def red(report: Report) -> dict[str, str]:
    return {step.id: step.detail for step in report.steps if step.outcome is Outcome.FAILED}


def test_a_nas_in_order_has_a_row_for_each_part_and_none_is_red(house: Running) -> None:
    report = verified(house)
    assert red(report) == {}
    assert report.exit_code == EXIT_HELD
    rows = {step.id: step.detail for step in report.steps if step.id.startswith("storage.nas/")}
    assert len(rows) == 11
    assert rows["storage.nas/nas.answers"] == "NAS nas: TrueNAS 25.10.6 answers at /api/current"
    assert rows["storage.nas/nas.pools"] == "pool tank: ONLINE and healthy"
    assert rows["storage.nas/nas.exports"] == (
        "export NFS /mnt/tank/backup: is on, and showmount from here finds it; "
        "export SMB media: is on, and smbclient from here finds it, 1 name in it"
    )


def test_a_house_without_a_nas_has_no_row_of_one(tmp_path: Path) -> None:
    made = Running(tmp_path / "state")
    assert [*nas_checks(made.house)] == []
    assert [check.id for check in made.restore.checks if check.id.startswith("storage.")] == []


@pytest.mark.parametrize("fault", NAS_FAULTS.values(), ids=lambda fault: fault.name)
def test_a_named_fault_of_a_nas_turns_exactly_its_own_rows_red(house: Running, fault: NasFault) -> None:
    fault.begin(box(house), house.clock.now())
    report = verified(house)
    found = red(report)
    assert sorted(found) == sorted(fault.ids("nas")), found
    for step in report.steps:
        if step.outcome is Outcome.BLOCKED:
            assert set(step.blocked_by) == {fault.ids("nas")[0]}, step
    assert all(one.healthy and one.status == "ONLINE" for one in box(house).pools) == fault.well
    for step in report.steps:
        if step.outcome is Outcome.FAILED:
            assert step.error is not None
            assert step.error.what


@pytest.mark.parametrize("fault", NAS_FAULTS.values(), ids=lambda fault: fault.name)
def test_a_restore_from_a_nas_stops_at_its_gate_with_one_problem_and_another_claim_goes_on(house: Running, fault: NasFault) -> None:
    fault.begin(box(house), house.clock.now())
    report = house.apply(house.restore)
    outcomes = {step.id: step.outcome for step in report.steps}
    assert outcomes["recovery.release/apps/wiki"] is Outcome.CHANGED
    causes = [step.id for step in report.root_causes]
    waits = ["nas.start/nas"] if START in fault.rows else [ON_NAS]
    assert causes == (waits if fault.stops else []), causes
    assert outcomes["recovery.pin/apps/notes"] is (Outcome.BLOCKED if fault.stops else Outcome.CHANGED)


def test_at_least_ten_faults_have_a_name_and_half_of_them_leave_every_pool_well() -> None:
    assert len(NAS_FAULTS) >= 10
    assert sum(fault.well for fault in NAS_FAULTS.values()) * 2 >= len(NAS_FAULTS)


def test_a_nas_that_is_off_is_one_row_which_says_its_vm_and_which_backups_wait_for_it(house: Running) -> None:
    house.home.proxmox.power(house.home.proxmox.vms[105], PowerEvent.STOPPED)
    found = red(verified(house))
    assert found == {"nas.start/nas": "VM 105 nas is off, on pve-2; backups that wait for it: apps/notes"}


def test_a_nas_that_is_a_machine_says_which_backups_wait_for_it_and_nobody_starts_it(tmp_path: Path) -> None:
    made = Running(tmp_path / "state", a_nas_house(replace(NAS, vm=0, vm_name="")))
    made.home.nas["nas"] = sample_nas(made.clock.now(), LabUser("blackstart", "3-key"))
    box(made).weather.down = True
    found = {name: told for name, told in red(verified(made)).items() if "nas" in name}
    assert list(found) == ["storage.nas/nas.answers"]
    assert "backups that wait for it: apps/notes" in found["storage.nas/nas.answers"]
    assert not [each.id for each in (*made.bootstrap.steps, *made.restore.steps) if each.id.startswith("nas.")]


def test_a_degraded_pool_of_others_stops_no_restore_from_a_sound_one(house: Running) -> None:
    other = box(house).pools[0]
    box(house).pools.append(replace(other, name="scratch", status="DEGRADED", healthy=False, code="FAULTED_DEV_R"))
    assert list(red(verified(house))) == ["storage.nas/nas.pools"]
    report = house.apply(house.restore)
    assert [step.id for step in report.root_causes] == []


def test_a_repository_opened_by_sftp_needs_ssh_and_no_export(tmp_path: Path) -> None:
    address = "sftp:restic@NAS.lan:/mnt/tank/backup/notes"
    made = Running(tmp_path / "state", replace(a_nas_house(replace(NAS, exports=())), claims=(
        a_claim("notes", mover_repository=address, open_as=address),
    )))  # fmt: skip
    plugged(made)
    made.backed_up()
    made.apply(made.bootstrap)
    box(made).services["ssh"] = (True, False)
    box(made).nfs.clear()
    assert list(red(verified(made))) == ["storage.nas/nas.services"]
    assert [step.id for step in made.apply(made.restore).root_causes] == [ON_NAS]


@pytest.mark.parametrize("version", ["25.04.2.6", "25.10.6", "26.0.0-BETA.3"])
def test_each_release_in_order_is_right_and_a_failed_self_test_of_25_04_is_told(house: Running, version: str) -> None:
    box(house).version = version
    assert red(verified(house)) == {}
    box(house).failed_tests.add("sdb")
    assert list(red(verified(house))) == (["storage.nas/nas.disks"] if version.startswith("25.04") else [])


def test_a_degraded_pool_may_be_restored_from_where_the_settings_accept_just_that(house: Running) -> None:
    """It may hold the only copy. What is worse than what was accepted stops again."""
    NAS_FAULTS["nas-pool-degraded"].begin(box(house), house.clock.now())
    (stopped,) = house.apply(house.restore).root_causes
    assert stopped.error is not None
    assert 'nas.nas.accepted: {"pool tank FAULTED_DEV_R": WHY}' in stopped.error.hint
    accepting = replace(NAS, accepted=(("pool tank FAULTED_DEV_R", "the disk is on its way"),))
    house.house = replace(house.house, nas=(accepting,))
    box(house).pools[0].code = "FAULTED_DEV_NR"
    assert [step.id for step in house.apply(house.restore).root_causes] == [ON_NAS]
    box(house).pools[0].code = "FAULTED_DEV_R"
    report = house.apply(house.restore)
    assert [step.id for step in report.root_causes] == []
    assert list(red(verified(house))) == ["storage.nas/nas.pools"]


ITS_BACKUP = "storage.nas/nas.vm-backup"


@pytest.mark.parametrize(("name", "what", "age", "found"), VM_BACKUPS, ids=[one[0] for one in VM_BACKUPS])
def test_a_fault_of_its_vms_own_backup_turns_that_row_red_and_stops_no_restore(
    house: Running, name: str, what: str, age: float | None, found: str
) -> None:
    vm = house.home.proxmox.vms[105]
    only_backup(house.home.proxmox, vm, None if age is None else house.clock.now() - age, found)
    assert list(red(verified(house))) == [ITS_BACKUP], (name, what)
    assert [step.id for step in house.apply(house.restore).root_causes] == []


def test_the_backup_of_its_vm_is_told_while_the_nas_is_off_and_asked_for_no_machine(house: Running) -> None:
    house.home.proxmox.power(house.home.proxmox.vms[105], PowerEvent.STOPPED)
    report = verified(house)
    assert list(red(report)) == ["nas.start/nas"]
    assert report[ITS_BACKUP].detail.startswith("backup of the VM: pbs:backup/vm/105/")
    for nas in (replace(NAS, vm=0, vm_name=""), replace(NAS, vm_backup_age=0.0)):
        assert ITS_BACKUP not in [row.id for row in nas_checks(a_nas_house(nas))]
