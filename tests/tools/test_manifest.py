"""The manifest and the Go modules say the same, and nothing in the repository names a registry."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

from tools.manifest import DEFINITIONS, PROGRAMS, Need, Program, named, needed_by
from tools.places import CHECKOUT, Places
from tools.versions import parse

_BUILT = (*needed_by(None), *needed_by(Need.ASKED))


def _module_file(folder: str, name: str) -> str:
    return (Places().modules / folder / name).read_text()


def test_the_programs_that_a_run_drives() -> None:
    run = {"talosctl", "talhelper", "helm", "helmfile", "kubectl", "sops", "age", "age-keygen", "restic"}
    assert {program.name for program in needed_by(Need.RUN)} == run


def test_the_programs_that_the_lab_runs() -> None:
    controllers = {"snapshot-controller", "source-controller", "kustomize-controller", "helm-controller"}
    lab = {"etcd", "etcdutl", "kube-apiserver", "kube-controller-manager", "volsync", "volsync-mover"} | controllers
    assert {program.name for program in needed_by(Need.LAB)} == lab


def test_what_only_some_houses_need_is_built_for_who_asks() -> None:
    assert {program.name for program in needed_by(Need.ASKED)} == {"kopia"}
    assert "kopia" not in {program.name for program in needed_by(None)}


def test_names_are_unique_and_found() -> None:
    assert len({program.name for program in PROGRAMS}) == len(PROGRAMS)
    assert named("helm").purpose
    with pytest.raises(KeyError):
        named("flux-operator")


@pytest.mark.parametrize("program", _BUILT, ids=lambda program: program.name)
def test_a_program_is_pinned_in_its_module_at_the_manifest_version(program: Program) -> None:
    source = program.source
    assert source is not None
    text = _module_file(source.folder, "go.mod")
    assert re.search(
        rf"^(require )?\s*{re.escape(source.module)} {re.escape(source.version)}( // indirect)?$", text, re.M
    )
    assert bool(source.package) is not bool(source.script)
    assert re.search(rf"^(tool )?\s*{re.escape(source.package)}$", text, re.M)
    assert f"{source.module} {source.version} h1:" in _module_file(source.folder, "go.sum")


@pytest.mark.parametrize("program", _BUILT, ids=lambda program: program.name)
def test_what_is_built_fits_and_knows_its_version(program: Program) -> None:
    source = program.source
    assert source is not None
    version = parse(source.version)
    assert version is not None
    assert version in program.fits
    for setting in source.link:
        if setting.split("=")[0].lower().endswith("version"):
            assert setting.split("=")[1] in (source.version, source.version.removeprefix("v"))


def test_kubernetes_is_linked_with_all_three_parts_of_its_version() -> None:
    source = named("kube-apiserver").source
    assert source is not None
    told = [setting.removeprefix("k8s.io/component-base/version.") for setting in source.link]
    assert told == ["gitVersion=v1.36.3", "gitMajor=1", "gitMinor=36"]


def test_every_module_builds_something() -> None:
    folders = {folder.name for folder in Places().modules.iterdir()}
    assert folders == {program.source.folder for program in _BUILT if program.source}


def test_definitions_come_from_a_pinned_module() -> None:
    for definitions in DEFINITIONS:
        assert f"{definitions.module} v" in _module_file(definitions.folder, "go.mod")


def test_no_file_of_the_package_names_a_registry_or_any_other_host_to_fetch_from() -> None:
    for file in sorted((CHECKOUT / "tools").rglob("*")):
        if file.is_file() and file.suffix in (".py", ".mod", ".sum"):
            assert not re.search(r"https?://|GOPROXY|GOSUMDB|GONOSUM|GOINSECURE|proxy\.|sumdb", file.read_text()), file


def test_the_package_imports_the_standard_library_and_what_imports_nothing_else() -> None:
    """It is run before anything is installed. The engine is the standard library's, which an architecture test holds."""
    for file in sorted((CHECKOUT / "tools").glob("*.py")):
        for name in _imported(file):
            assert name in ("tools", "engine") or name in sys.stdlib_module_names, f"{file.name} imports {name}"


def _imported(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    return names
