"""node.give-up: what is left of a lost node goes in one order, and never what has come up again since the consent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.proxmox.results import TaskRef
from adapters.talos.results import Phase
from bootstrap.replace_node import course
from cluster.inventory import take
from engine.errors import ApprovalMissing, TransientError
from engine.probe import Condition
from house.known.inventory import inventory_path
from house.known.inventory_text import write_inventory
from lab.ports.kubernetes.cluster import ModelledCluster
from lab.ports.machines.proxmox import ModelledProxmox
from lab.ports.machines.talos import ModelledTalos
from lab.world.disks import DiskContents
from lab.world.pve.vm import PowerEvent
from tests.hands import Notebook, see, step
from tests.scenario.loss.test_replace_node import built as built
from tests.scenario.loss.test_replace_node import members, off, replacing, spendable
from tests.scenario.running import Running

STEP = "node.give-up/cp-2"


def test_what_was_consented_to_is_looked_at_again_before_anything_goes(built: Running) -> None:
    off(built, "cp-2")
    built.home.look().cluster.nodes()
    seen = see(built, replacing(built, "cp-2"), STEP)
    assert seen.condition is Condition.DRIFTED
    built.home.proxmox.power(built.home.proxmox.vms[8002], PowerEvent.STARTED)
    built.clock.sleep(60)
    built.home.world.faults.forget()
    with pytest.raises(TransientError, match="not what was consented to"):
        step(replacing(built, "cp-2"), STEP).apply(built.home.act("by-hand"), seen, Notebook())
    assert 8002 in built.home.proxmox.vms
    assert see(built, replacing(built, "cp-2"), STEP).condition is Condition.SATISFIED


def test_what_comes_up_once_its_vm_is_gone_keeps_its_node_and_its_member(built: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    off(built, "cp-2")
    built.home.look().cluster.nodes()
    seen, before = see(built, replacing(built, "cp-2"), STEP), members(built)
    destroy = ModelledProxmox.destroy_vm

    def successor(port: ModelledProxmox, host: str, vm_id: int) -> TaskRef:
        monkeypatch.setattr(ModelledTalos, "phase", lambda *_: Phase.MAINTENANCE)
        return destroy(port, host, vm_id)

    monkeypatch.setattr(ModelledProxmox, "destroy_vm", successor)
    with pytest.raises(TransientError, match="cp-2 answers by now"):
        step(replacing(built, "cp-2"), STEP).apply(built.home.act("by-hand"), seen, Notebook())
    assert "cp-2" in {node.name for node in built.home.look().cluster.nodes()}
    assert members(built) == before


def test_a_disk_that_came_since_the_inventory_was_written_is_in_the_consent(tmp_path: Path) -> None:
    """What goes with the VM: the same plan again names it, and the consent of before is to something else."""
    house = Running(tmp_path / "state", replace(spendable(), settings_file=tmp_path / "blackstart.yaml"))
    house.backed_up()
    assert house.apply(house.bootstrap).converged
    write_inventory(inventory_path(house.house), take(house.home.look(), house.house).seen)
    off(house, "cp-2")
    consent = house.consent(replacing(house, "cp-2"))
    drive = house.home.proxmox.vms[8002].drives["scsi1"]
    storage = house.home.proxmox.storages.find("pve-2", "local-lvm")
    assert storage is not None
    drive.volume = storage.new_disk(8002, 50 << 30, 0.0, DiskContents())
    assert house.apply(replacing(house, "cp-2"), consent).exit_code == ApprovalMissing.exit_code
    assert 8002 in house.home.proxmox.vms
    evidence = see(house, replacing(house, "cp-2"), STEP).evidence
    assert [line for line in evidence if line.startswith("scsi1 ") and "is not in the inventory" in line], evidence
    report = house.apply(replacing(house, "cp-2"), house.consent(replacing(house, "cp-2")))
    assert report.converged, report.root_causes


def test_the_member_goes_last_for_the_consent_is_to_it(built: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    off(built, "cp-2")
    built.home.look().cluster.nodes()
    seen, before = see(built, replacing(built, "cp-2"), STEP), members(built)
    monkeypatch.setattr(ModelledCluster, "forget_node", lambda *_: None)
    with pytest.raises(TransientError, match="its VM or its Node object is still there"):
        step(replacing(built, "cp-2"), STEP).apply(built.home.act("by-hand"), seen, Notebook())
    assert 8002 not in built.home.proxmox.vms
    assert members(built) == before


def test_its_commands_are_of_its_kind(built: Running) -> None:
    control_plane = step(replacing(built, "cp-2"), STEP).by_hand()
    worker = step(course(built.house, built.house.node("w-1")), "node.give-up/w-1").by_hand()
    assert "etcd remove-member" in control_plane
    assert "etcd" not in worker
    assert "kubectl delete node w-1" in worker
