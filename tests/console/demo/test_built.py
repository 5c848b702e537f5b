"""A scenario that begins in a built house: the tool builds it first, then its troubles begin, or it is told why they do not."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from console.demo.built import build
from console.demo.driving import Driver, Verb
from engine.errors import PermanentError
from lab.houses.nouns import FOUR_NODES, HouseFolder
from lab.running.control import ask
from lab.running.starting import start, stop
from lab.scenarios import SCENARIOS, known
from tests.contract.apiserver import needed

LOST = SCENARIOS["etcd-quorum-lost"]


class Heard:
    """What a house was told, in order, by a tool whose verbs end with the given codes."""

    def __init__(self, **codes: int) -> None:
        self.codes = codes
        self.told: list[str] = []

    def run(self, verb: str) -> Verb:
        self.told.append(verb)
        failed = {"id": "talos.bootstrap-etcd", "outcome": "failed", "detail": "no member answers"}
        return Verb(self.codes.get(verb.partition(".")[2], 0), {"steps": [failed]})

    def tell(self, message: dict[str, Any]) -> None:
        self.told.append(f"{message['do']} {message['name']} {message['target']}")


def test_the_house_is_built_and_filled_before_its_troubles_begin() -> None:
    heard, said = Heard(bootstrap=6), list[str]()
    build(LOST, heard.run, heard.tell, said.append, "invoke lab.down")
    assert heard.told == ["cluster.bootstrap", "dr.restore", "trouble vm-gone cp-2", "trouble vm-gone cp-3"]
    assert said[-1] == "vm-gone cp-3 begins: its VM and its disks are gone"


def test_a_house_that_could_not_be_built_gets_no_trouble_and_says_why() -> None:
    heard = Heard(bootstrap=30)
    with pytest.raises(PermanentError, match=r"cluster\.bootstrap ended with 30") as refused:
        build(LOST, heard.run, heard.tell, lambda line: None, "invoke lab.down")
    assert heard.told == ["cluster.bootstrap"]
    assert refused.value.evidence == ("talos.bootstrap-etcd: no member answers",)
    assert refused.value.next_command == "invoke lab.down"


def test_a_scenario_of_bare_hosts_runs_no_verb() -> None:
    heard = Heard()
    build(SCENARIOS["all-vms-gone"], heard.run, heard.tell, lambda line: None, "invoke lab.down")
    assert heard.told == []


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[HouseFolder]:
    needed("talosctl", "talhelper", "kubectl", "helm", "helmfile", "sops", "restic", "etcd", "kube-apiserver", "volsync")
    folder = HouseFolder(tmp_path / "four-nodes")
    yield folder
    stop("four-nodes", folder)


@pytest.mark.programs
@pytest.mark.houses
@pytest.mark.long
def test_control_planes_are_lost_out_of_a_house_that_was_built_and_used(folder: HouseFolder) -> None:
    """One by its scenario; with what the other adds, etcd's quorum is lost in the same house."""
    one, driver = known("one-control-plane-lost", FOUR_NODES), Driver(folder.settings)
    start("four-nodes", one.name, 20.0, folder)
    build(one, driver.run, partial(ask, folder.control), lambda line: None, "invoke lab.down")
    assert [vm["id"] for vm in ask(folder.control, {"do": "status"})["vms"]] == [8001, 8002, 8004]
    verify = driver.run("cluster.verify")
    assert "proxmox.create-vm/cp-3" in verify.steps("failed"), verify.result
    assert "preflight.quorum" in verify.steps("ok"), verify.result
    for name, target in set(LOST.troubles) - set(one.troubles):
        ask(folder.control, {"do": "trouble", "name": name, "target": target})
    assert [vm["id"] for vm in ask(folder.control, {"do": "status"})["vms"]] == [8001, 8004]
    verify = driver.run("cluster.verify")
    assert {"proxmox.create-vm/cp-2", "proxmox.create-vm/cp-3"} <= set(verify.steps("failed")), verify.result
    assert "talos.bootstrap-etcd" not in verify.steps("ok"), verify.result
