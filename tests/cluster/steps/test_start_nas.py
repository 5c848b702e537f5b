"""nas.start: the VM of a NAS that something lies on is switched on, and TrueNAS with its pools is waited for."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import EXIT_DRIFT, EXIT_OK, PermanentError, StillChanging
from engine.probe import Condition
from engine.report import Outcome
from lab.world.nas import LabNas
from lab.world.pve.access import LabToken
from lab.world.pve.vm import Drive, LabVm, PowerEvent
from recovery.course import course as recovery_course
from tests.hands import Notebook, do, is_a_command, only, see, step
from tests.scenario.faults.test_nas import a_nas_house, plugged
from tests.scenario.running import Running

STEP, MAY = "nas.start/nas", "nas.may-start/nas"


@pytest.fixture
def house(tmp_path: Path) -> Running:
    """Bare hosts, and a NAS in a VM that is off; a claim's backup lies on it."""
    made = Running(tmp_path / "state", a_nas_house())
    plugged(made)
    made.backed_up()
    made.home.proxmox.power(vm(made), PowerEvent.STOPPED)
    return made


def vm(house: Running) -> LabVm:
    return house.home.proxmox.vms[105]


def box(house: Running) -> LabNas:
    return house.home.nas["nas"]


def started(house: Running) -> int:
    return sum(one.what == "VM 105 started" for one in house.home.world.happenings)


def test_it_is_started_once_and_its_pools_are_waited_for_before_what_lies_on_it_is_looked_at(house: Running) -> None:
    plan = house.plan(house.bootstrap)
    assert plan[STEP].detail == "VM 105 nas is off, on pve-2; backups that wait for it: apps/notes"
    assert not vm(house).running, "a plan starts nothing"
    report = house.apply(only(house.bootstrap, "preflight.privileges", "nas.", "proxmox.lift"))
    assert report[STEP].outcome is Outcome.CHANGED
    assert (started(house), box(house).booting) == (1, False)
    assert house.apply(only(house.bootstrap, "nas.", "proxmox.lift"))[STEP].outcome is Outcome.OK
    (backup,) = [one for one in house.bootstrap.checks if one.id == "preflight.backup/apps/notes"]
    assert house.bootstrap.graph().needs(backup.id) == (STEP,)
    (other,) = [one for one in house.bootstrap.checks if one.id == "preflight.backup/apps/wiki"]
    assert house.bootstrap.graph().needs(other.id) == ()


def test_each_wait_says_what_it_waits_for(house: Running) -> None:
    notes = do(house, house.bootstrap, STEP)
    assert notes.written["task"].startswith("UPID:pve-2:")
    told = []
    for _ in range(4):
        seen = see(house, house.bootstrap, STEP)
        told.append((seen.condition, seen.detail.partition(":")[0]))
        house.clock.sleep(25)
    assert told[0] == (Condition.CHANGING, "VM 105 nas runs on pve-2, waiting for TrueNAS")
    assert (Condition.CHANGING, "TrueNAS answers, and is BOOTING") in told
    assert told[-1] == (Condition.SATISFIED, "TrueNAS 25.10.6 answers")


def test_one_that_cannot_say_whether_it_is_ready_is_waited_for_by_its_pools(house: Running) -> None:
    box(house).version = "25.04.2.6"
    do(house, house.bootstrap, STEP)
    house.clock.sleep(40)
    assert see(house, house.bootstrap, STEP).detail == "TrueNAS answers, and has just started: waiting for pool tank"
    house.clock.sleep(40)
    box(house).pools[0].export()
    box(house).booted_at = None
    assert see(house, house.bootstrap, STEP).detail == "TrueNAS 25.04.2.6 answers, without pool tank"


def test_pools_that_could_not_be_asked_are_not_pools_that_are_all_there(house: Running) -> None:
    box(house).version = "25.04.2.6"
    do(house, house.bootstrap, STEP)
    house.clock.sleep(40)
    box(house).weather.refuse = "pool.query"
    seen = see(house, house.bootstrap, STEP)
    assert seen.condition is Condition.CHANGING and "does not tell its pools yet" in seen.detail
    box(house).booted_at = None
    assert "its pools could not be asked" in see(house, house.bootstrap, STEP).detail


def test_it_waits_for_no_other_check_of_the_house(house: Running) -> None:
    graph = house.bootstrap.graph()
    assert set(graph.needs(STEP)) == {MAY, "proxmox.lift-reservation"}
    assert (*graph.needs(MAY), *graph.needs("proxmox.lift-reservation")) == ()
    assert graph.needs("proxmox.lift-reservation") == ()


def test_another_vm_of_that_id_is_never_started(house: Running) -> None:
    vm(house).options["name"] = "win11"
    with pytest.raises(PermanentError, match="VM 105 on pve-2 is win11, and NAS nas is nas: it is not touched"):
        step(house.bootstrap, STEP).probe(house.home.look())
    report = house.apply(house.bootstrap)
    assert report[MAY].outcome is Outcome.FAILED
    assert report[STEP].outcome is Outcome.BLOCKED
    assert not vm(house).running
    assert report["preflight.backup/apps/notes"].outcome is Outcome.BLOCKED
    assert report["flux.reconcile"].outcome is Outcome.OK, "the rest is built, and the claim stays held"


