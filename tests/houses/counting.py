"""An independent count of what Flux applies from a repository: kubectl's kustomize, and nothing of the project's own readers.

Each Flux Kustomization is built in a copy, into whose own kustomization is written what Flux would write there; then its variables
are filled in. Files that a copy lacks (encrypted ones are left out of samples, what lies elsewhere is not fetched) are taken out of
the lists that name them. It is slow, and says nothing of why.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tests.houses.charted import charted
from tests.houses.filling import filled
from tests.houses.rows import Row, concerns, made_inside, mentions, rows_of

Body = dict[str, Any]
_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_LISTS = ("resources", "components", "configurations", "bases")
_GENERATORS = ("configMapGenerator", "secretGenerator")
_FLUX = "kustomize.toolkit.fluxcd.io"
_SET = (("targetNamespace", "namespace"), ("namePrefix", "namePrefix"), ("nameSuffix", "nameSuffix"))
_READ = ("ConfigMap", "Secret", "GitRepository", "Kustomization")
_MAKE_NOTHING = ("Kustomization", "CustomResourceDefinition")
_ROUNDS = 3
_PUT_AWAY = ("archive", "archived")


@dataclass
class Counted:
    """Every object by kind; the names (`namespace/name`) of Flux Kustomizations, of those of them that kustomize refuses (each with
    its path), and of those that are pulled from elsewhere; backups; and `Kind namespace/name` of what has backup objects inside."""

    kinds: Counter[str] = field(default_factory=Counter)
    kustomizations: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)
    backups: set[Row] = field(default_factory=set)
    makers: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Pulled:
    """What Flux pulls: the source's kind, namespace, name and URL, and the name of the Kustomization that applies it."""

    kind: str = "GitRepository"
    namespace: str = "flux-system"
    name: str = "flux-system"
    url: str = ""
    applied_by: str = "flux-system"


def count(root: Path, entry: str, work: Path, kubectl: Path, pulled: Pulled | None = None) -> Counted:
    """Build everything that is reached from the entry path; `work` is a folder with nothing in it."""
    copy = work / "copy"
    shutil.copytree(root, copy, symlinks=True, ignore=shutil.ignore_patterns(".git"))
    for file in sorted(path for name in _NAMES for path in copy.rglob(name) if path.is_file()):
        _without_absent(file)
    walk = _Walk(copy, kubectl, pulled or Pulled())
    for _ in range(_ROUNDS):
        known = len(walk.maps) + len(walk.urls)
        counted = walk.whole(entry)
        if len(walk.maps) + len(walk.urls) == known:
            break
    return counted


