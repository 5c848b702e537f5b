"""cluster.lint of a file that a stranger has just been written: what Git alone tells, and which sections nothing was taken of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from console.opened.building import builder
from console.verbs.cluster.lint import lint_house
from engine.errors import EXIT_DRIFT, SettingsInvalid
from house.first.writing import write_settings
from tests.cluster.lint.made import release
from tests.console.printed import Printed, last_line
from tests.house.small_house import write_repository

DELETES = release("dns", "external-dns", "{policy: sync}", namespace="network", ks="network/dns")


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A repository whose settings were just written by config.init."""
    write_repository(tmp_path).unlink()
    odd = tmp_path / "kubernetes/apps/apps/odd/app/all.yaml"
    odd.write_text(f"kind: ConfigMap\napiVersion: v1\nmetadata: {{name: odd}}\n{DELETES}")
    return write_settings(tmp_path, builder(), lambda: "5f1d7c2a9e").file


def told(file: Path, capsys: Printed) -> dict[str, Any]:
    capsys.readouterr()
    code = lint_house(str(file), True, False)
    found = last_line(capsys)
    assert found["exit_code"] == code
    return found


def test_what_git_tells_needs_no_finished_settings(fresh: Path, capsys: Printed) -> None:
    found = told(fresh, capsys)
    assert found["exit_code"] == EXIT_DRIFT
    assert any(one["rule"].startswith("external-dns") for one in found["findings"])
    said = found["not_looked_at"][0]
    assert said.startswith("blackstart.yaml is not finished (proxmox, ")
    assert "what runs need is not told" in said
    assert found["needs"] == found["without"] == []


def test_a_section_that_is_wrong_is_named_and_hides_no_other(fresh: Path, capsys: Printed) -> None:
    mended = fresh.read_text().replace("git: {}", "git: {url: []}")
    accepted = next(f"{one['rule']} {one['subject']}" for one in told(fresh, capsys)["findings"])
    fresh.write_text(f"{mended}\nlint: {{accepted: {{'{accepted}': it is meant so}}}}\n")
    found = told(fresh, capsys)
    assert any(one.get("accepted") for one in found["findings"])
    assert "git" in found["not_looked_at"][0]


def test_a_file_without_a_house_is_refused(fresh: Path, capsys: Printed) -> None:
    fresh.write_text("hous: {name: x}\n")
    assert lint_house(str(fresh), True, False) == SettingsInvalid.exit_code
    assert "is not a known key" in capsys.readouterr().out


def test_with_proxmox_the_file_must_be_finished(fresh: Path, capsys: Printed) -> None:
    assert lint_house(str(fresh), True, True) == SettingsInvalid.exit_code
