"""Files that a talconfig or a helmfile names: one that is not there is told with its line, one that nobody can know is a note."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from house.files.yamlfile import parse
from house.flux.placed import Placed
from house.repository.named_files import check_helmfile, check_talconfig

HEAD = "releases:\n  - name: a\n    namespace: b\n    chart: c/d\n    version: 1.0.0\n"


def talconfig(root: Path, text: str) -> tuple[list[str], list[str]]:
    """Problems and notes of a talconfig of this text; there are there.yaml and what a variable names."""
    (root / "patches").mkdir()
    (root / "patches" / "there.yaml").write_text("{}\n")
    reader = Placed(parse(text, "talconfig.yaml")[0], {"known": "there"})
    check_talconfig(reader, root, root)
    return list(map(str, reader.problems)), list(map(str, reader.notes))


@pytest.mark.parametrize("text", [
    'patches: ["@./patches/gone.yaml"]',
    'controlPlane: {patches: ["@patches/gone.yaml"]}',
    'worker: {patches: ["@patches/gone.yaml"]}',
    'nodes: [{patches: ["@./patches/gone.yaml"]}]', 'nodes: [{machineFiles: [{content: "@patches/gone.yaml"}]}]',
    'worker: {inlineManifests: [{name: x, contents: "@./patches/gone.yaml"}]}',
    'controlPlane: {extraManifests: [patches/gone.yaml]}',
    'nodes: [{extraManifests: ["patches/gone*.yaml"]}]', 'patches: ["@./patches/${known}/gone.yaml"]',
])  # fmt: skip
def test_what_a_talconfig_names_and_is_not_there_is_told_with_its_line(tmp_path: Path, text: str) -> None:
    (problem,), notes = talconfig(tmp_path, text)
    assert problem.startswith("talconfig.yaml:1: ") and "gone" in problem and "is not there; bring the file back" in problem
    assert notes == []


@pytest.mark.parametrize("text", [
    'patches: ["@./patches/there.yaml"]', 'patches: ["@./patches/${known}.yaml"]', "patches: ['- {op: add, path: /x}']",
    "worker: {extraManifests: ['https://127.0.0.1/x.yaml', 'patches/*.yaml']}", 'nodes: [{machineFiles: [{content: text}]}]',
])  # fmt: skip
def test_what_is_there_or_is_no_file_is_not_told(tmp_path: Path, text: str) -> None:
    assert talconfig(tmp_path, text) == ([], [])


def test_a_patch_whose_variable_is_not_known_is_a_note(tmp_path: Path) -> None:
    problems, (note,) = talconfig(tmp_path, 'patches: ["@./patches/${secret}.yaml"]')
    assert problems == [] and note.startswith("talconfig.yaml:1: patches[0]: nobody looked whether")


def helmfile(root: Path, text: str) -> tuple[list[str], list[str]]:
    """Problems and notes of a helmfile of this text."""
    (root / "there.yaml").write_text("{}\n")
    (root / "helmfile.yaml").write_text(text)
    wrong, odd = check_helmfile(root / "helmfile.yaml", root)
    return list(map(str, wrong)), list(map(str, odd))


@pytest.mark.parametrize("text", [
    HEAD + "    values: [gone.yaml]\n",
    HEAD + "    values: [{x: 1}, ./gone.yaml.gotmpl]\n",
    HEAD + "    secrets: [gone.sops.yaml]\n",
    HEAD + "    values: ['gone/*.yaml']\n", HEAD.replace("c/d", "./gone"), HEAD + "bases: [gone.yaml]\n",
    HEAD + "environments: {default: {values: [gone.yaml]}}\n",
])  # fmt: skip
def test_what_a_helmfile_names_and_is_not_there_is_told_with_its_line(tmp_path: Path, text: str) -> None:
    (problem,), notes = helmfile(tmp_path, text)
    line = next(number for number, one in enumerate(text.splitlines(), 1) if "gone" in one)
    assert problem.startswith(f"helmfile.yaml:{line}: ") and "gone" in problem and notes == []


@pytest.mark.parametrize("text", [
    HEAD + "    values: [there.yaml, {x: 1}, 'https://127.0.0.1/x.yaml', 'git::https://127.0.0.1/x@y.yaml']\n",
    HEAD + "    installed: false\n    values: [gone.yaml]\n", HEAD + "environments: {other: {values: [gone.yaml]}}\n",
    HEAD + "    missingFileHandler: Warn\n    values: [gone.yaml]\n",
])  # fmt: skip
def test_what_helmfile_can_do_without_is_not_told(tmp_path: Path, text: str) -> None:
    assert helmfile(tmp_path, text) == ([], [])


@pytest.mark.parametrize("text", [
    HEAD + "    values: ['{{ .Release.Name }}.yaml']\n", HEAD + "    hooks: [{events: [prepare]}]\n    values: [gone.yaml]\n",
    HEAD + "    values: [gone.yaml]\nhooks: [{events: [prepare]}]\n", HEAD + "    values: [gone.yaml]\nmissingFileHandler: Info\n",
])  # fmt: skip
def test_what_is_made_before_it_is_read_is_a_note(tmp_path: Path, text: str) -> None:
    problems, (note,) = helmfile(tmp_path, text)
    assert problems == [] and note.startswith("helmfile.yaml:")


def test_a_pattern_below_what_nobody_may_list_is_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's own glob passes over a folder that may be entered and not listed."""
    (tmp_path / "closed").mkdir()
    listed = os.scandir

    def scandir(path: Any) -> Any:
        if Path(path).name == "closed":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    reader = Placed(parse("worker: {extraManifests: ['closed/*.yaml', 'open/*.yaml']}", "talconfig.yaml")[0], {})
    check_talconfig(reader, tmp_path, tmp_path)
    assert [problem.what for problem in reader.problems] == ["open/*.yaml is not there"]
    assert [note.what for note in reader.notes] == ["nobody looked whether closed/*.yaml is there"]


def test_a_pattern_that_cannot_be_read_is_a_note(tmp_path: Path) -> None:
    problems, (note,) = helmfile(tmp_path, HEAD + "    values: ['a**.yaml']\n")
    assert problems == [] and "nobody looked whether" in note
