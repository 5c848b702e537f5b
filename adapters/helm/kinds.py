"""The kinds that a release of the helmfile renders: rendered once for what is served by then, and kept in the state folder.

Of what was rendered only the kinds are kept: the rest may hold secrets. Knows no API server.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from adapters.helm.crds import BREAK
from adapters.helm.helmfile import Helmfile
from adapters.helm.results import ReleaseKinds
from adapters.kubernetes.objects import Obj, dig, text
from engine.errors import PermanentError
from engine.files.whole import put_in_place
from engine.text.digest import digest
from engine.text.jsontext import Malformed, read_file
from house.declared.kinds import Kind, defined_by
from house.files.shapes import mapping, sequence
from house.files.yamlfile import YamlInvalid, value
from house.model import House

_FORM = "2"
"""Changes whenever what is kept, or how it was made, changes."""
_KEPT = 4
"""Renderings of one release that are kept: with what a bootstrap serves by then, with what a living cluster serves besides."""
_API = re.compile(r"^apiVersion:[ \t]*[\"']?([^\s\"'#]+)", re.MULTILINE)
_KIND = re.compile(r"^kind:[ \t]*[\"']?(\w+)", re.MULTILINE)
_HOOK = re.compile(r"^ +[\"']?helm\.sh/hook[\"']?:[ \t]*[\"']?([\w, \t-]+)", re.MULTILINE)
_SOURCE = re.compile(r"^# Source: (\S+)", re.MULTILINE)
_KINDS = ("needs", "later", "first", "brings")
_WORKLOADS = frozenset({"Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"})
_ONE_BY_ONE = frozenset({"CustomResourceDefinition", "List"})
"""Kinds whose objects must be read: what they define, or hold."""
_IMAGE = re.compile(r"^[ -]*[\"']?(?:image|reference)[\"']?:[ \t]*[\"']?([^\s\"'{}#]+)", re.MULTILINE)
_NEVER = frozenset({"test", "test-success", "test-failure", "pre-delete", "post-delete", "pre-rollback", "post-rollback"})
_AFTERWARDS = frozenset({"post-install", "post-upgrade"})


class RenderedKinds:
    """The releases of the helmfile, each by the kinds that it renders."""

    def __init__(self, helmfile: Helmfile, house: House) -> None:
        self._helmfile, self._house = helmfile, house
        self._folder = house.state_dir / "crds"
        self._locks: dict[str, threading.Lock] = {}

    def of(self, namespace: str, name: str, served: Collection[Kind]) -> ReleaseKinds:
        """What the release renders where an API server has `served` besides its own. What `Helmfile.template` raises."""
        apis = sorted({word for kind in served for word in (kind.api, f"{kind.api}/{kind.name}")})
        wanted = digest(_FORM, self._helmfile.digest(namespace, name), self._house.cluster.kubernetes_version, apis)
        file = self._folder / f"kinds-{namespace}_{name}-{wanted}.json"
        # Several checks ask for the releases before theirs at the same time: one renders, the others read what it kept.
        with self._locks.setdefault(file.name, threading.Lock()):
            kept = _read(file)
            if kept is not None:
                return kept
            # Charts ask for these before they render what needs them, and some refuse without.
            flags = [flag for api in apis for flag in ("--api-versions", api)]
            found = kinds_in(self._helmfile.template(namespace, name, "--skip-tests", *flags), f"{namespace}/{name}")
            self._keep(file, f"kinds-{namespace}_{name}-*.json", found)
        return found

    def _keep(self, file: Path, older: str, found: ReleaseKinds) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._helmfile.scratch() as folder:
            fresh = folder / file.name
            rows = {part: [[kind.api, kind.name] for kind in getattr(found, part)] for part in _KINDS}
            fresh.write_text(json.dumps({**rows, "images": found.images}), encoding="utf-8")
            put_in_place(fresh, file, lasting=False)
        for old in sorted(self._folder.glob(older), key=_age, reverse=True)[_KEPT:]:
            old.unlink(missing_ok=True)


def kinds_in(rendered: str, release: str) -> ReleaseKinds:
    """The kinds of everything that helm rendered, sorted by when they must be served. PermanentError for what is no YAML."""
    needs: dict[Kind, None] = {}
    later: dict[Kind, None] = {}
    first: dict[Kind, None] = {}
    brings: dict[Kind, None] = {}
    images: dict[str, None] = {}
    in_folder = False
    for part in BREAK.split(rendered):
        source = _SOURCE.search(part)
        if source:  # stands before the first object of a file alone
            folders = source[1].split("/")
            in_folder = "crds" in folders and "templates" not in folders
        when = _hook(part)
        if when <= _NEVER and when:
            continue
        for kind, body in _objects(part, release):
            if kind.name in _WORKLOADS:
                images.update(dict.fromkeys(images_in(body) if body else _images_of(part)))
            if kind.name == "CustomResourceDefinition" and body:
                (first if in_folder else brings).update(dict.fromkeys(defined_by(body)))
            (later if when and when & _AFTERWARDS and not when - _AFTERWARDS - _NEVER else needs)[kind] = None
    return ReleaseKinds(tuple(sorted(needs)), tuple(sorted(later)), tuple(sorted(first)), tuple(sorted(brings)), tuple(images))


def _images_of(part: str) -> Iterator[str]:
    """The same out of one document; line by line where it is no YAML to us, which helm may forgive."""
    try:
        yield from images_in(mapping(value(part, "")))
    except YamlInvalid:
        yield from (found[1] for found in _IMAGE.finditer(part))


def images_in(workload: Obj) -> Iterator[str]:
    """What the pods of a workload pull: of every container, and of volumes that are images."""
    spec = mapping(dig(workload, "spec"))
    for step in ("jobTemplate", "template"):  # of a CronJob one within the other; a Pod has neither
        spec = mapping(dig(spec, step, "spec")) or spec
    for part in ("initContainers", "containers"):
        yield from (text(mapping(one), "image") for one in sequence(spec.get(part)) if text(mapping(one), "image"))
    volumes = (text(mapping(one), "image", "reference") for one in sequence(spec.get("volumes")))
    yield from filter(None, volumes)


def _hook(part: str) -> frozenset[str]:
    found = _HOOK.search(part)
    return frozenset(word.strip() for word in found[1].split(",") if word.strip()) if found else frozenset()


def _objects(part: str, release: str) -> Iterator[tuple[Kind, Obj]]:
    """Kind and, where it must be read, body of what one document holds; a chart may render megabytes of which two lines count."""
    api, kind = _API.search(part), _KIND.search(part)
    if api and kind and kind[1] not in _ONE_BY_ONE:
        yield Kind(api[1], kind[1]), {}
        return
    if not re.search(r"^[^\s#]", part, re.MULTILINE):
        return
    try:
        yield from _within(mapping(value(part, release)))
    except YamlInvalid as error:
        raise PermanentError(f"{release} renders what is no YAML", evidence=(str(error.problem),)) from None


def _within(body: Obj) -> Iterator[tuple[Kind, Obj]]:
    if text(body, "kind") == "List":
        for item in sequence(dig(body, "items")):
            yield from _within(mapping(item))
    elif text(body, "kind"):
        yield Kind(text(body, "apiVersion"), text(body, "kind")), body


def _age(file: Path) -> float:
    """When it was kept; a run beside this one may have taken it away meanwhile."""
    try:
        return file.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _read(file: Path) -> ReleaseKinds | None:
    """What was kept; None when it is not there or not whole."""
    try:
        return read_file(file, _kept)
    except (OSError, Malformed):
        return None


def _kept(rows: dict[str, Any]) -> ReleaseKinds:
    images = tuple(map(str, rows.pop("images")))
    return ReleaseKinds(**{part: tuple(Kind(api, name) for api, name in kinds) for part, kinds in rows.items()}, images=images)
