"""Talos patches of a talconfig that talhelper cannot apply: JSON 6902 lists, where a machineconfig has several documents.

Source, tried: talhelper 3.1.16 ends with "JSON6902 patches are not supported for multi-document machine configuration"; user
volumes, volumes and a firewall make a second document at any Talos version, and from 1.12 on every machineconfig has several.
Knows no settings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.files.content import content_of
from house.files import yamlfile
from house.files.problems import Problem, Steps, shown
from house.files.shapes import mapping, sequence
from house.files.yamlfile import Document, YamlInvalid
from house.flux.placed import Placed

_MORE_DOCUMENTS = ("userVolumes", "volumes", "ingressFirewall")
_SEVERAL_FROM = (1, 12)
_VERSION = re.compile(r"v?([0-9]{1,4})\.([0-9]{1,4})")


def refused_patches(document: Document, root: Path, folder: Path, talos_version: str) -> tuple[Problem, ...]:
    """Every JSON 6902 patch of the talconfig in `folder` whose machineconfigs have several documents; each where it stands."""
    body = mapping(document.value)
    if not _several(body, talos_version):
        return ()
    better = "write it as a strategic merge (`$$patch: delete` takes a key out; talhelper reads a single $ as a variable)"
    what = "is a JSON 6902 patch, which talhelper refuses for machineconfigs of several documents"
    found = {(where.file, where.line) for where in _json_patches(document, body, root, folder)}
    return tuple(Problem(file, line, "", what, better) for file, line in sorted(found))


def _several(body: dict[str, Any], talos_version: str) -> bool:
    version = _VERSION.match(talos_version)
    if version is not None and (int(version[1]), int(version[2])) >= _SEVERAL_FROM:
        return True
    parts = [mapping(part) for part in (*sequence(body.get("nodes")), body.get("controlPlane"), body.get("worker"))]
    return any(part.get(key) for part in parts for key in _MORE_DOCUMENTS)


def parts_of(body: dict[str, Any]) -> Iterator[tuple[Steps, dict[str, Any]]]:
    """The sections of a talconfig that may have patches: for all nodes, for a role, for one."""
    yield (), body
    for role in ("controlPlane", "worker"):
        yield (role,), mapping(body.get(role))
    for index, node in enumerate(sequence(body.get("nodes"))):
        yield ("nodes", index), mapping(node)


def _json_patches(document: Document, body: dict[str, Any], root: Path, folder: Path) -> Iterator[Problem]:
    for where, part in parts_of(body):
        for file, line, text in patches_at(document, where, part, root, folder):
            if _is_json_patch(text):
                yield Problem(file, line, "", "", "")


def patches_at(
    document: Document, where: Steps, part: dict[str, Any], root: Path, folder: Path
) -> Iterator[tuple[str, int, str]]:
    """Each patch of a section of the talconfig in `folder`: its file, the line it begins at, its text."""
    for index, patch in enumerate(sequence(part.get("patches"))):
        if isinstance(patch, str):
            yield _text_of(document, (*where, "patches", index), patch, root, folder)


def all_patches(document: Document, root: Path, folder: Path) -> str:
    """The text of every patch of the talconfig in `folder`."""
    parts = parts_of(mapping(document.value))
    return "\n".join(text for where, part in parts for _, _, text in patches_at(document, where, part, root, folder))


def _text_of(document: Document, where: Steps, patch: str, root: Path, folder: Path) -> tuple[str, int, str]:
    """Where a patch stands and its text: a file is read (one that is not there is told with the others), all else is inline."""
    if (named := file_of(patch)) is None:
        return document.name, document.line(where), patch
    try:
        file = (folder / named).resolve()
        return shown(file, root), 1, content_of(file).decode()
    except (OSError, RuntimeError, ValueError):
        return document.name, document.line(where), ""


def file_of(patch: str) -> str | None:
    """The path that a patch names, None where it is the patch itself.

    Source: Talos' configpatcher.LoadPatches, which guesses that what holds no blank is a file's name, also without the @.
    """
    if patch.startswith("@"):
        return patch[1:].strip()
    return None if "\n" in patch or " " in patch or patch.startswith(("[", "{")) else patch


def check_patches(reader: Placed, folder: Path, root: Path) -> None:
    """Tell the reader each patch that talhelper reads as none: no YAML, or neither a mapping nor a list.

    A file of patches that is not there is told with the other files.
    """
    for where, part in parts_of(mapping(reader.document.value)):
        for index, patch in enumerate(sequence(part.get("patches"))):
            if isinstance(patch, str):
                place: Steps = (*where, "patches", index)
                name, _, text = _text_of(reader.document, place, patch, root, folder)
                own = f" ({name})" if name != reader.document.name else ""
                if wrong := _no_patch(text):
                    reader.wrong(place, f"{wrong}{own}", "write the part of a machineconfig that it changes")


def _no_patch(text: str) -> str:
    if "{{" in text:
        return ""  # a template, and no YAML before it is rendered
    try:
        documents = yamlfile.parse(text)
    except YamlInvalid as error:
        return f"is no patch: it {error.problem.what}"
    return "is no patch: neither a mapping nor a list" if any(not isinstance(d.value, dict | list) for d in documents) else ""


def _is_json_patch(text: str) -> bool:
    try:
        documents = yamlfile.parse(text)
    except YamlInvalid:
        return False
    items = [item for document in documents for item in sequence(document.value)]
    return bool(items) and all("op" in mapping(item) and "path" in mapping(item) for item in items)
