"""A node that is lost for good in a house that lives: what is given up by which consent, and what is there afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bootstrap.replace_node import course
from cluster.course import Course
from engine.errors import ApprovalMissing
from engine.plan import Planned
from engine.probe import Condition
from engine.report import Outcome
from house.model import DiskFate
from house.model import House as HouseModel
from lab.world.machines.machine import Machine
from lab.world.pve.vm import PowerEvent
from tests.builders import a_house
from tests.hands import see
from tests.scenario.bootstrap.test_bootstrap import told
from tests.scenario.running import Running


def spendable() -> HouseModel:
    """The sample house, whose data disks may be made anew."""
    house = a_house()
    return replace(house, nodes=tuple(
        replace(node, disks=tuple(replace(disk, fate=DiskFate.CREATE) for disk in node.disks)) for node in house.nodes
    ))  # fmt: skip


@pytest.fixture
def built(tmp_path: Path) -> Running:
    """A house after its bootstrap, every node Ready."""
    return Running.bootstrapped(tmp_path / "state", spendable())


def replacing(house: Running, name: str) -> Course:
    return course(house.house, house.house.node(name))


def machine(house: Running, name: str) -> Machine:
    return house.home.talos.at(house.house.node(name).address)


def off(house: Running, *names: str) -> None:
    """Their VMs are dead: they do not run, and would not boot."""
    for name in names:
        house.home.proxmox.power(house.home.proxmox.vms[house.house.node(name).vm_id], PowerEvent.STOPPED)


def gone(house: Running, *names: str) -> None:
    """Their VMs and disks are gone."""
    off(house, *names)
    for name in names:
        house.home.proxmox.remove(house.home.proxmox.vms[house.house.node(name).vm_id])


def members(house: Running) -> dict[str, str]:
    """Hostname → id in the one etcd."""
    (etcd,) = house.home.talos.etcd.clusters
    assert not any(member.learner for member in etcd.members.values())
    return {member.hostname: f"{member.member_id:016x}" for member in etcd.members.values()}


def uids(house: Running) -> dict[str, str]:
    return {node.name: node.uid for node in house.home.look().cluster.nodes()}


@pytest.mark.parametrize("lose", [off, gone])
@pytest.mark.parametrize("name", ["cp-1", "cp-2", "w-1"])
def test_a_lost_node_is_made_anew_by_one_consent_and_nothing_else_is_touched(
    built: Running, name: str, lose: Callable[..., None]
) -> None:
    before, nodes = members(built), uids(built)
    lose(built, name)
    refused = built.apply(replacing(built, name))
    assert refused.exit_code == ApprovalMissing.exit_code, told(refused)
    assert members(built) == before
    report = built.apply(replacing(built, name), built.consent(replacing(built, name)))
    assert report.converged, told(report)
    after, now = members(built), uids(built)
    assert set(after) == set(before) == {"cp-1", "cp-2", "cp-3"}
    assert {one for one in after if after[one] != before[one]} == ({name} - {"w-1"})
    assert {one for one in now if now[one] != nodes[one]} == {name}
    assert {line.verdict for line in built.plan(replacing(built, name)).lines} == {Planned.NOOP}
    assert {line.verdict for line in built.plan(built.bootstrap).lines} == {Planned.NOOP}


def test_a_node_whose_machineconfig_cannot_be_made_is_not_given_up(built: Running) -> None:
    before = members(built)
    off(built, "cp-2")
    built.home.files.edits += 1
    built.home.files.render_problem = "cp-2: unknown keys found"
    report = built.apply(replacing(built, "cp-2"), built.consent(replacing(built, "cp-2")))
    assert report["preflight.machineconfigs"].detail.endswith("machineconfigs cannot be made: cp-2: unknown keys found")
    assert members(built) == before
    assert built.home.proxmox.vms[built.house.node("cp-2").vm_id]


def test_the_consent_says_what_goes_and_how_etcd_stands_before_and_after(built: Running) -> None:
    off(built, "cp-2")
    (act,) = built.plan(replacing(built, "cp-2")).acts
    assert act.words == (
        "cp-2: VM 8002 on pve-2 is destroyed, with scsi0 20 GiB, scsi1 50 GiB; its Node object is deleted, and what ran there may "
        f"start elsewhere; member {members(built)['cp-2']} leaves etcd: now 2 of 3; one more loss stops it. "
        "Then 2 of 2; one more loss stops it, until cp-2 has joined again"
    )


def test_nobody_takes_part_in_an_etcd_that_is_not_whole(built: Running) -> None:
    assert see(built, replacing(built, "cp-1"), "kubernetes.joined/cp-1").condition is Condition.SATISFIED
    off(built, "cp-2")
    assert see(built, replacing(built, "cp-1"), "kubernetes.joined/cp-1").condition is not Condition.SATISFIED


def test_a_node_that_lives_is_left_as_it_is(built: Running) -> None:
    report = built.apply(replacing(built, "cp-2"))
    assert report.converged, told(report)
    assert not [step for step in report.steps if step.outcome is Outcome.CHANGED]


def test_a_consent_to_one_loss_is_none_to_the_next(built: Running) -> None:
    off(built, "cp-2")
    consent = built.consent(replacing(built, "cp-2"))
    assert built.apply(replacing(built, "cp-2"), consent).converged
    off(built, "cp-2")
    report = built.apply(replacing(built, "cp-2"), consent)
    assert report.exit_code == ApprovalMissing.exit_code, told(report)
    assert 8002 in built.home.proxmox.vms


def test_a_node_of_a_dead_host_is_made_elsewhere_once_the_settings_say_where(built: Running) -> None:
    before = members(built)
    built.home.proxmox.host_down("pve-2")
    (line,) = [one for one in built.plan(replacing(built, "cp-2")).lines if one.id == "preflight.lost/cp-2"]
    assert "host: pve-1 and vm_id: 8005 for cp-2 in blackstart.yaml" in line.hint, line
    moved = replace(built.house.node("cp-2"), host="pve-1", vm_id=8005)
    nodes = tuple(moved if node.name == "cp-2" else node for node in built.house.nodes)
    built.house = replace(built.house, nodes=nodes)
    (act,) = built.plan(replacing(built, "cp-2")).acts
    assert "VM 8002 (cp-2) on pve-2, which is offline, must not start again" in act.words
    report = built.apply(replacing(built, "cp-2"), built.consent(replacing(built, "cp-2")))
    assert report.converged, told(report)
    assert built.home.proxmox.vms[8005].host == "pve-1"
    assert members(built).keys() == before.keys()
    assert members(built)["cp-2"] != before["cp-2"]
