"""Counts what a house declares by itself: a copy of the whole repository, kubectl on it, and nothing of our own reader.

It is written for the small houses beside it and for real ones without encrypted files; it is slow, and says nothing of why.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tools.locate import need

Row = tuple[str, str, str]
"""Namespace, claim and Secret of one ReplicationSource."""
_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_INNERMOST = re.compile(r"\$\{(\w+)(?:(?::?[-=])((?:[^{}$])*))?\}")


def count(root: Path, entry: str, copy: Path, own_url: str = "") -> set[Row]:
    """The restic sources of the house at `root`; `copy` is a folder that does not exist yet."""
    shutil.copytree(root, copy)
    rows: set[Row] = set()
    maps: dict[tuple[str, str], dict[str, str]] = {}
    urls: dict[str, str] = {}
    todo: list[dict[str, Any]] = [{"metadata": {"name": "flux-system", "namespace": "flux-system"}, "spec": {"path": entry}}]
    done: set[tuple[str, str]] = set()
    while todo:
        todo.sort(key=lambda one: not _has_all(one, maps))
        one = todo.pop(0)
        spec, name = one["spec"], (one["metadata"]["namespace"], one["metadata"]["name"])
        source = spec.get("sourceRef", {}).get("name", "flux-system")
        if name in done or (source != "flux-system" and urls.get(source) != own_url):
            continue
        done.add(name)
        for found in _built(copy, spec, _values(one, maps)):
            space, called = found["metadata"].get("namespace", name[0]), found["metadata"]["name"]
            if found["kind"] == "ConfigMap":
                maps[space, called] = {k: str(v) for k, v in (found.get("data") or {}).items()}
            elif found["kind"] == "GitRepository":
                urls[called] = found["spec"]["url"]
            elif found["kind"] == "Kustomization":
                found["metadata"]["namespace"] = space
                todo.append(found)
            elif found["kind"] == "ReplicationSource" and "restic" in found["spec"]:
                rows.add((space, str(found["spec"]["sourcePVC"]), str(found["spec"]["restic"]["repository"])))
    return rows


def _has_all(one: dict[str, Any], maps: dict[tuple[str, str], dict[str, str]]) -> bool:
    sources = one["spec"].get("postBuild", {}).get("substituteFrom", [])
    return all((one["metadata"]["namespace"], source["name"]) in maps for source in sources)


def _values(one: dict[str, Any], maps: dict[tuple[str, str], dict[str, str]]) -> dict[str, str]:
    build = one["spec"].get("postBuild", {})
    values: dict[str, str] = {}
    for source in build.get("substituteFrom", []):
        values |= maps.get((one["metadata"]["namespace"], source["name"]), {})
    return values | {key: str(value) for key, value in build.get("substitute", {}).items()}


def _built(copy: Path, spec: dict[str, Any], values: dict[str, str]) -> list[dict[str, Any]]:
    folder = copy / str(spec["path"]).removeprefix("/")
    file = next((folder / name for name in _NAMES if (folder / name).is_file()), None)
    before = file.read_text() if file is not None else ""
    yaml = YAML(typ="safe", pure=True)
    whole = yaml.load(before) if file is not None else {"resources": _found(folder)}
    for key in ("components", "patches"):
        if spec.get(key):
            whole[key] = [*whole.get(key, []), *spec[key]]
    for theirs, ours in (("targetNamespace", "namespace"), ("namePrefix", "namePrefix"), ("nameSuffix", "nameSuffix")):
        if spec.get(theirs):
            whole[ours] = spec[theirs]
    written = file or folder / _NAMES[0]
    with written.open("w") as out:
        yaml.dump(whole, out)
    command = [str(need("kubectl")), "kustomize", "--load-restrictor", "LoadRestrictionsNone", str(folder)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if file is not None:
        file.write_text(before)
    else:
        written.unlink()
    objects = []
    for part in text.split("\n---\n"):
        if values and "substitute: disabled" not in part:
            while (filled := _INNERMOST.sub(lambda m: values.get(m[1]) or (m[0] if m[2] is None else m[2]), part)) != part:
                part = filled
        objects.append(YAML(typ="base", pure=True).load(part))
    return [one for one in objects if one]


def _found(folder: Path) -> list[str]:
    found = []
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            own = any((path / name).is_file() for name in _NAMES)
            found += [path.name] if own else [f"{path.name}/{below}" for below in _found(path)]
        elif path.suffix in (".yaml", ".yml"):
            found.append(path.name)
    return found
