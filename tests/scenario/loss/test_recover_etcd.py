"""etcd without a majority: saved, made again from the newest that is sound, what is lost said before, what is newer told after."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.etcd.results import EtcdSnapshot
from adapters.talos.results import EtcdState
from bootstrap.checks.etcd.recoverable import newest
from bootstrap.recover_etcd import course, saving
from bootstrap.steps.recover_etcd import Recovered
from cluster.course import Course
from engine.errors import ApprovalMissing, TransientError
from engine.plan import Planned
from engine.report import Outcome
from lab.ports.machines.etcd import ModelledEtcd
from lab.ports.machines.talos import ModelledTalos
from tests.hands import Notebook, see, step
from tests.scenario.bootstrap.test_bootstrap import told
from tests.scenario.loss.test_replace_node import gone, machine, members, off, spendable
from tests.scenario.running import Running


@pytest.fixture
def built(tmp_path: Path) -> Running:
    """A house after its bootstrap."""
    house = Running.bootstrapped(tmp_path / "state", spendable())
    house.home.look().cluster.nodes()
    return house


def recovering(house: Running, name: str = "", on: str = "cp-1") -> Course:
    """From the newest that is kept, as the verb does, or from the one of this name."""
    look = house.home.look().etcd
    snapshot: EtcdSnapshot | None = look.look(name) if name else newest(look.kept())
    return course(house.house, snapshot, house.house.node(on))


def saved(house: Running) -> list[str]:
    """Save what can be; answers the names of what is kept then."""
    report = house.apply(saving(house.house))
    assert report.converged, told(report)
    return [one.name for one in house.home.look().etcd.kept()]


def test_a_working_etcd_is_saved_once_an_hour_and_not_once_a_member(built: Running) -> None:
    before = list(built.home.world.happenings)
    names = saved(built)
    assert {name.rpartition(".")[2] for name in names} == {"snapshot"}
    assert saved(built) == names
    built.clock.sleep(3700)
    assert len(saved(built)) > len(names)
    assert not [one for one in built.home.world.happenings[len(before) :] if "wiped" in one.what]


@pytest.mark.parametrize("lost", [("cp-2", "cp-3"), ("cp-1", "cp-2")])
def test_two_of_three_lost_and_the_third_ones_disk_brings_all_back(built: Running, lost: tuple[str, str]) -> None:
    built.home.kube.objects().namespaces.add("since-the-beginning")
    gone(built, *lost)
    (survivor,) = {"cp-1", "cp-2", "cp-3"} - set(lost)
    (copy,) = saved(built)
    assert copy.startswith(f"{survivor}-")
    recovery = recovering(built, on=survivor)
    refused = built.apply(recovery)
    assert refused.exit_code == ApprovalMissing.exit_code, told(refused)
    assert len(built.home.talos.etcd.clusters) == 1
    report = built.apply(recovery, built.consent(recovery))
    assert not report.root_causes, told(report)
    _, new = built.home.talos.etcd.clusters
    assert sorted(one.hostname for one in new.voters()) == ["cp-1", "cp-2", "cp-3"]
    assert "since-the-beginning" in built.home.kube.objects().namespaces
    assert {line.verdict for line in built.plan(recovering(built, on=survivor)).lines} <= {Planned.NOOP, Planned.WARNING}
    assert {line.verdict for line in built.plan(built.bootstrap).lines} == {Planned.NOOP}


def test_all_control_planes_lost_and_a_snapshot_from_before_brings_it_back(built: Running) -> None:
    built.home.kube.objects().namespaces.add("before")
    (name, *_) = saved(built)
    built.clock.sleep(3 * 3600)
    built.home.kube.objects().namespaces.add("after")
    gone(built, "cp-1", "cp-2", "cp-3")
    first = built.apply(recovering(built))
    assert first.exit_code == ApprovalMissing.exit_code, told(first)
    (act,) = built.plan(recovering(built)).acts
    assert f"{name}: as of" in act.words.replace("cp-3", "cp-1").replace("cp-2", "cp-1") or "as of" in act.words
    assert "3.0 h ago" in act.words, act.words
    assert "what was written after that is lost" in act.words
    report = built.apply(recovering(built), built.consent(recovering(built)))
    assert not report.root_causes, told(report)
    there = built.home.kube.objects().namespaces
    assert "before" in there
    assert "after" not in there


def test_the_consent_says_what_goes_from_the_disks_and_how_old_the_snapshot_is(built: Running) -> None:
    gone(built, "cp-2", "cp-3")
    (copy,) = saved(built)
    (act,) = built.plan(recovering(built)).acts
    assert act.words.startswith(f"etcd is made again from {copy}: as of ")
    assert "a copy off a disk, without a hash" in act.words
    assert "EPHEMERAL of cp-1 is emptied: etcd's data (copied first), images, logs" in act.words


def test_what_was_backed_up_since_the_snapshot_is_told_and_stops_nothing(built: Running) -> None:
    saved(built)
    built.clock.sleep(2 * 3600)
    built.backed_up()
    gone(built, "cp-1", "cp-2", "cp-3")
    built.apply(recovering(built))
    report = built.apply(recovering(built), built.consent(recovering(built)))
    told_after = report["etcd.moved-past"]
    assert any("apps/notes was backed up 60 min later" in line for line in told_after.evidence), told_after
    assert not report.root_causes, told(report)


def test_one_that_comes_to_life_while_its_data_are_copied_is_not_wiped(built: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    gone(built, "cp-2", "cp-3")
    saved(built)
    recovery = recovering(built)
    seen = see(built, recovery, "etcd.recover")
    copy, state = ModelledEtcd.copy, ModelledTalos.etcd

    def alive(port: ModelledTalos, address: str) -> EtcdState:
        return replace(state(port, address), healthy=True)

    def slow(port: ModelledEtcd, address: str, name: str) -> None:
        copy(port, address, name)
        monkeypatch.setattr(ModelledTalos, "etcd", alive)

    wiped: list[str] = []
    monkeypatch.setattr(ModelledEtcd, "copy", slow)
    monkeypatch.setattr(ModelledEtcd, "wipe", lambda port, address: wiped.append(address))
    with pytest.raises(TransientError, match="an etcd lives by now"):
        step(recovery, "etcd.recover").apply(built.home.act("by-hand"), seen, Notebook())
    assert wiped == []


def test_what_answers_by_now_and_was_not_named_is_not_emptied(built: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    gone(built, "cp-2", "cp-3")
    saved(built)
    recovery, wiped = recovering(built), list[str]()
    seen = see(built, recovery, "etcd.recover")
    monkeypatch.setattr(ModelledEtcd, "wipe", lambda port, address: wiped.append(address))
    one = seen.identity
    assert isinstance(one, Recovered) and one.emptied == ("cp-1",)
    other = replace(seen, identity=replace(one, emptied=("cp-2",)))
    with pytest.raises(TransientError, match="not what was consented to"):
        step(recovery, "etcd.recover").apply(built.home.act("by-hand"), other, Notebook())
    assert wiped == []


def test_an_etcd_that_works_is_left_as_it_is(built: Running) -> None:
    saved(built)
    before = members(built)
    report = built.apply(recovering(built))
    assert not [step for step in report.steps if step.outcome is Outcome.CHANGED]
    assert report["preflight.standstill"].detail == "etcd works, 3 of 3; 1 more may be lost: nothing is recovered over it"
    assert members(built) == before


def test_a_node_that_comes_back_in_between_stops_it_before_anything_is_wiped(built: Running) -> None:
    off(built, "cp-2", "cp-3")
    assert built.apply(saving(built.house))["etcd.save/cp-1"].outcome is Outcome.CHANGED
    gone(built, "cp-2")
    line = built.plan(recovering(built))["preflight.standstill"]
    assert line.detail == "cp-3 is off, and may still have etcd's data: with a majority of them nothing is lost"
    assert not built.plan(recovering(built)).acts
    assert machine(built, "cp-1").etcd_dir is not None
