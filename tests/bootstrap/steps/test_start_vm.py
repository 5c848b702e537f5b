"""proxmox.start-vm: one VM is switched on."""

from __future__ import annotations

import pytest

from engine.errors import PermanentError
from engine.probe import Condition
from tests.hands import do, see
from tests.scenario.running import Running

STEP = "proxmox.start-vm/cp-1"


def test_a_vm_that_is_off_is_started(with_vms: Running) -> None:
    assert see(with_vms, with_vms.bootstrap, STEP).condition is Condition.MISSING
    do(with_vms, with_vms.bootstrap, STEP)
    assert see(with_vms, with_vms.bootstrap, STEP).condition is Condition.SATISFIED
    assert with_vms.home.proxmox.vms[8001].running


def test_without_the_vm_nothing_can_be_said(bare: Running) -> None:
    assert see(bare, bare.bootstrap, STEP).condition is Condition.UNKNOWN


def test_a_locked_vm_is_waited_for_and_one_that_runs_is_not(with_vms: Running) -> None:
    with_vms.home.proxmox.vms[8001].lock = "backup"
    assert see(with_vms, with_vms.bootstrap, STEP).condition is Condition.CHANGING
    with_vms.home.proxmox.vms[8001].running = True
    assert see(with_vms, with_vms.bootstrap, STEP).condition is Condition.SATISFIED


def test_a_start_that_a_dead_run_left_is_waited_for(with_vms: Running) -> None:
    proxmox = with_vms.home.act("dead-run").proxmox
    ref = proxmox.start_vm("pve-1", 8001)
    seen = see(with_vms, with_vms.bootstrap, STEP)
    assert (seen.condition, seen.evidence) == (Condition.CHANGING, (ref.upid,))
    assert see(with_vms, with_vms.bootstrap, STEP.replace("cp-1", "cp-2")).condition is Condition.MISSING
    with_vms.clock.sleep(60)
    assert see(with_vms, with_vms.bootstrap, STEP).condition is Condition.SATISFIED


def test_a_start_that_fails_says_why(with_vms: Running) -> None:
    with_vms.home.proxmox.hosts["pve-1"].bridges = ()
    with pytest.raises(PermanentError, match="bridge 'vmbr0' does not exist") as failed:
        do(with_vms, with_vms.bootstrap, STEP)
    assert any("bridge 'vmbr0' does not exist" in line for line in failed.value.evidence)
    assert see(with_vms, with_vms.bootstrap, STEP).condition is Condition.MISSING
