"""All scripts of a repository together: each manifest and Secret once, and notes about what no settings can take over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from house.declared.bootstrapping import AGE_KEY, KUSTOMIZATIONS
from house.files.paths import is_file, is_there
from house.files.problems import Problem
from house.scripts import definitions
from house.scripts.definitions import Manifest
from house.scripts.secrets import Made, secrets
from house.scripts.text import Script, scripts_of

_CRDS = re.compile(r"^kind:[ \t]*[\"']?CustomResourceDefinition\b", re.MULTILINE)
_SECRETS = re.compile(r"^kind:[ \t]*[\"']?Secret\b", re.MULTILINE)
_REMOTE = re.compile(r"^(?:https?://|git@|github\.com/)|\?ref=")


@dataclass(frozen=True)
class Scripted:
    """What was found. `files` and `folders` hold definitions, `made` are Secrets, `secret_folders` kustomize folders of such;
    each place as (path, `file:line` of the script). `notes`: what is applied and cannot be written as settings."""

    manifests: tuple[Manifest, ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    folders: tuple[tuple[str, str], ...] = ()
    made: tuple[Made, ...] = ()
    secret_folders: tuple[tuple[str, str], ...] = ()
    notes: tuple[Problem, ...] = ()


def read_scripts(root: Path) -> Scripted:
    """What the scripts at `root` apply. Never raises for what they say."""
    root = root.resolve()
    scripts = [script for script in scripts_of(root) if "kubectl" in script.text or "helm" in script.text]
    manifests: dict[str, Manifest] = {}
    made: dict[tuple[str, ...], Made] = {}
    notes: dict[Problem, None] = {}
    local: dict[str, dict[str, str]] = {"files": {}, "folders": {}, "secret_folders": {}}
    for script in scripts:
        for manifest in definitions.urls(script, root):
            manifests.setdefault(manifest.url, manifest)
        for one in secrets(script, root):
            if not any(key == AGE_KEY for key, _ in one.keys):  # that one is put anyway
                made.setdefault((one.file, one.namespace, one.name) if not one.file else (one.file,), one)
        for kind, path, place in _local(script, root):
            local[kind].setdefault(path, place)
        notes.update(dict.fromkeys(_notes(script, root)))
    return Scripted(
        tuple(manifests.values()),
        tuple(local["files"].items()),
        tuple(local["folders"].items()),
        tuple(made.values()),
        tuple(local["secret_folders"].items()),
        tuple(notes),
    )


def _local(script: Script, root: Path) -> Iterator[tuple[str, str, str]]:
    """(what, path, place) of the repository's own files and folders that are applied."""
    for named, number in definitions.folders(script):
        folder = _inside(root, script, named)
        if folder is not None and any(is_file(folder / name) for name in KUSTOMIZATIONS):
            text = _texts(folder)
            kind = "folders" if _CRDS.search(text) else "secret_folders" if _SECRETS.search(text) else ""
            if kind:
                yield kind, str(folder.relative_to(root)), f"{script.name}:{number}"
    for named, number in definitions.files(script):
        path = _inside(root, script, named)
        for file in _yaml_files(path) if path is not None else ():
            if _CRDS.search(file.read_text(encoding="utf-8", errors="replace")):
                yield "files", str(file.relative_to(root)), f"{script.name}:{number}"


def _notes(script: Script, root: Path) -> Iterator[Problem]:
    for command, number in definitions.charts(script):
        better = "put the chart into bootstrap/helmfile.d/00-crds.yaml: its definitions are then applied as steps"
        yield Problem(script.name, number, "", f"applies what `{command[:80]}` prints, which no step does", better)
    for named, number in definitions.folders(script):
        if _REMOTE.search(named):
            better = "build it once into a file of this repository, and name that under bootstrap.crds"
            yield Problem(script.name, number, "", f"applies {named}, a kustomization from elsewhere, which no step does", better)
        elif _inside(root, script, named) is None:
            better = "write what it applies under bootstrap.crds or bootstrap.secrets"
            yield Problem(script.name, number, "", f"applies the folder {named or 'of a variable'}, which was not found", better)
    for named, number in definitions.files(script):
        path = _inside(root, script, named)
        text = "".join(file.read_text(encoding="utf-8", errors="replace") for file in _yaml_files(path)) if path else ""
        if path is not None and text and not _CRDS.search(text) and not _SECRETS.search(text):
            better = "let Flux apply it, or look whether a release needs it first"
            yield Problem(script.name, number, "", f"applies {path.relative_to(root)}, which no step does", better)


def _inside(root: Path, script: Script, named: str) -> Path | None:
    """A path that a script names, as the repository has it; a variable before it may be the root, or the script's folder."""
    parts = [part for part in named.split("/") if part not in ("", ".")]
    for start in range(len(parts)):
        for folder in (root, script.file.parent):
            path = folder.joinpath(*parts[start:]).resolve()
            if is_there(path) and path.is_relative_to(root) and path != root:
                return path
    return None


def _yaml_files(path: Path) -> list[Path]:
    return [path] if is_file(path) else sorted(file for file in path.glob("*.y*ml") if is_file(file))


def _texts(folder: Path) -> str:
    return "\n".join(file.read_text(encoding="utf-8", errors="replace") for file in folder.rglob("*.y*ml") if is_file(file))
