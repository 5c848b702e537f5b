"""Houses that have lost a part: what a run makes again by itself, what it leaves alone, and what only a person can decide."""

from __future__ import annotations

import pytest

from engine.errors import EXIT_HELD, ApprovalMissing
from engine.plan import Planned
from engine.report import Outcome
from engine.step import Hazard
from lab.world.pve.vm import PowerEvent
from tests.scenario.bootstrap.test_bootstrap import told
from tests.scenario.running import Running


def lose(house: Running, *vm_ids: int) -> None:
    """These VMs and their disks are gone."""
    for vm_id in vm_ids:
        vm = house.home.proxmox.vms[vm_id]
        house.home.proxmox.power(vm, PowerEvent.STOPPED)
        house.home.proxmox.remove(vm)


@pytest.mark.parametrize(("vm_id", "name"), [(8001, "cp-1"), (8003, "cp-3"), (8004, "w-1")])
def test_one_lost_node_is_made_again_and_nothing_else_is_touched(held_house: Running, vm_id: int, name: str) -> None:
    """Also the node that etcd was bootstrapped on: it joins, like any other."""
    lose(held_house, vm_id)
    report = held_house.apply(held_house.bootstrap)
    assert report.exit_code == EXIT_HELD, told(report)
    changed = {step.id for step in report.steps if step.outcome is Outcome.CHANGED}
    assert changed == {
        f"proxmox.create-vm/{name}", f"proxmox.grow-disk/{name}-scsi0", f"proxmox.start-vm/{name}", f"talos.apply-config/{name}",
    }  # fmt: skip
    (etcd,) = held_house.home.talos.etcd.clusters
    assert sorted(member.hostname for member in etcd.members.values()) == ["cp-1", "cp-2", "cp-3"]


@pytest.mark.parametrize("lost", [(8001, 8002), (8002, 8003)])
def test_without_quorum_no_second_etcd_is_made_and_a_person_is_told_what_is_where(
    held_house: Running, lost: tuple[int, int]
) -> None:
    lose(held_house, *lost)
    report = held_house.apply(held_house.bootstrap)
    assert [step.id for step in report.root_causes] == ["talos.bootstrap-etcd"], told(report)
    error = report["talos.bootstrap-etcd"].error
    assert error is not None
    left = next(name for name, vm_id in (("cp-1", 8001), ("cp-3", 8003)) if vm_id not in lost)
    assert sorted(error.evidence) == sorted(
        f"{name}: {'has data, and is not healthy' if name == left else 'waits to join, without data'}"
        for name in ("cp-1", "cp-2", "cp-3")
    )
    assert "invoke cluster.save-etcd" in error.hint
    assert len(held_house.home.talos.etcd.clusters) == 1


def test_a_quorum_that_was_only_switched_off_comes_back_with_its_data(held_house: Running) -> None:
    for vm_id in (8001, 8002):
        held_house.home.proxmox.power(held_house.home.proxmox.vms[vm_id], PowerEvent.STOPPED)
    report = held_house.apply(held_house.bootstrap)
    assert report.exit_code == EXIT_HELD, told(report)
    assert len(held_house.home.talos.etcd.clusters) == 1


def test_a_new_etcd_comes_only_after_every_control_plane_was_lost(held_house: Running) -> None:
    lose(held_house, 8001, 8002, 8003)
    report = held_house.apply(held_house.bootstrap)
    assert report.exit_code == EXIT_HELD, told(report)
    assert len(held_house.home.talos.etcd.clusters) == 2
    assert held_house.verify(held_house.bootstrap).converged


def test_no_control_plane_is_disturbed_while_another_is_missing(held_house: Running) -> None:
    """The consent was given to a healthy house. One voter is dark by the time of the act, and stays so."""
    held_house.home.files.edits += 1
    held_house.home.act("by-hand").machineconfigs.render()
    consent = held_house.consent(held_house.bootstrap)
    assert {act.hazard for act in consent.acts} == {Hazard.DISRUPTS.value}
    machine = held_house.home.talos.at(held_house.house.node("cp-3").address)
    assert machine.etcd_dir is not None
    machine.etcd_dir.broken = "its disk is full"
    held_house.home.talos.etcd.stop(machine)
    report = held_house.apply(held_house.bootstrap, approval=consent)
    assert len(report.root_causes) == 4, told(report)
    assert all("guard.etcd-healthy says no" in str(step.error) for step in report.root_causes), told(report)
    assert {line.verdict for line in held_house.plan(held_house.bootstrap).lines if line.id.startswith("talos.apply-config")} == {
        Planned.UPDATE
    }


def test_with_consent_every_node_gets_its_new_machineconfig_one_after_the_other(held_house: Running) -> None:
    held_house.home.files.edits += 1
    held_house.home.act("by-hand").machineconfigs.render()
    assert held_house.apply(held_house.bootstrap).exit_code == ApprovalMissing.exit_code
    report = held_house.apply(held_house.bootstrap, approval=held_house.consent(held_house.bootstrap))
    assert report.exit_code == EXIT_HELD, told(report)
    assert {line.verdict for line in held_house.plan(held_house.bootstrap).lines} == {Planned.NOOP}
