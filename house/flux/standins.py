"""Builds a folder that changes what lies elsewhere: a patch for an object of another repository finds one that stands in for it.

Flux fetches such parts, and its build ends well. Without them kustomize refuses it, and every object that stands here with them
would be lost. What stood in is taken out of what was built. Fetches nothing.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from house.files import yamlfile
from house.files.shapes import mapping, sequence
from house.files.yamlfile import YamlInvalid
from house.flux.building import Kustomize, NotBuilt, built
from house.flux.reads import NAMES, Reads

_MARK = "blackstart-stands-in"
"""In the name of its file, which kustomize notes as its origin, and in an annotation, which outlives a merge."""
_MOST = 40
"""How many builds are tried: each time kustomize names one object that it lacks."""
# kustomize's own words about patches, `replicas` and generators that merge. A name may have dots, a version and a namespace not.
_PATCHED = re.compile(r"no matches for Id ([^\s.]+)\.([^\s./]+)\.([^\s/]+)/([^\s;]+)\.([^\s.;]+);")
_COUNTED = re.compile(r"resource with name (\S+) does not match a config with the following GVK")
_MERGED = re.compile(r'Kind:"(ConfigMap|Secret)"[^}]*\}, Name:"([^"]+)", Namespace:"([^"]*)"\} does not exist; cannot merge')


@dataclass(frozen=True)
class _Object:
    """An object that kustomize lacks, as it names it."""

    api: str
    kind: str
    name: str
    namespace: str = ""

    def text(self) -> bytes:
        """As a file, with nothing in it but what it is known by."""
        metadata = {"name": self.name, "annotations": {_MARK: "true"}} | ({"namespace": self.namespace} if self.namespace else {})
        return json.dumps({"apiVersion": self.api, "kind": self.kind, "metadata": metadata}).encode()


def built_beside(kustomize: Kustomize, reads: Reads) -> str:
    """As `built`, with something that stands in for what of `reads.remotes` is changed here."""
    try:
        return built(kustomize, reads)
    except NotBuilt as error:
        if not reads.remotes:
            raise
        first = now = error
    places, standing = _places(reads), dict[_Object, int]()
    for _ in range(_MOST):
        lacking = _lacking(" ".join(now.evidence))
        # In one place it may be too far from the patch, and then it is not asked for there.
        at = standing.get(lacking, -1) + 1 if lacking is not None else len(places)
        if lacking is None or at >= len(places):
            break
        standing[lacking] = at
        try:
            text = built(kustomize, _with(reads, {one: places[place] for one, place in standing.items()}))
        except NotBuilt as error:
            now = error
        else:
            return "---\n".join(part for part in re.split(r"^---\n", text, flags=re.MULTILINE) if _MARK not in part)
    raise first


def _lacking(words: str) -> _Object | None:
    """The one object that kustomize says is not there, None where its words are about something else."""
    if (found := _PATCHED.search(words)) is not None:
        kind, version, group, name, space = ("" if part.startswith("[no") else part for part in found.groups())
        return _Object(f"{group}/{version}" if group else version, kind, name, space)
    if (found := _COUNTED.search(words)) is not None:
        return _Object("apps/v1", "Deployment", found[1])
    if (found := _MERGED.search(words)) is not None:
        return _Object("v1", found[1], found[2], found[3])
    return None


def _places(reads: Reads) -> list[str]:
    """The kustomizations that name something elsewhere, as files of the build; that of the folder itself stands for Flux's own."""
    folder = "" if reads.folder == "." else f"{reads.folder}/"
    top = [f"{folder}{name}" for name in NAMES]
    named = [remote.file for remote in reads.remotes]
    return [file for file in dict.fromkeys([*named, *top]) if PurePosixPath(file).name in NAMES and _body(reads, file)]


def _body(reads: Reads, file: str) -> dict[str, Any]:
    """A kustomization of the build; {} for what is none."""
    with suppress(YamlInvalid):
        return mapping(yamlfile.value(reads.files.get(file, b"").decode("utf-8", errors="replace"), file))
    return {}


def _with(reads: Reads, standing: dict[_Object, str]) -> Reads:
    files = dict(reads.files)
    for number, (one, place) in enumerate(standing.items()):
        name = f"{_MARK}-{number}.yaml"
        body = _body(replace(reads, files=files), place)
        files[place] = json.dumps(body | {"resources": [*sequence(body.get("resources")), name]}).encode()
        files[str(PurePosixPath(place).with_name(name))] = one.text()
    return replace(reads, files=files)
