"""proxmox.create-vm: one VM per node, known by token and id; never somebody else's, never changed once it exists."""

from __future__ import annotations

import pytest

from engine.errors import PermanentError
from engine.probe import Condition
from lab.world.pve.vm import LabVm
from tests.builders import GIB
from tests.hands import do, see, step
from tests.scenario.running import Running

STEP = "proxmox.create-vm/cp-1"


def test_a_free_id_is_missing_and_the_vm_that_is_made_is_the_one_that_was_wanted(with_vms: Running) -> None:
    with_vms.home.proxmox.remove(with_vms.home.proxmox.vms[8001])
    assert see(with_vms, with_vms.bootstrap, STEP).condition is Condition.MISSING
    notes = do(with_vms, with_vms.bootstrap, STEP)
    assert notes.written["task"].startswith("UPID:pve-1:")
    seen = see(with_vms, with_vms.bootstrap, STEP)
    assert (seen.condition, seen.detail) == (Condition.SATISFIED, "VM 8001 is ours")
    made = with_vms.home.proxmox.vms[8001]
    assert (made.name, made.host, made.cores, made.memory) == ("cp-1", "pve-1", 4, 8 * GIB)
    assert made.macs == ("bc:24:11:00:00:01",)
    assert "blackstart:5f1d7c2a9e:cp-1" in str(made.options["description"])
    assert not made.running


@pytest.mark.parametrize(
    ("option", "value", "path"), [("cores", 2, "cores"), ("memory", "4096", "memory")]
)
def test_what_differs_is_told_as_a_path_without_its_value(with_vms: Running, option: str, value: str, path: str) -> None:
    with_vms.home.proxmox.vms[8001].options[option] = value
    seen = see(with_vms, with_vms.bootstrap, STEP)
    assert seen.condition is Condition.DRIFTED
    assert seen.evidence == (path,)


def test_a_lost_disk_and_a_smaller_data_disk_are_drift_and_a_larger_one_is_not(with_vms: Running) -> None:
    vm = with_vms.home.proxmox.vms[8001]
    data = vm.drives["scsi1"].volume
    assert data is not None
    data.size = 60 * GIB
    assert see(with_vms, with_vms.bootstrap, STEP).condition is Condition.SATISFIED
    data.size = 40 * GIB
    assert see(with_vms, with_vms.bootstrap, STEP).evidence == ("scsi1.size",)
    del vm.drives["scsi1"]
    assert see(with_vms, with_vms.bootstrap, STEP).evidence == ("scsi1",)


def test_a_vm_that_differs_is_never_changed(with_vms: Running) -> None:
    with_vms.home.proxmox.vms[8001].options["cores"] = 2
    with_vms.home.world.faults.forget()
    with pytest.raises(PermanentError, match="exists and differs") as refused:
        do(with_vms, with_vms.bootstrap, STEP)
    assert refused.value.evidence == ("cores",)
    assert with_vms.home.proxmox.vms[8001].cores == 2


def test_a_lock_means_that_somebody_is_at_it(with_vms: Running) -> None:
    with_vms.home.proxmox.vms[8001].lock = "clone"
    assert see(with_vms, with_vms.bootstrap, STEP).condition is Condition.CHANGING


def test_a_host_that_is_down_hides_its_vms(with_vms: Running) -> None:
    with_vms.home.proxmox.host_down("pve-1")
    assert see(with_vms, with_vms.bootstrap, STEP).condition is Condition.UNKNOWN
    assert see(with_vms, with_vms.bootstrap, "proxmox.create-vm/cp-2").condition is Condition.SATISFIED


class TestNeverTheWrongMachine:
    def test_somebody_else_s_vm_at_our_id(self, bare: Running) -> None:
        bare.home.proxmox.vms[8001] = LabVm(8001, "pve-1", {"name": "desktop"}, {}, {})
        with pytest.raises(PermanentError, match="is not ours") as refused:
            see(bare, bare.bootstrap, STEP)
        assert "name desktop" in refused.value.evidence
        assert "blackstart:5f1d7c2a9e:cp-1" in refused.value.hint

    def test_our_token_at_another_id(self, with_vms: Running) -> None:
        vm = with_vms.home.proxmox.vms.pop(8001)
        vm.vm_id = 9001
        with_vms.home.proxmox.vms[9001] = vm
        with pytest.raises(PermanentError, match="on another VM than 8001"):
            see(with_vms, with_vms.bootstrap, STEP)

    def test_a_clone_that_carries_our_token_too(self, with_vms: Running) -> None:
        mine = with_vms.home.proxmox.vms[8001]
        with_vms.home.proxmox.vms[9001] = LabVm(9001, "pve-2", dict(mine.options), {}, {})
        with pytest.raises(PermanentError, match="on another VM than 8001") as refused:
            see(with_vms, with_vms.bootstrap, STEP)
        assert any("VM 9001" in line for line in refused.value.evidence)


def test_by_hand_makes_the_same_vm(bare: Running) -> None:
    command = step(bare.bootstrap, STEP).by_hand()
    for part in ("qm create 8001", "--cores 4", "--memory 8192", "import-from=local:import/talos-v1.13.9", ":5f1d7c2a9e:cp-1"):
        assert part in command
