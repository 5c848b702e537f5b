"""A program that a helmfile's hook runs and that is not here is told before anything is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.helm.hooks import hook_problem
from tools.manifest import PROGRAMS, Need

ON_PATH = {"bash": "/bin/bash", "yq": "/usr/bin/yq"}


def hooks(command: str, *events: str) -> dict[str, object]:
    return {"name": "cilium", "hooks": [{"events": list(events) or ["postsync"], "command": command, "args": ["x"]}]}


@pytest.mark.parametrize("command", ["yq", "bash", "kubectl", "helm", "./wait.sh", "{{ .Values.tool }}", ""])
def test_what_is_there_is_no_problem(command: str, tmp_path: Path) -> None:
    (tmp_path / "wait.sh").touch()
    assert hook_problem({}, hooks(command), tmp_path, ON_PATH.get) == ""


@pytest.mark.parametrize("command", [program.name for program in PROGRAMS if program.need is Need.RUN])
def test_what_every_run_needs_is_found_in_the_checkout_and_not_on_the_path(command: str, tmp_path: Path) -> None:
    assert hook_problem({}, hooks(command), tmp_path, {}.get) == ""


@pytest.mark.parametrize("event", ["prepare", "presync", "postsync", "cleanup"])
def test_what_is_not_is_named(event: str, tmp_path: Path) -> None:
    told = "its hook runs jq, which is not on this machine's PATH"
    assert hook_problem({}, hooks("jq", event), tmp_path, ON_PATH.get) == told
    assert hook_problem(hooks("jq", event), {}, tmp_path, ON_PATH.get) == told


def test_a_script_is_seen_from_the_helmfile(tmp_path: Path) -> None:
    assert hook_problem({}, hooks("../wait.sh"), tmp_path, ON_PATH.get).startswith("its hook runs ../wait.sh, which is not there")


NEVER_RUN: list[dict[str, object]] = [
    {}, {"hooks": None}, {"hooks": [{"command": "jq"}]}, {"hooks": [{"events": ["preuninstall"], "command": "jq"}]},
]  # fmt: skip


@pytest.mark.parametrize("body", NEVER_RUN)
def test_what_no_sync_runs_is_not_asked_for(body: dict[str, object], tmp_path: Path) -> None:
    assert hook_problem(body, body, tmp_path, ON_PATH.get) == ""
