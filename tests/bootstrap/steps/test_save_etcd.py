"""etcd.save: what is written is looked at, and is worth an hour; a node without data has nothing to be saved."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.etcd.results import EtcdSnapshot
from bootstrap.etcd_files import COPY, copied_from, file_name
from bootstrap.recover_etcd import saving
from engine.errors import PermanentError
from engine.probe import Condition
from lab.ports.machines.etcd import LabSnapshot
from lab.world.pve.vm import PowerEvent
from tests.hands import do, see
from tests.scenario.running import Running

STEP = "etcd.save/cp-1"


def test_a_copy_off_one_disk_is_none_off_that_of_a_node_whose_name_it_begins_with(built: Running) -> None:
    cp, first = (replace(built.house.node("cp-1"), name=name) for name in ("cp", "cp-1"))
    one = EtcdSnapshot(file_name(first, COPY, built.clock.now()))
    assert copied_from(first, one)
    assert not copied_from(cp, one)
    assert not copied_from(first, replace(one, name=f"{one.name}.gz"))


def test_a_snapshot_of_any_member_is_one_of_all_for_an_hour(built: Running) -> None:
    assert see(built, saving(built.house), STEP).condition is Condition.MISSING
    do(built, saving(built.house), "etcd.save/cp-2")
    assert see(built, saving(built.house), STEP).condition is Condition.SATISFIED
    built.clock.sleep(3601)
    assert see(built, saving(built.house), STEP).condition is Condition.MISSING


def test_a_node_that_does_not_answer_is_unknown_and_not_without_data(built: Running) -> None:
    built.home.proxmox.power(built.home.proxmox.vms[8001], PowerEvent.STOPPED)
    assert see(built, saving(built.house), STEP).condition is Condition.UNKNOWN


def test_a_node_whose_vm_is_gone_has_nothing_to_be_saved_and_one_on_a_dark_host_may_have(built: Running) -> None:
    built.home.proxmox.power(built.home.proxmox.vms[8001], PowerEvent.STOPPED)
    built.home.proxmox.remove(built.home.proxmox.vms[8001])
    seen = see(built, saving(built.house), STEP)
    assert (seen.condition, seen.detail) == (Condition.SATISFIED, "cp-1 has no VM any more: nothing of it is left to be saved")
    built.home.proxmox.host_down("pve-2")
    assert see(built, saving(built.house), "etcd.save/cp-2").condition is Condition.UNKNOWN


def test_what_was_written_and_is_not_sound_is_said(built: Running) -> None:
    do(built, saving(built.house), STEP)
    files = built.home.snapshots.files
    (name,) = files
    built.clock.sleep(3601)
    there = built.home.talos.at(built.house.node("cp-1").address).etcd_dir
    assert there is not None
    there.broken = "page 12 is not what it must be"
    with pytest.raises(PermanentError, match="is not sound: page 12"):
        do(built, saving(built.house), STEP)
    there.broken = ""
    built.clock.sleep(3601)
    files[name] = LabSnapshot(replace(files[name].seen, written=built.clock.now(), problem="its hash does not fit"))
    assert see(built, saving(built.house), STEP).condition is Condition.MISSING
