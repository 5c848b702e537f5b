"""Charts that lie in this repository: by what a release of one makes backups. Reads the templates' text, and renders nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from house.data.releases import merge
from house.files.paths import is_file, is_folder
from house.files.shapes import mapping, sequence
from house.flux.rendered import RenderedObject
from house.repository.source import DeclaredSource
from house.repository.tree import Tree, real

_MAKES = re.compile(
    r"^[ \t-]*kind:[ \t]*[\"']?(?:ReplicationSource|SnapshotPolicy)\b|^[ \t]*apiVersion:[ \t]*[\"']?(?:velero|k8up)\.io/",
    re.MULTILINE,
)
_TEMPLATES = (".yaml", ".yml", ".tpl")
_VALUE = re.compile(r"\.Values(?:\.|\s+\")(\w+)")


def switched_on(tree: Tree, chart: Path, own: Mapping[str, Any], *, unseen: bool) -> str:
    """How a release with these values of its own makes backups, as in `by its value backup`; "" where it makes none.

    `unseen` where there are other values than these and the chart's own: then nobody knows that it makes none.
    """
    made = _made_by(tree, chart)
    values = merge(_defaults(tree, chart), own) if made else {}
    on = sorted(key for keys in made.values() for key in keys if _is_on(values.get(key), said=key in own))
    if on:
        return f"by its value {on[0]}"
    return "by values that are not seen" if made and unseen else "whatever its values are" if not all(made.values()) else ""


def own_chart(tree: Tree, release: RenderedObject, source: DeclaredSource) -> Path | None:
    """The folder of a release's chart, None where it is not one of this repository."""
    spec = mapping(mapping(release.spec.get("chart")).get("spec"))
    reference = mapping(spec.get("sourceRef"))
    if (reference.get("kind"), reference.get("name")) != (source.kind, source.name):
        return None
    folder = real(tree.root / source.base / str(spec.get("chart") or "."))
    inside = folder is not None and folder.is_relative_to(tree.root) and is_file(folder / "Chart.yaml")
    return folder if inside else None


def _defaults(tree: Tree, chart: Path) -> dict[str, Any]:
    """The chart's own values, of which it need have none."""
    file = chart / "values.yaml"
    documents = tree.documents(file) if is_file(file) else ()
    return mapping(documents[0].value) if documents else {}


def _made_by(tree: Tree, chart: Path) -> dict[str, set[str]]:
    """Each template that makes backups → the values that it looks at; none of one in a chart that this one depends on: what is said
    of those stands elsewhere."""
    found: dict[str, set[str]] = {}
    for folder in _with_dependencies(tree, chart):
        templates = folder / "templates"
        for file in sorted(templates.glob("**/*")) if is_folder(templates) else ():
            text = tree.text(file) if file.suffix in _TEMPLATES and is_file(file) else ""
            if _MAKES.search(text):
                found[str(file)] = set(_VALUE.findall(text)) if folder == chart else set()
    return found


def _with_dependencies(tree: Tree, chart: Path) -> Iterable[Path]:
    """This chart, and those it depends on that lie in this repository: below it, or where it says by `file://`."""
    found = {chart: None}
    pending = [chart]
    while pending:
        folder = pending.pop()
        said = (mapping(document.value).get("dependencies") for document in tree.documents(folder / "Chart.yaml"))
        named = (str(mapping(one).get("repository")) for dependencies in said for one in sequence(dependencies))
        near = [folder / name.removeprefix("file://") for name in named if name.startswith("file://")]
        below = sorted((folder / "charts").glob("*")) if is_folder(folder / "charts") else []
        for one in map(real, (*below, *near)):
            if one is not None and one not in found and one.is_relative_to(tree.root) and is_file(one / "Chart.yaml"):
                found[one] = None
                pending.append(one)
    return found


def _is_on(value: object, *, said: bool) -> bool:
    """Whether a value switches its part of the chart on: `backup: {}` does where a release says it."""
    there = value is not None and value is not False if said else bool(value)
    return there and mapping(value).get("enabled") is not False
