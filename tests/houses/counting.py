"""An independent count of what Flux applies from a repository: kubectl's kustomize, and nothing of the project's own readers.

Each Flux Kustomization is built in a copy, with its components and target namespace. Files that a copy lacks (encrypted ones are
left out of samples, what lies elsewhere is not fetched) are taken out of the lists that name them. Variables are not filled in:
counts do not need them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

Body = dict[str, Any]
_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_LISTS = ("resources", "components", "configurations")
_GENERATORS = ("configMapGenerator", "secretGenerator")


class Counted:
    """Every object by kind, and the names (`namespace/name` as built) of Flux Kustomizations."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.kustomizations: set[str] = set()


def count(root: Path, entry: str, work: Path, kubectl: Path) -> Counted:
    """Build everything that is reached from the entry path; `work` is an empty folder. RuntimeError when a build fails."""
    copy = work / "copy"
    shutil.copytree(root, copy)
    for file in sorted(path for name in _NAMES for path in copy.rglob(name)):
        _without_absent(file)
    counted, waiting = Counted(), [_overlay(copy, work, "entry", entry, (), "")]
    with ThreadPoolExecutor(2) as pool:
        while waiting:
            built = list(pool.map(lambda folder: _build(kubectl, folder), waiting))
            waiting = []
            for objects in built:
                for one in objects:
                    counted.kinds[str(one.get("kind"))] += 1
                    if one.get("kind") == "Kustomization" and "kustomize.toolkit.fluxcd.io" in str(one.get("apiVersion")):
                        waiting += _child(copy, work, one, counted)
    return counted


def _child(copy: Path, work: Path, one: Body, counted: Counted) -> Iterator[Path]:
    spec, metadata = one.get("spec") or {}, one.get("metadata") or {}
    key = f"{metadata.get('namespace')}/{metadata.get('name')}"
    path = str(spec.get("path") or ".").removeprefix("./")
    if key not in counted.kustomizations and (copy / path).is_dir():
        counted.kustomizations.add(key)
        components = tuple(str(each) for each in spec.get("components") or ())
        yield _overlay(copy, work, key.replace("/", "_"), path, components, str(spec.get("targetNamespace") or ""))


def _overlay(copy: Path, work: Path, name: str, path: str, components: tuple[str, ...], namespace: str) -> Path:
    """A folder that kustomize builds as Flux would build `path`."""
    target, folder = copy / path, work / "built" / name
    if not any((target / each).is_file() for each in _NAMES):
        _write(target / _NAMES[0], {"resources": [str(each.relative_to(target)) for each in _all_below(target)]})
    folder.mkdir(parents=True)
    body: Body = {"resources": [f"../../copy/{path}"]}
    if components:
        body["components"] = [f"../../copy/{(target / each).resolve().relative_to(copy.resolve())}" for each in components]
    if namespace:
        body["namespace"] = namespace
    _write(folder / _NAMES[0], body)
    return folder


def _all_below(folder: Path) -> Iterator[Path]:
    """What Flux lists where a path has no kustomization: every file, and folders with one of their own as they are."""
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            yield from [path] if any((path / each).is_file() for each in _NAMES) else _all_below(path)
        elif path.suffix in (".yaml", ".yml"):
            yield path


def _build(kubectl: Path, folder: Path) -> list[Body]:
    argv = [str(kubectl), "kustomize", "--load-restrictor", "LoadRestrictionsNone", str(folder)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise RuntimeError(f"{folder.name}: {done.stderr.strip()[-400:]}")
    return [_object(text) for text in done.stdout.split("\n---\n") if text.strip()]


def _object(text: str) -> Body:
    """Flux's Kustomizations whole, of anything else the kind alone: what it holds need not be understood."""
    if "apiVersion: kustomize.toolkit.fluxcd.io" in text:
        body: Body = YAML(typ="safe").load(text)
        return body
    kind = re.search(r"^kind: (\S+)$", text, re.MULTILINE)
    return {"kind": kind[1] if kind else "none"}


def _without_absent(file: Path) -> None:
    body = YAML(typ="safe").load(file.read_text(encoding="utf-8"))
    if not isinstance(body, dict):
        return
    lacking = False
    for part in _LISTS:
        listed = body.get(part)
        if isinstance(listed, list):
            there = [each for each in listed if (file.parent / str(each)).exists()]
            lacking = lacking or len(there) != len(listed)
            body[part] = there
    for part in _GENERATORS:
        for entry in body.get(part) or ():
            files = entry.get("files") if isinstance(entry, dict) else None
            if isinstance(files, list):
                there = [each for each in files if (file.parent / str(each).rpartition("=")[2]).is_file()]
                lacking = lacking or len(there) != len(files)
                entry["files"] = there
    if lacking:
        _write(file, body)


def _write(file: Path, body: Body) -> None:
    with file.open("w", encoding="utf-8") as out:
        YAML().dump(body, out)
