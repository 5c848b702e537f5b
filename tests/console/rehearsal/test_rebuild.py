"""dr.rehearse --bootstrap through a session: exit code by the verdict, what stops a rebuild first, and what nobody looked at."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from console.ending import guarded
from console.pastdrills import past_drills
from console.verbs.dr.rebuild import VERB, ends_of, rebuild_of
from console.verbs.dr.rehearse import rehearse
from engine.errors import EXIT_OK, EXIT_REHEARSAL_FAIL, EXIT_REHEARSAL_UNVERIFIED, EXIT_STEP_FAILED, SettingsInvalid
from house.values.afterwards import Evidence
from rehearsal.rebuilding import NOT_LOOKED_AT
from tests.builders import a_house
from tests.cluster.lint.made import NOW
from tests.cluster.lint.test_endings import a_certificate
from tests.console.modelled_doors import Desk
from tests.console.printed import Printed, last_line


@pytest.fixture
def living(held_desk: Desk) -> Desk:
    """A house that was built, whose settings name no file of an authority."""
    return held_desk


def red(told: dict[str, object]) -> list[tuple[str, str]]:
    assert isinstance(told["rows"], list)
    return [(row["id"], row["detail"]) for row in told["rows"] if row["verdict"] != "PASS" and row["stops"]]


def rebuilt(desk: Desk, *lacks: tuple[str, bool], json_: bool = True, report: str = "") -> int:
    session = replace(desk.session(VERB, json=json_), report=report)
    return guarded(VERB, json_, lambda: rebuild_of(session, lambda: lacks))


@pytest.fixture(autouse=True)
def no_file_of_an_authority(living: Desk) -> None:
    """The sample house names one that is not there."""
    running = living.running
    house, access = running.house, running.house.proxmox
    endpoints = tuple(replace(one, ca_file="") for one in access.endpoints)
    claims = tuple(replace(claim, ca_file="") for claim in house.claims)
    running.house = replace(house, claims=claims, proxmox=replace(access, endpoints=endpoints))


def test_what_could_be_rebuilt_is_a_pass_and_says_what_was_not_looked_at(living: Desk, capsys: Printed) -> None:
    code, told = rebuilt(living), last_line(capsys)
    assert (code, red(told)) == (EXIT_OK, [])
    assert (told["verb"], told["outcome"], told["simulated"]) == (VERB, "PASS", True)
    assert told["not_looked_at"] == list(NOT_LOOKED_AT)


@pytest.mark.parametrize(("known", "code"), [(True, EXIT_REHEARSAL_FAIL), (False, EXIT_REHEARSAL_UNVERIFIED)])
def test_its_verdict_is_its_exit_code(living: Desk, capsys: Printed, known: bool, code: int) -> None:
    assert rebuilt(living, ("the deploy key: env:DEPLOY_KEY is not set", known)) == code
    told = last_line(capsys)
    assert isinstance(told["rows"], list)
    first = told["rows"][0]
    assert (first["id"], first["evidence"]) == ("rebuild.secrets", ["the deploy key: env:DEPLOY_KEY is not set"])


def test_what_stops_it_stands_first_on_the_screen(living: Desk, capsys: Printed) -> None:
    living.running.home.files.render_problem = "cp-1: unknown field machine.kubelett"
    assert rebuilt(living, json_=False) == EXIT_REHEARSAL_FAIL
    lines = [line.removeprefix("[simulated] ") for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert lines[0].split()[:2] == ["FAIL", "preflight.machineconfigs"] and "kubelett" in lines[0]
    assert any(line == "FAIL: 1 thing would stop a rebuild today" for line in lines)
    assert any("container images" in line for line in lines)


def test_its_evidence_is_no_drills(living: Desk, tmp_path: Path, capsys: Printed) -> None:
    assert rebuilt(living, report=str(tmp_path / "evidence")) == EXIT_OK
    document = json.loads((tmp_path / "evidence" / "evidence.json").read_text())
    assert (document["verb"], document["drill"], document["verdict"]["exit_code"]) == (VERB, None, EXIT_OK)
    assert past_drills(living.running.house, living.time.now()).proven == {}
    capsys.readouterr()


def test_its_evidence_says_what_the_verb_ended_with(living: Desk, tmp_path: Path, capsys: Printed) -> None:
    assert rebuilt(living, ("the deploy key: env:DEPLOY_KEY is not set", True), report=str(tmp_path / "bad")) == EXIT_REHEARSAL_FAIL
    document = json.loads((tmp_path / "bad" / "evidence.json").read_text())
    assert document["verdict"]["exit_code"] == EXIT_REHEARSAL_FAIL
    capsys.readouterr()


def test_a_pass_whose_evidence_is_not_written_is_no_success(living: Desk, tmp_path: Path, capsys: Printed) -> None:
    living.running.house = replace(living.running.house, evidence=Evidence(tmp_path / "no such key"))
    assert rebuilt(living, report=str(tmp_path / "evidence")) == EXIT_STEP_FAILED
    told = last_line(capsys)
    assert "closing" in told and (told["verdict"], told["exit_code"]) == ("PASS", EXIT_STEP_FAILED)


def test_it_drills_no_claim(capsys: Printed) -> None:
    assert rehearse("", True, "apps/notes", "", "", "", False, True) == SettingsInvalid.exit_code
    assert "drills no claim" in capsys.readouterr().out


def test_of_a_file_with_several_authorities_each_has_its_end(tmp_path: Path) -> None:
    """The former one beside its heir, in either order: who is vouched for by the one that ends is lost with it."""
    file, house = tmp_path / "ca.pem", a_house()
    file.write_text(f"the heir\n{a_certificate(3000)}the former\n{a_certificate(20)}")
    endpoint = replace(house.proxmox.endpoints[0], ca_file=str(file))
    house = replace(house, claims=(), proxmox=replace(house.proxmox, endpoints=(endpoint,)))
    assert ends_of(house) == {f"{file} ({n} of 2)": NOW + days * 86400 for n, days in ((1, 3000), (2, 20))}
    file.write_text("no certificate")
    assert ends_of(house) == {str(file): None}


def test_a_file_that_cannot_be_read_has_no_end(tmp_path: Path) -> None:
    house = a_house()
    assert ends_of(house) == {"/house/ca.pem": None}
