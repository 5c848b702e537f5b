"""Files that a talconfig or a helmfile names, and whether they are there: talhelper and helm stop at the first that is not.

What a template or a hook makes of a name or a file is not known before it runs: that is a note, and no problem.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

from house.files import yamlfile
from house.files.paths import is_folder, is_there
from house.files.problems import Problem, Steps, dotted, shown
from house.files.shapes import mapping, sequence
from house.files.typed import go_truth
from house.files.yamlfile import Document, YamlInvalid
from house.flux.placed import Placed
from house.flux.substitution import substitute
from house.repository.helmfiles.folders import folders_of, stands_at
from house.repository.talconfigs.patches import file_of
from house.repository.tree import real

_REMOTE = re.compile(r"[a-z0-9+.-]+::?//|[a-z0-9-]+::|ref\+")
_PATTERN = re.compile(r"[*?\[]")
_GONE, _BETTER = "{} is not there", "bring the file back, or take its name out"
_NO_FILE, _NAME_ONE = "{} is a folder", "name a file"
_AWAY, _BRING = "{} lies outside of the repository", "keep it in there: a rebuild from Git alone would lack it"
_UNSEEN = "nobody looked whether {} is there"
_UNLOOKED = "its pattern cannot be read, or not what is in its folder"
Problems = tuple[Problem, ...]


def check_talconfig(reader: Placed, folder: Path, root: Path) -> None:
    """Tell the reader each patch, manifest and file that a talconfig of this folder names by its path and that is not there.

    One outside of the repository at `root` may be right, and a rebuild from Git alone lacks it.
    """
    for where, text in _named_by_talconfig(mapping(reader.document.value)):
        done = substitute(text, reader.variables)
        if done.missing or done.bad:
            reader.odd(where, _UNSEEN.format(text), "what its variables are is not known here")
            continue
        there = _there(folder, done.text)
        if there is None:
            reader.odd(where, _UNSEEN.format(done.text), _UNLOOKED)
        elif not there:
            reader.wrong(where, _GONE.format(done.text), _BETTER)
        elif is_folder(folder / done.text):
            reader.wrong(where, _NO_FILE.format(done.text), _NAME_ONE)
        elif _outside(folder / done.text, root):
            reader.odd(where, _AWAY.format(done.text), _BRING)


def _named_by_talconfig(body: dict[str, Any]) -> Iterator[tuple[Steps, str]]:
    """Place and path: every patch that is a file, what begins with @ in contents, and every manifest."""
    parts: list[tuple[Steps, Any]] = [((), body), *(((part,), body.get(part)) for part in ("controlPlane", "worker"))]
    parts += [(("nodes", index), node) for index, node in enumerate(sequence(body.get("nodes")))]
    for above, part in parts:
        for index, patch in enumerate(sequence(mapping(part).get("patches"))):
            if isinstance(patch, str) and (named := file_of(patch)) is not None:
                yield (*above, "patches", index), named
        for key, inner in (("machineFiles", "content"), ("inlineManifests", "contents")):
            for index, item in enumerate(sequence(mapping(part).get(key))):
                text = mapping(item).get(inner)
                if isinstance(text, str) and text.startswith("@"):
                    yield (*above, key, index, inner), text[1:].strip()
        for index, manifest in enumerate(sequence(mapping(part).get("extraManifests"))):
            if isinstance(manifest, str) and not _REMOTE.match(manifest):
                yield (*above, "extraManifests", index), manifest


def check_helmfile(file: Path, root: Path) -> tuple[Problems, Problems]:
    """Values, encrypted values and charts that a helmfile names by a path: those that are not there, and those that nobody knows.

    A file that is no YAML is told where it is read.
    """
    try:
        documents = yamlfile.load(file, shown(file, root))
    except YamlInvalid:
        return (), ()
    wrong, odd = list[Problem](), list[Problem]()
    known = folders_of(root, [text for one in documents for _, text, _ in _named_by_helmfile(mapping(one.value))])
    hooked = any(mapping(document.value).get("hooks") for document in documents)
    lenient = any(_lenient(mapping(document.value)) for document in documents)
    for document in documents:
        for where, text, made in _named_by_helmfile(mapping(document.value)):
            if stands_at(text, known):
                continue
            if "{{" in text:
                odd.append(_told(document, where, _UNSEEN.format(text), "it is a template"))
                continue
            there = _there(file.parent, text)
            if there and "chart" not in where and is_folder(file.parent / text):
                wrong.append(_told(document, where, _NO_FILE.format(text), _NAME_ONE))
            elif there and _outside(file.parent / text, root):
                odd.append(_told(document, where, _AWAY.format(text), _BRING))
            elif there is None:
                odd.append(_told(document, where, _UNSEEN.format(text), _UNLOOKED))
            elif not there:
                if made or hooked:
                    odd.append(_told(document, where, _GONE.format(text), "a hook has to make it"))
                elif lenient:
                    odd.append(_told(document, where, _GONE.format(text), "its missingFileHandler lets helmfile go on without"))
                else:
                    wrong.append(_told(document, where, _GONE.format(text), _BETTER))
    return tuple(wrong), tuple(odd)


def _named_by_helmfile(body: dict[str, Any]) -> Iterator[tuple[Steps, str, bool]]:
    """Place, path and whether a hook may make it: of the default environment and of every release that is installed."""
    default = mapping(mapping(body.get("environments")).get("default"))
    for key in ("values", "secrets"):
        for index, text in enumerate(sequence(default.get(key))):
            if isinstance(text, str) and not _REMOTE.match(text):
                yield ("environments", "default", key, index), text, False
    for index, text in enumerate(sequence(body.get("bases"))):
        if isinstance(text, str) and not _REMOTE.match(text):
            yield ("bases", index), text, False
    for at, release in enumerate(sequence(body.get("releases"))):
        told = mapping(release)
        if go_truth(told.get("installed")) is False or _lenient(told):
            continue
        above: Steps = ("releases", at)
        for key in ("values", "secrets"):
            for index, text in enumerate(sequence(told.get(key))):
                if isinstance(text, str) and not _REMOTE.match(text):
                    yield (*above, key, index), text, bool(told.get("hooks"))
        chart = told.get("chart")
        if isinstance(chart, str) and chart.startswith(("./", "../", "/")):
            yield (*above, "chart"), chart, bool(told.get("hooks"))


def _lenient(part: dict[str, Any]) -> bool:
    """Whether helmfile goes on without a file that is not there."""
    return bool(part.get("missingFileHandler", "Error") != "Error")


def _there(folder: Path, text: str) -> bool | None:
    """Whether this path, seen from the folder, or one that the pattern fits, is there; None where nobody can look."""
    if is_there(folder / text):
        return True
    if not _PATTERN.search(text):
        return False
    pattern = Path(text)
    start = Path(pattern.anchor) if pattern.is_absolute() else folder
    parts = pattern.relative_to(pattern.anchor).parts
    fixed = start.joinpath(*takewhile(lambda part: not _PATTERN.search(part), parts))
    try:
        if is_folder(fixed):
            os.scandir(fixed).close()  # glob takes a folder that it may not list for an empty one
        return next(start.glob(str(Path(*parts))), None) is not None
    except (OSError, RuntimeError, ValueError):  # not to be listed; links that lead back to themselves; no pattern to Python
        return None


def _outside(path: Path, root: Path) -> bool:
    """Whether a file lies, or its links lead, outside of the repository."""
    there = real(path)
    return there is not None and is_there(path) and not there.is_relative_to(root.resolve())


def _told(document: Document, where: Steps, what: str, better: str) -> Problem:
    return Problem(document.name, document.line(where), dotted(where), what, better)
