"""proxmox.grow-disk: a system disk has the size that the settings want, and is never made smaller."""

from __future__ import annotations

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