class _Walk:
    """One way through the graph; what it learned of variables and sources stays for the next."""

    def __init__(self, copy: Path, kubectl: Path, pulled: Pulled) -> None:
        self._copy, self._kubectl, self._pulled = copy, kubectl, pulled
        self._name = pulled.name
        self._built: dict[str, str | None] = {}
        self.maps: dict[tuple[str, str, str], dict[str, str]] = {}
        self.urls: dict[tuple[str, str], str] = {}

    def whole(self, entry: str) -> Counted:
        counted, pulled = Counted(), self._pulled
        first: Body = {"metadata": {"name": pulled.applied_by, "namespace": pulled.namespace}, "spec": {"path": entry}}
        own = next((one for one in self._objects(first, Counted()) if _is_flux(one) and _key(one) == _key(first)), None)
        todo, done = [own or first], {_key(first)}
        if own is not None:
            counted.kustomizations.add(_key(own))
        self._name_by(first, own)
        while todo:
            todo.sort(key=lambda one: (not self._has_all(one), _waits(one, todo)))
            parent = todo.pop(0)
            for found in self._objects(parent, counted):
                counted.kinds[str(found.get("kind"))] += 1
                if _is_flux(found) and _key(found) not in done:
                    done.add(_key(found))
                    counted.kustomizations.add(_key(found))
                    if self._is_own(found):
                        todo.append(found)
                    else:
                        counted.elsewhere.add(_key(found))
        return counted

    def _name_by(self, first: Body, own: Body | None) -> None:
        """flux-operator calls the source as the cluster does; where all that is applied first name one, that is it."""
        children = [one for one in self._objects(own or first, Counted()) if _is_flux(one)]
        names = {(one["spec"].get("sourceRef") or {}).get("name") or self._name for one in children}
        if len(names) == 1:
            self._name = names.pop()

    def _is_own(self, one: Body) -> bool:
        reference = one["spec"].get("sourceRef") or {}
        name, kind = reference.get("name") or self._name, reference.get("kind") or self._pulled.kind
        url = self.urls.get((reference.get("namespace") or one["metadata"]["namespace"], name))
        if kind != self._pulled.kind:
            return False
        if url is not None:
            return not self._pulled.url or _address(url) == _address(self._pulled.url)
        return bool(name == self._name)

    def _has_all(self, one: Body) -> bool:
        sources = (one["spec"].get("postBuild") or {}).get("substituteFrom") or []
        return all((source.get("kind"), one["metadata"]["namespace"], source.get("name")) in self.maps for source in sources)

    def _values(self, one: Body) -> dict[str, str]:
        build = one["spec"].get("postBuild") or {}
        values: dict[str, str] = {}
        for source in build.get("substituteFrom") or []:
            kind, name = str(source.get("kind")), str(source.get("name"))
            same = [key for key in self.maps if key[0] == kind and key[2] == name]
            near = (kind, one["metadata"]["namespace"], name)
            values |= self.maps.get(near) or (self.maps[same[0]] if len(same) == 1 else {})
        values |= {str(key): _text(value) for key, value in (build.get("substitute") or {}).items()}
        return {key: value.replace("\n", "") for key, value in values.items()}

    def _objects(self, one: Body, counted: Counted) -> Iterator[Body]:
        """The objects that a Kustomization applies, those that are needed whole and of the others the kind alone."""
        spec, space = one["spec"], one["spec"].get("targetNamespace") or one["metadata"]["namespace"]
        path = self._copy / str(spec.get("path") or ".").removeprefix("./").removeprefix("/")
        if not path.is_dir():
            counted.refused[_key(one)] = str(spec.get("path") or ".").removeprefix("./")
            return
        memory = f"{path} {[spec.get(key) for key in ('components', 'patches', 'images', *(k for k, _ in _SET))]}"
        if memory not in self._built:
            self._built[memory] = _build(self._kubectl, path, spec)
        text = self._built[memory]
        if text is None:
            counted.refused[_key(one)] = str(spec.get("path") or ".").removeprefix("./")
            return
        values = self._values(one)
        substitutes = bool(values or (spec.get("postBuild") or {}).get("substituteFrom"))
        for part in text.split("\n---\n"):
            if substitutes and not re.search(rf"^    {re.escape(_FLUX)}/substitute: disabled$", part, re.MULTILINE):
                part = filled(part, values)
            if part.strip():
                yield self._object(part, space, counted)

    def _object(self, part: str, space: str, counted: Counted) -> Body:
        kind = re.search(r"^kind: (\S+)$", part, re.MULTILINE)
        if kind is None or not (kind[1] in (*_READ, "HelmRelease") or mentions(part) or concerns(part)):
            return {"kind": kind[1] if kind else "none"}
        try:
            body: Body = YAML(typ="safe").load(part)
        except YAMLError:
            return {"kind": kind[1]}
        metadata = body.setdefault("metadata", {})
        metadata["namespace"] = metadata.get("namespace") or space
        self._learn(body)
        counted.backups |= set(rows_of(body))
        if not concerns(part) and body["kind"] not in _MAKE_NOTHING and made_inside(body):
            counted.makers.add(f"{kind[1]} {_key(body)}")
        counted.backups |= charted(self._copy, body) if body["kind"] == "HelmRelease" else set()
        return body

    def _learn(self, body: Body) -> None:
        metadata = body["metadata"]
        if body["kind"] == "ConfigMap" or (body["kind"] == "Secret" and "sops" not in body):
            data = {**(body.get("data") or {}), **(body.get("stringData") or {})} if body["kind"] == "Secret" else body.get("data")
            self.maps[body["kind"], metadata["namespace"], metadata["name"]] = {k: _text(v) for k, v in (data or {}).items()}
        elif body["kind"] == "GitRepository":
            self.urls[metadata["namespace"], metadata["name"]] = str((body.get("spec") or {}).get("url") or "")


