"""What a helmfile cannot do without: variables (every `requiredEnv` in it, its bases and its templates), and plugins of helm.

A run hands on nothing of the environment that it was started in; what it hands on the settings say. Runs no program.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from os.path import normpath
from pathlib import Path
from typing import Any

from engine.files.content import content_of
from house.files import yamlfile
from house.files.paths import is_file
from house.files.problems import Problem, dotted, shown
from house.files.shapes import mapping, sequence
from house.files.yamlfile import Document, YamlInvalid
from house.repository.helmfiles.folders import folders_of
from house.repository.helmfiles.helmfile import crd_helmfile_of, helmfile_of

WHERE = ("bootstrap", "environment")
_SOPS = b"ref+sops://"
_PULLS = (("git+", "helm-git"), ("s3://", "s3"), ("gs://", "gcs"))
"""Schemes that helm pulls charts by only with a plugin, and its name."""
_REQUIRED = re.compile(r"\brequiredEnv\s+[\"`]([A-Za-z_][A-Za-z0-9_]*)[\"`]")


def required(root: Path) -> dict[str, str]:
    """Each variable by its name, with `file:line` of the first place that asks for it."""
    found: dict[str, str] = {}
    for helmfile in _helmfiles(root):
        for file in _files(helmfile, _based(helmfile)):
            for name, line in _asked(file):
                found.setdefault(name, f"{shown(Path(normpath(file)), root)}:{line}")
    return dict(sorted(found.items()))


def folders(root: Path) -> dict[str, str]:
    """Of those that stand for a folder of the repository, as far as what is named behind them shows it, that folder."""
    files = dict.fromkeys(file for helmfile in _helmfiles(root) for file in _files(helmfile, _based(helmfile)))
    return folders_of(root, map(_text, files))


def opens_sops(root: Path) -> bool:
    """Whether a helmfile of the bootstrap opens what SOPS has encrypted: by `secrets`, its own or those of what it is based on, or
    by a reference in its texts."""
    for helmfile in _helmfiles(root):
        bodies = _based(helmfile)
        if any(map(_has_secrets, bodies)) or any(map(_opens, _files(helmfile, bodies))):
            return True
    return False


def plugins(root: Path) -> dict[str, str]:
    """The plugins of helm that a helmfile of the bootstrap cannot do without, each with `file: what` asks for it.

    helm-diff is none of them: what a run asks of helmfile is `build`, `write-values` and `sync`.
    """
    found: dict[str, str] = {}
    for helmfile in _helmfiles(root):
        bodies = _based(helmfile)
        place = shown(helmfile, root)
        if any(map(_has_secrets, bodies)):
            found.setdefault("secrets", f"{place}: `secrets`")
        pulled = [str(mapping(one).get("url") or "") for body in bodies for one in sequence(body.get("repositories"))]
        pulled += [str(one.get("chart") or "") for body in bodies for one in _releases(body)]
        for url in pulled:
            if name := next((plugin for scheme, plugin in _PULLS if url.startswith(scheme)), ""):
                found.setdefault(name, f"{place}: {url}")
    return found


def _based(helmfile: Path) -> list[dict[str, Any]]:
    """The documents of a helmfile, and of what it is based on."""
    own = _bodies(helmfile)
    bases = (base for body in own for base in _named(helmfile.parent, sequence(body.get("bases"))))
    return [*own, *(body for base in bases for body in _bodies(base))]


def lacking(document: Document, root: Path) -> Iterator[Problem]:
    """Those that the settings give no value."""
    given = mapping(mapping(mapping(document.value).get(WHERE[0])).get(WHERE[1]))
    for name, place in required(root).items():
        if name not in given:
            what = f"{place} needs {name} (requiredEnv), and a run hands on nothing of its own environment"
            better = f"write `environment: {{{name}: …}}` under bootstrap: its value, or a path that begins with ./"
            yield Problem(document.name, document.line(WHERE), dotted(WHERE), what, better)


def handed_on(given: Mapping[str, str], folder: Path) -> tuple[tuple[str, str], ...]:
    """Name and value of each; what is `.` or begins with `./` or `../` is a path, seen from the settings' `folder`."""
    return tuple((name, str((folder / value).resolve()) if _is_path(value) else value) for name, value in sorted(given.items()))


def _is_path(value: str) -> bool:
    return value in (".", "..") or value.startswith(("./", "../"))


def _helmfiles(root: Path) -> Iterable[Path]:
    return dict.fromkeys(filter(None, (crd_helmfile_of(root), helmfile_of(root))))


def _files(helmfile: Path, bodies: Iterable[Mapping[str, Any]]) -> dict[Path, None]:
    """The file, what it is based on, and the templates beside it or that these name, each once."""
    folder, found = helmfile.parent, [helmfile]
    for body in bodies:
        default = mapping(mapping(body.get("environments")).get("default"))
        for part in (body.get("bases"), default.get("values"), *(release.get("values") for release in _releases(body))):
            found += _named(folder, sequence(part))
    for beside in (folder, folder / "templates"):
        found += sorted(beside.glob("*.gotmpl"))
    return dict.fromkeys(found)


def _bodies(helmfile: Path) -> list[dict[str, Any]]:
    try:
        return [mapping(document.value) for document in yamlfile.load(helmfile)]
    except YamlInvalid:
        return []


def _releases(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Releases, and templates of such."""
    yield from map(mapping, sequence(body.get("releases")))
    yield from map(mapping, mapping(body.get("templates")).values())


def _has_secrets(body: dict[str, Any]) -> bool:
    default = mapping(mapping(body.get("environments")).get("default"))
    return any(part.get("secrets") for part in (default, *_releases(body)))


def _opens(file: Path) -> bool:
    try:
        return _SOPS in content_of(file)
    except OSError:
        return False


def _named(folder: Path, names: Iterable[object]) -> Iterator[Path]:
    for name in names:
        if isinstance(name, str) and "{{" not in name and is_file(folder / name):
            yield folder / name


def _text(file: Path) -> str:
    try:
        return content_of(file).decode("utf-8", "replace")
    except OSError:
        return ""


def _asked(file: Path) -> Iterator[tuple[str, int]]:
    for line, written in enumerate(_text(file).splitlines(), start=1):
        if not written.lstrip().startswith("#"):
            yield from ((name, line) for name in _REQUIRED.findall(written))
