"""cluster.replace-node, save-etcd and recover-etcd as typed: planned first, with what is given up, then done by consent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bootstrap.recover_etcd import saving
from console.ending import guarded
from console.session import Session
from console.verbs.cluster import losses
from engine import errors
from tests.console.modelled_doors import Desk
from tests.scenario.loss.test_replace_node import gone, off, spendable


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk.bootstrapped(tmp_path, nodes=spendable().nodes)
    made.running.home.look().cluster.nodes()
    return made


def result(shown: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(shown.splitlines()[-1])["result"]
    return found


def lines(shown: str) -> dict[str, dict[str, str]]:
    found = result(shown)["lines"]
    assert isinstance(found, list)
    return {line["id"]: line for line in found}


def typed(desk: Desk, verb: str, *words: str) -> int:
    """One of the two that act by consent, as JSON."""

    def body(session: Session) -> int:
        return losses.replace_of(session, *words) if verb.endswith("node") else losses.recover_of(session, *words)

    return guarded(verb, True, lambda: body(desk.session(verb, json=True)))


def test_a_lost_node_is_planned_with_what_its_consent_names(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    off(desk.running, "cp-2")
    assert typed(desk, "cluster.replace-node", "cp-2", "") == errors.EXIT_PLAN_HAS_CHANGES
    shown = lines(capsys.readouterr().out)
    assert shown["node.give-up/cp-2"]["verdict"] == "update"
    assert shown["proxmox.create-vm/cp-2"]["verdict"] == "known after"
    assert 8002 in desk.running.home.proxmox.vms


def test_a_node_that_the_house_has_not_is_refused_with_those_it_has(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed(desk, "cluster.replace-node", "cp-9", "") == errors.SettingsInvalid.exit_code
    assert "cp-9 is no node of this house" in capsys.readouterr().out


def test_an_etcd_that_works_is_saved_and_not_recovered(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.session("cluster.save-etcd", json=True).apply(saving(desk.running.house)) == errors.EXIT_OK
    assert desk.running.home.look().etcd.kept()
    assert typed(desk, "cluster.recover-etcd", "", "") == errors.EXIT_OK
    assert lines(capsys.readouterr().out)["preflight.standstill"]["detail"].startswith("etcd works, 3 of 3")


@pytest.mark.parametrize("name", ["x" * 300, "~nobody-of-this-name/etcd.snapshot", "no/such/file"])
def test_no_name_of_a_snapshot_is_worse_than_an_answer(desk: Desk, capsys: pytest.CaptureFixture[str], name: str) -> None:
    gone(desk.running, "cp-2", "cp-3")
    assert desk.session("cluster.save-etcd", json=True).apply(saving(desk.running.house)) == errors.EXIT_OK
    capsys.readouterr()
    assert typed(desk, "cluster.recover-etcd", name, "") != errors.EXIT_OK
    assert "is not sound: it cannot be read" in lines(capsys.readouterr().out)["preflight.snapshot"]["detail"]


def test_a_recovery_begins_on_one_that_answers_and_takes_the_file_that_is_named(
    desk: Desk, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    gone(desk.running, "cp-1", "cp-2")
    desk.running.apply(saving(desk.running.house))
    assert typed(desk, "cluster.recover-etcd", "", "") == errors.EXIT_PLAN_HAS_CHANGES
    shown = lines(capsys.readouterr().out)
    assert shown["preflight.snapshot"]["detail"].startswith("cp-3-")
    assert shown["etcd.recover"]["verdict"] == "update"
    assert typed(desk, "cluster.recover-etcd", str(tmp_path / "none"), "") == errors.EXIT_PLAN_HAS_CHANGES
    assert f"{tmp_path}/none is not sound" in lines(capsys.readouterr().out)["preflight.snapshot"]["detail"]