def nodes_of(root: Path) -> dict[str, int]:
    """How many nodes each talconfig of a repository names, by its path; those in hidden folders and in archives are put away."""
    found = {}
    reader = YAML(typ="safe", pure=True)  # the other one refuses an anchor that is set twice
    reader.allow_duplicate_keys, reader.composer.warn_double_anchors = True, False
    for file in sorted(root.rglob("talconfig.y*ml")):
        folders = file.relative_to(root).parts[:-1]
        if any(part.startswith(".") or part.strip("_") in _PUT_AWAY for part in folders):
            continue
        try:
            body = reader.load(re.sub(r"\$\{[^}]*\}", "x", file.read_text()))
        except YAMLError:
            continue
        found[str(file.relative_to(root))] = len((body or {}).get("nodes") or ())
    return found


def _key(one: Body) -> str:
    return f"{one['metadata'].get('namespace')}/{one['metadata'].get('name')}"


def _is_flux(one: Body) -> bool:
    return one.get("kind") == "Kustomization" and _FLUX in str(one.get("apiVersion")) and isinstance(one.get("spec"), dict)


def _waits(one: Body, todo: list[Body]) -> bool:
    names = {_key(other) for other in todo}
    space = one["metadata"]["namespace"]
    return any(f"{d.get('namespace') or space}/{d.get('name')}" in names for d in one["spec"].get("dependsOn") or ())


def _address(url: str) -> str:
    return re.sub(r"^\w+://|^[^@/]*@|\.git/?$|/$", "", re.sub(r"^\w+://", "", url)).replace(":", "/").lower()


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _build(kubectl: Path, folder: Path, spec: Mapping[str, Any]) -> str | None:
    """The folder's objects as text, None where kustomize refuses it; its own kustomization is as before afterwards."""
    file = next((folder / name for name in _NAMES if (folder / name).is_file()), None)
    before = file.read_text(encoding="utf-8") if file is not None else ""
    whole = YAML(typ="safe").load(before) if file is not None else {"resources": _found(folder)}
    for key in ("components", "patches"):
        if spec.get(key):
            whole[key] = [*(whole.get(key) or []), *spec[key]]
    if spec.get("images"):
        names = {image["name"] for image in spec["images"]}
        whole["images"] = [*(i for i in whole.get("images") or [] if i.get("name") not in names), *spec["images"]]
    whole |= {ours: spec[theirs] for theirs, ours in _SET if spec.get(theirs)}
    written = file or folder / _NAMES[0]
    _write(written, whole)
    argv = [str(kubectl), "kustomize", "--load-restrictor", "LoadRestrictionsNone", str(folder)]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, "GOGC": "off"})
    finally:
        if file is not None:
            file.write_text(before, encoding="utf-8")
        else:
            written.unlink()
    return None if done.returncode else done.stdout


def _found(folder: Path) -> list[str]:
    """What Flux lists where a path has no kustomization: every file, and folders with one of their own as they are."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            own = any((path / name).is_file() for name in _NAMES)
            found += [path.name] if own else [f"{path.name}/{below}" for below in _found(path)]
        elif path.suffix in (".yaml", ".yml") and not path.name.startswith((".sops", ".flux", ".travis")):
            found.append(path.name)
    return found


def _without_absent(file: Path) -> None:
    try:
        body = YAML(typ="safe").load(file.read_text(encoding="utf-8"))
    except YAMLError:
        return
    if not isinstance(body, dict):
        return
    lacking = False
    for part in _LISTS:
        listed = body.get(part)
        if isinstance(listed, list):
            there = [each for each in listed if (file.parent / str(each)).exists()]
            lacking = lacking or len(there) != len(listed)
            body[part] = there
    for entry in (entry for part in _GENERATORS for entry in body.get(part) or ()):
        for key in ("files", "envs"):
            files = entry.get(key) if isinstance(entry, dict) else None
            if isinstance(files, list):
                there = [each for each in files if (file.parent / str(each).rpartition("=")[2]).is_file()]
                lacking = lacking or len(there) != len(files)
                entry[key] = there
    if lacking:
        _write(file, body)


def _write(file: Path, body: Body) -> None:
    with file.open("w", encoding="utf-8") as out:
        YAML(typ="safe").dump(body, out)