@pytest.mark.parametrize("wrong", ["name", "gone", "off"])
def test_while_the_nas_answers_a_wrong_vm_stops_no_run_and_is_drift_of_the_house(house: Running, wrong: str) -> None:
    house.home.proxmox.power(vm(house), PowerEvent.STARTED)
    house.clock.sleep(90)
    assert house.verify(only(house.bootstrap, "nas.", "proxmox.lift")).exit_code == EXIT_OK
    if wrong == "name":
        vm(house).options["name"] = "win11"
    elif wrong == "gone":
        del house.home.proxmox.vms[105]
    else:
        vm(house).running = False  # the NAS itself is another machine, and goes on
    few = only(house.bootstrap, "nas.", "proxmox.lift")
    assert house.apply(few).converged
    report = house.verify(few)
    assert [step.id for step in report.steps if step.outcome is Outcome.FAILED] == [MAY]
    assert report.exit_code == EXIT_DRIFT
    assert "105" in report[MAY].detail


def test_disks_by_id_are_told_and_one_by_a_name_that_changes_is_drift_that_stops_no_run(house: Running) -> None:
    vm(house).drives["scsi1"] = Drive(None, fixed="/dev/disk/by-id/ata-WDC_ZX1")
    vm(house).options["hostpci0"] = "0000:01:00,pcie=1"
    assert see(house, house.bootstrap, MAY).evidence == ("hostpci0 0000:01:00", "scsi1 /dev/disk/by-id/ata-WDC_ZX1")
    vm(house).drives["scsi2"] = Drive(None, fixed="/dev/sdb")
    seen = see(house, house.bootstrap, MAY)
    assert (seen.condition, seen.evidence) == (Condition.MISSING, ("scsi2 /dev/sdb",))
    few = only(house.bootstrap, "nas.", "proxmox.lift")
    assert house.apply(few)[STEP].outcome is Outcome.CHANGED
    assert house.verify(few).exit_code == EXIT_DRIFT


def test_one_that_becomes_another_between_look_and_act_is_not_started(house: Running) -> None:
    seen = see(house, house.bootstrap, STEP)
    vm(house).options["name"] = "win11"
    with pytest.raises(PermanentError):
        step(house.bootstrap, STEP).apply(house.home.act("late"), seen, Notebook())
    assert started(house) == 0


def test_a_vm_that_carries_an_owner_token_is_a_node_and_no_nas(house: Running) -> None:
    vm(house).options["description"] = house.house.owner_token(house.house.nodes[0])
    with pytest.raises(PermanentError, match="it is not touched"):
        step(house.bootstrap, STEP).probe(house.home.look())


def test_a_vm_that_is_lost_is_never_made_anew(house: Running) -> None:
    del house.home.proxmox.vms[105]
    with pytest.raises(PermanentError, match="Proxmox shows no VM 105"):
        step(house.bootstrap, STEP).probe(house.home.look())


def test_two_privileges_and_quorum_are_all_that_it_takes(house: Running) -> None:
    token = house.house.proxmox.token_id
    little = {"/": frozenset({"Sys.Audit"}), "/vms/105": frozenset({"VM.Audit", "VM.PowerMgmt"})}
    house.home.proxmox.access.add_token(LabToken(token, "", rights=little))
    assert see(house, house.bootstrap, MAY).condition is Condition.SATISFIED
    assert see(house, house.bootstrap, "preflight.privileges").condition is Condition.MISSING
    report = house.apply(house.bootstrap)
    assert report[STEP].outcome is Outcome.CHANGED
    assert started(house) == 1


def test_without_the_privilege_it_is_not_started_and_one_that_runs_stops_nobody(house: Running) -> None:
    token = house.house.proxmox.token_id
    house.home.proxmox.access.add_token(LabToken(token, "", rights={"/": frozenset({"Sys.Audit", "VM.Audit"})}))
    seen = see(house, house.bootstrap, MAY)
    assert seen.evidence == ("/vms/105: VM.PowerMgmt",)
    assert house.apply(only(house.bootstrap, "nas.", "proxmox.lift"))[STEP].outcome is Outcome.BLOCKED
    house.home.proxmox.power(vm(house), PowerEvent.STARTED)
    house.clock.sleep(90)
    report = house.apply(only(house.bootstrap, "nas.", "proxmox.lift"))
    assert report[STEP].outcome is Outcome.OK
    assert report.converged, report


def test_without_quorum_nothing_is_sent(house: Running) -> None:
    for name in [*house.home.proxmox.hosts][2:]:
        house.home.proxmox.host_down(name)
    assert see(house, house.bootstrap, MAY).condition is Condition.MISSING
    assert house.apply(only(house.bootstrap, "nas.", "proxmox.lift"))[STEP].outcome is Outcome.BLOCKED


def test_one_that_never_answers_is_told_with_what_was_waited_for(house: Running) -> None:
    box(house).weather.down = True
    report = house.apply(only(house.bootstrap, "nas.", "proxmox.lift"))
    error = report[STEP].error
    assert isinstance(error, StillChanging)
    assert "waiting for TrueNAS: nas.lan:443 gives no answer" in error.what
    assert house.apply(only(house.bootstrap, "nas.", "proxmox.lift"))[STEP].outcome is Outcome.FAILED
    assert started(house) == 1, "one that runs is never started again"


def test_a_restore_starts_it_for_what_lies_on_it_alone(house: Running) -> None:
    wiki = tuple(one for one in house.house.claims if one.claim == "wiki")
    assert [each.id for each in recovery_course(house.house, wiki).steps if each.id.startswith(("nas.", "proxmox."))] == []
    assert {STEP, "proxmox.lift-reservation"} <= {each.id for each in house.restore.steps}
    graph = house.restore.graph()
    assert graph.needs("storage.nas/nas.under-mnt-tank-backup") == (STEP,)
    assert graph.needs("preflight.backup/apps/notes") == (STEP,)


def test_by_hand_it_is_a_command(house: Running) -> None:
    assert is_a_command(step(house.bootstrap, STEP).by_hand())
