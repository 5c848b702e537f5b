"""The `bootstrap` section of a first settings file: what scripts apply, each entry with the line that it was found on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from house import yamlfile
from house.bootstrapping import version_in
from house.paths import is_file
from house.scripts.reading import Scripted
from house.scripts.secrets import Made
from house.shapes import mapping
from house.values import FILL_IN
from house.yamlfile import YamlInvalid

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9._/-]*")
_HEAD = "# What scripts of the repository put into the cluster besides the helmfile: a run does it as steps of its own."


def bootstrap_text(scripted: Scripted, root: Path) -> str:
    """The section's text, "" when the scripts apply nothing that belongs there."""
    crds, secrets = list(_crds(scripted)), list(_secrets(scripted, root))
    if not crds and not secrets:
        return ""
    lines = [_HEAD, "bootstrap:"]
    if crds:
        lines += ["  # Applied before the first release; only definitions are taken of each manifest.", "  crds:", *crds]
    if secrets:
        lines += ["  # Made before the first release.", "  secrets:" if _some(secrets) else "  secrets: []", *secrets]
    return "\n".join(lines) + "\n"


def _some(lines: list[str]) -> bool:
    return any(line.lstrip().startswith("- ") for line in lines)


def _crds(scripted: Scripted) -> Iterator[str]:
    for manifest in scripted.manifests:
        yield f"    # {manifest.place}"
        yield f"    - url: {_text(manifest.url)}"
        if version := version_in(manifest.url):
            yield f"      version: {_text(version)}"
        yield f"      sha256: {FILL_IN}  # curl -sSfL '{manifest.url}' | sha256sum"
    for kind, places in (("file", scripted.files), ("folder", scripted.folders)):
        for path, place in places:
            yield f"    # {place}"
            yield f"    - {kind}: {_text(path)}"


def _secrets(scripted: Scripted, root: Path) -> Iterator[str]:
    for one in scripted.made:
        yield f"    # {one.place}"
        yield from _manifest(one, root) if one.file else _made(one)
    for path, place in scripted.secret_folders:
        yield f"    # {place}"
        yield f"    - folder: {_text(path)}"


def _made(one: Made) -> Iterator[str]:
    yield f"    - name: {_text(one.name)}"
    yield f"      namespace: {_text(one.namespace)}"
    yield "      keys:"
    for key, reference in one.keys:
        yield f"        {key if _PLAIN.fullmatch(key) else _text(key)}: {_text(reference)}"


def _manifest(one: Made, root: Path) -> Iterator[str]:
    """An encrypted manifest; one that is not here, or does not show its Secret, is only told."""
    try:
        documents = yamlfile.load(root / one.file, one.file) if is_file(root / one.file) else ()
    except YamlInvalid:
        documents = ()
    bodies = [mapping(document.value) for document in documents]
    if not bodies or any(body.get("kind") != "Secret" for body in bodies):
        why = "is no Secret" if bodies else "is not here, or cannot be read"
        yield f"    # - file: {one.file}  # {why}"
        return
    yield f"    - file: {_text(one.file)}"
    if not all(mapping(body.get("metadata")).get("namespace") for body in bodies):
        where = "" if one.namespace else "  # the namespace that the script puts it into"
        yield f"      namespace: {_text(one.namespace or FILL_IN)}{where}"


def _text(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)
