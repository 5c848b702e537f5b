"""The runbook of a whole house can be followed by hand: every command is one, in order, and none of them is this tool."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bootstrap.course import course
from console.runbook import write_runbook
from recovery.course import course as restore_course
from tests.builders import a_house

BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    house = a_house()
    write_runbook(tmp_path / "runbook.md", house, course(house, {}), restore_course(house, house.claims))
    return tmp_path / "runbook.md"


def test_every_command_is_whole_and_none_needs_this_tool(page: Path) -> None:
    commands = BLOCK.findall(page.read_text())
    assert len(commands) > 40
    bash = shutil.which("bash")
    assert bash is not None
    read = subprocess.run([bash, "-n"], input="\n".join(commands), capture_output=True, text=True, timeout=20, check=False)
    assert (read.returncode, read.stderr) == (0, "")
    assert [command for command in commands if "invoke " in command] == []


def test_every_item_has_its_command(page: Path) -> None:
    items = re.findall(r"^\d+\. \*\*(\S+)\*\* .*\n\n( {4}```sh)?", page.read_text(), re.MULTILINE)
    assert [name for name, block in items if not block] == []


def test_what_a_command_reads_is_made_before_it(page: Path) -> None:
    text = page.read_text()
    order = ["export KUBECONFIG=", "talhelper genconfig", "talosctl apply-config", "talosctl bootstrap", "talosctl kubeconfig"]
    order += ["kubectl get namespace", "create configmap hold", "hold-policies.json", "helmfile -f", "## The data", "restoreAsOf"]
    places = [text.rindex(part) if part == "helmfile -f" else text.index(part) for part in order]
    assert places == sorted(places)
    assert json.loads(page.with_name("hold-policies.json").read_text())["kind"] == "List"
