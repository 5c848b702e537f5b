"""The `bootstrap` section of a first settings file: what scripts apply, each entry with the line that it was found on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from house.declared.bootstrapping import version_in
from house.files import yamlfile
from house.files.paths import is_file
from house.files.scalars import plain
from house.files.shapes import mapping
from house.files.yamlfile import YamlInvalid
from house.repository.helmfiles.needs import folders, required
from house.scripts.reading import Scripted
from house.scripts.secrets import Made
from house.settings.values import FILL_IN

_HEAD = "# What scripts of the repository put into the cluster besides the helmfile: a run does it as steps of its own."


def bootstrap_text(scripted: Scripted, root: Path) -> str:
    """The section's text, "" when the scripts apply nothing that belongs there."""
    crds, secrets, variables = list(_crds(scripted)), list(_secrets(scripted, root)), required(root)
    if not crds and not secrets and not variables:
        return ""
    lines = [_HEAD] if crds or secrets else []
    lines.append("bootstrap:")
    if variables:
        lines += ["  # Variables that helmfile is given; a path that begins with ./ is seen from this file.", "  environment:"]
        lines += _variables(variables, folders(root))
    if crds:
        lines += ["  # Applied before the first release; only definitions are taken of each manifest.", "  crds:", *crds]
    if secrets:
        lines += ["  # Made before the first release.", "  secrets:" if _some(secrets) else "  secrets: []", *secrets]
    return "\n".join(lines) + "\n"


def _variables(variables: dict[str, str], known: dict[str, str]) -> Iterator[str]:
    for name, place in variables.items():
        needs = f"{place} needs it (requiredEnv)"
        if name in known:
            folder = "." if known[name] == "." else f"./{known[name]}"
            yield f"    {name}: {plain(folder)}  # (usual): all that helmfile names by it is there; {needs}"
        else:
            yield f"    {name}: {FILL_IN}  # {needs}"


def _some(lines: list[str]) -> bool:
    return any(line.lstrip().startswith("- ") for line in lines)


def _crds(scripted: Scripted) -> Iterator[str]:
    for manifest in scripted.manifests:
        yield f"    # {manifest.place}"
        yield f"    - url: {plain(manifest.url)}"
        if version := version_in(manifest.url):
            yield f"      version: {plain(version)}"
        yield f"      sha256: {FILL_IN}  # curl -sSfL '{manifest.url}' | sha256sum"
    for kind, places in (("file", scripted.files), ("folder", scripted.folders)):
        for path, place in places:
            yield f"    # {place}"
            yield f"    - {kind}: {plain(path)}"


def _secrets(scripted: Scripted, root: Path) -> Iterator[str]:
    for one in scripted.made:
        yield f"    # {one.place}"
        yield from _manifest(one, root) if one.file else _made(one)
    for path, place in scripted.secret_folders:
        yield f"    # {place}"
        yield f"    - folder: {plain(path)}"


def _made(one: Made) -> Iterator[str]:
    yield f"    - name: {plain(one.name)}"
    yield f"      namespace: {plain(one.namespace)}"
    yield "      keys:"
    for key, reference in one.keys:
        yield f"        {plain(key)}: {plain(reference)}"


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
    yield f"    - file: {plain(one.file)}"
    if not all(mapping(body.get("metadata")).get("namespace") for body in bodies):
        where = "" if one.namespace else "  # the namespace that the script puts it into"
        yield f"      namespace: {plain(one.namespace or FILL_IN)}{where}"
