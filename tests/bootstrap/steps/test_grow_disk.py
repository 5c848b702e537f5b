"""proxmox.grow-disk: a system disk has the size that the settings want, and is never made smaller."""

from __future__ import annotations

import pytest

from engine.errors import EXIT_HELD, TransientError
from engine.probe import Condition
from tests.builders import GIB
from tests.hands import do, see
from tests.scenario.running import Running

STEP = "proxmox.grow-disk/cp-1-scsi0"


def test_an_imported_disk_is_too_small_and_grows(with_vms: Running) -> None:
    assert see(with_vms, with_vms.bootstrap, STEP).condition is Condition.MISSING
    do(with_vms, with_vms.bootstrap, STEP)
    seen = see(with_vms, with_vms.bootstrap, STEP)
    assert (seen.condition, seen.detail) == (Condition.SATISFIED, "20480 MiB")


def test_a_larger_disk_is_left_as_it_is(with_vms: Running) -> None:
    volume = with_vms.home.proxmox.vms[8001].drives["scsi0"].volume
    assert volume is not None
    volume.size = 64 * GIB
    assert see(with_vms, with_vms.bootstrap, STEP).condition is Condition.SATISFIED


def test_data_disks_are_nobody_s_business_here(with_vms: Running) -> None:
    assert [each.id for each in with_vms.bootstrap.steps if "grow-disk" in each.id and each.id.endswith("scsi1")] == []


def test_without_the_vm_or_the_disk_nothing_can_be_said(with_vms: Running) -> None:
    del with_vms.home.proxmox.vms[8001].drives["scsi0"]
    assert see(with_vms, with_vms.bootstrap, STEP).condition is Condition.UNKNOWN
    del with_vms.home.proxmox.vms[8001]
    assert see(with_vms, with_vms.bootstrap, STEP).condition is Condition.UNKNOWN


def test_a_locked_vm_is_waited_for(with_vms: Running) -> None:
    with_vms.home.proxmox.vms[8001].lock = "backup"
    assert see(with_vms, with_vms.bootstrap, STEP).condition is Condition.CHANGING


def test_a_grow_that_broke_off_is_taken_as_done_and_the_command_that_mends_the_configuration_is_told(with_vms: Running) -> None:
    pve = with_vms.home.proxmox
    for host, vm_id in (("pve-3", 8003), ("pve-4", 8004)):
        pve.vms[vm_id].options["onboot"] = 0
        pve.host_down(host)
    ref = with_vms.home.act("dead-run").proxmox.grow_disk("pve-1", 8001, "scsi0", 20 * GIB)
    with_vms.clock.sleep(60)
    assert "Permission denied" in with_vms.home.look().proxmox.task(ref).exit_status
    for host in ("pve-3", "pve-4"):
        pve.host_up(host)
    seen = see(with_vms, with_vms.bootstrap, STEP)
    assert seen.condition is Condition.SATISFIED
    assert seen.detail.endswith("its configuration says 4352 MiB, which this mends: qm disk rescan --vmid 8001")
    report = with_vms.apply(with_vms.bootstrap)
    assert report.exit_code == EXIT_HELD, [(line.id, line.error) for line in report.root_causes]


@pytest.mark.parametrize("step", [STEP, "proxmox.start-vm/cp-1", "proxmox.create-vm/cp-1"])
def test_without_quorum_nothing_is_sent(with_vms: Running, step: str) -> None:
    """A grow would grow the image, and then fail."""
    if "create" in step:
        del with_vms.home.proxmox.vms[8001]
    for host in ("pve-3", "pve-4"):
        with_vms.home.proxmox.host_down(host)
    reached = len(with_vms.home.world.happenings)
    with pytest.raises(TransientError, match="nothing was sent"):
        do(with_vms, with_vms.bootstrap, step)
    assert len(with_vms.home.world.happenings) == reached
