"""Programs before a run, and tools.check: what is missing, of a wrong version, hidden by another, or not for this house."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len

from adapters.backups.opening import Openings
from adapters.secrets.resolver import Secrets
from console.opened.programs import refuse_blind, refuse_unfit
from console.verbs import tools
from engine.errors import EXIT_STEP_FAILED, CouldNotLook, PreflightRefused, SettingsInvalid
from house.files.paths import at_home, expanded
from house.model import House
from tests.builders import a_house
from tests.console.screens.test_screens import Terminal
from tests.house.small_house import write_repository
from tools.manifest import Need, needed_by
from tools.places import Places

Printed = pytest.CaptureFixture[str]


def put(folder: Path, **versions: str) -> str:
    """A folder of programs that tell these versions; answers it as PATH is written."""
    folder.mkdir(exist_ok=True)
    for name, version in versions.items():
        file = folder / name.replace("_", "-")
        file.write_text(f"#!/bin/sh\necho {version}\n")
        file.chmod(0o755)
    return str(folder)


def fitting(folder: Path) -> str:
    return put(folder, **{p.name.replace("-", "_"): p.source.version for p in needed_by(Need.RUN) if p.source is not None})


def a_house_of(talos: str, kubernetes: str) -> House:
    house = a_house()
    return replace(house, cluster=replace(house.cluster, talos_version=talos, kubernetes_version=kubernetes))


def refused(tmp_path: Path, path: str, talos: str = "v1.13.9", kubernetes: str = "v1.36.3") -> tuple[str, ...]:
    with pytest.raises(PreflightRefused) as caught:
        refuse_unfit(a_house_of(talos, kubernetes), Places(tmp_path), path)
    assert caught.value.next_command == "invoke tools.check"
    return caught.value.evidence


def test_fitting_programs_of_the_path_are_enough(tmp_path: Path) -> None:
    refuse_unfit(a_house_of("v1.10.6", "v1.33.4"), Places(tmp_path), fitting(tmp_path / "bin"))


def test_each_program_that_is_missing_is_named(tmp_path: Path) -> None:
    path = fitting(tmp_path / "bin")
    (tmp_path / "bin" / "sops").unlink()
    (tmp_path / "bin" / "helm").unlink()
    assert [line.partition(":")[0] for line in refused(tmp_path, path)] == ["sops", "helm"]


@pytest.mark.parametrize(("go", "following"), [(True, "invoke tools.build --run"), (False, "invoke tools.check")])
def test_a_verify_without_its_programs_could_not_look(tmp_path: Path, go: bool, following: str) -> None:
    path = fitting(tmp_path / "bin")
    refuse_blind(Places(tmp_path), path)
    (tmp_path / "bin" / "sops").unlink()
    if go:
        put(tmp_path / "bin", go="go1.26.0")
    with pytest.raises(CouldNotLook) as caught:
        refuse_blind(Places(tmp_path), path)
    error = caught.value
    assert (error.exit_code, error.evidence, error.next_command) == (EXIT_STEP_FAILED, ("sops",), following)
    assert ("Go is not on PATH" in error.hint) is not go
    put(tmp_path / "bin", sops="v1.0.0")
    refuse_blind(Places(tmp_path), path)


def test_a_program_that_is_not_for_this_house_stops_the_run(tmp_path: Path) -> None:
    path = fitting(tmp_path / "bin")
    put(tmp_path / "bin", talosctl="v1.14.1")
    (line,) = refused(tmp_path, path, "v1.12.4", "v1.35.1")
    assert line.startswith("talosctl 1.14.1: talosctl v1.14.1 cannot look at a node of Talos v1.12.4 in maintenance mode")


def test_an_unfit_program_that_would_be_started_first_is_not_overlooked(tmp_path: Path) -> None:
    path = os.pathsep.join((put(tmp_path / "old", helm="v2.9.0"), fitting(tmp_path / "bin")))
    (line,) = refused(tmp_path, path)
    assert line == f"helm: {tmp_path / 'old' / 'helm'} comes before {tmp_path / 'bin' / 'helm'} on PATH, and does not fit"


def test_a_patch_that_talhelper_refuses_stops_the_run_before_anything_is_made(tmp_path: Path) -> None:
    house = replace(a_house_of("v1.13.9", "v1.36.3"), refused_patches=("talos/patches/x.yaml:1: is a JSON 6902 patch",))
    with pytest.raises(PreflightRefused, match="will not render") as caught:
        refuse_unfit(house, Places(tmp_path), fitting(tmp_path / "bin"))
    assert caught.value.evidence == house.refused_patches


def test_tools_check_holds_programs_against_the_house_of_the_settings(tmp_path: Path, capsys: Printed) -> None:
    settings = write_repository(tmp_path)
    settings.write_text(settings.read_text().replace("vm_id: 8001", "vm_id: FILL_IN"))
    tools.check(str(settings), json=True)
    result = json.loads(capsys.readouterr().out)["result"]
    assert result["house"].startswith(f"Held against {settings}: Talos 1.")
    assert {row["house"] for row in result["programs"]} <= {"fits", "fits with care", "does not fit", "unknown", "not concerned"}


def test_tools_check_without_a_house_says_so(tmp_path: Path, capsys: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tools.check("", json=False)
    assert "Not held against a house" in capsys.readouterr().out


def test_tools_check_refuses_settings_that_are_not_there(tmp_path: Path) -> None:
    assert tools.check(str(tmp_path / "nothing.yaml"), json=True) == SettingsInvalid.exit_code


def test_tools_check_takes_the_house_that_the_environment_names(
    tmp_path: Path, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = write_repository(tmp_path / "named")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BLACKSTART_SETTINGS", str(settings))
    tools.check("", json=True)
    assert json.loads(capsys.readouterr().out)["result"]["house"].startswith(f"Held against {settings}: Talos 1.")
    monkeypatch.setenv("BLACKSTART_SETTINGS", str(tmp_path / "gone.yaml"))
    assert tools.check("", json=True) == SettingsInvalid.exit_code
    assert "gone.yaml" in capsys.readouterr().out


@pytest.mark.parametrize("width", [60, 80])
def test_what_tools_check_shows_fits_the_terminal(tmp_path: Path, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = write_repository(tmp_path)
    settings.write_text(settings.read_text().replace("vm_id: 8001", "vm_id: FILL_IN"))
    talconfig = tmp_path / "talos" / "talconfig.yaml"
    talconfig.write_text(re.sub(r"(?m)^talosVersion:.*$", "talosVersion: v1.99.0", talconfig.read_text()))
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm-256color")
    out = Terminal()
    monkeypatch.setattr("sys.stdout", out)
    tools.check(str(settings), json=False)
    lines = out.screen.splitlines()
    assert not [line for line in lines if cell_len(line) > width and " " in line.strip()]
    assert any(line.strip().endswith("talhelper") or "talhelper  " in line for line in lines)
    assert "this house: does not fit" in out.screen


def test_a_home_that_nobody_has_is_one_clear_problem(capsys: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tools.check("~nosuchuser/blackstart.yaml", json=False) == SettingsInvalid.exit_code
    assert "there are no settings at" in capsys.readouterr().err
    assert expanded(Path("~nosuchuser/runbook.md")) == Path.cwd() / "~nosuchuser" / "runbook.md"
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("os.getuid", lambda: 4_000_000)  # of nobody who is known here, as in a container
    assert at_home(Path("~/.ssh/known_hosts")) == Path("~/.ssh/known_hosts")
    Openings(Secrets(None, Path(), None, {}))  # type: ignore[arg-type]  # runs nothing: it only looks for known_hosts
