"""Charts that a house installs, by helmfile or by Flux, each with the values that Git shows. Renders no chart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from house.data.releases import APP_TEMPLATE, Releases, is_release, merge
from house.files import yamlfile
from house.files.problems import shown
from house.files.shapes import mapping, sequence
from house.files.yamlfile import YamlInvalid
from house.flux.rendered import Rendered
from house.model import House


@dataclass(frozen=True)
class Program:
    """One release. `chart` is the chart's name alone, `unseen` what Git does not show of its values; `kustomization` "" for one
    that only the helmfile installs."""

    namespace: str
    name: str
    chart: str
    declared_in: str
    values: dict[str, Any] = field(default_factory=dict, repr=False)
    unseen: tuple[str, ...] = ()
    kustomization: str = ""
    app_template: bool = False

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"

    @property
    def told(self) -> str:
        """What a person calls it."""
        return f"HelmRelease {self.key}" if self.kustomization else f"release {self.key} of the helmfile"

    def at(self, *path: str) -> Any:
        """The value at this path, None where there is none."""
        found: Any = self.values
        for step in path:
            found = mapping(found).get(step)
        return found


def programs_of(house: House, rendered: Rendered) -> tuple[Program, ...]:
    """Those of Flux first: what both install is one, with Flux's values."""
    return (*_of_flux(rendered), *_of_helmfile(house, rendered))


def _of_flux(rendered: Rendered) -> Iterator[Program]:
    releases = Releases(rendered)
    for one in rendered.objects:
        if is_release(one):
            given = releases.values(one)
            yield Program(
                one.namespace, one.name, releases.chart(one), one.declared_in, given.values, given.unseen, one.kustomization,
                releases.of_app_template(one),
            )  # fmt: skip


def _of_helmfile(house: House, rendered: Rendered) -> Iterator[Program]:
    known = {(one.namespace, str(one.spec.get("releaseName") or one.name)) for one in rendered.objects if is_release(one)}
    written = dict(_written(house.helmfile))
    name = shown(house.helmfile, house.root)
    for release in house.releases:
        if (release.namespace, release.name) not in known:
            chart = release.chart.rstrip("/").rpartition("/")[2].partition(":")[0]
            values, line, unseen = written.get((release.namespace, release.name), ({}, 0, ("its helmfile",)))
            place = f"{name}:{line}" if line else name
            yield Program(release.namespace, release.name, chart, place, values, unseen, app_template=chart == APP_TEMPLATE)


def _written(helmfile: Path) -> Iterator[tuple[tuple[str, str], tuple[dict[str, Any], int, tuple[str, ...]]]]:
    """Namespace and name of each release → its values as far as files show them, its line, and what is not shown."""
    try:
        documents = yamlfile.load(helmfile)
    except YamlInvalid:
        return
    for document in documents:
        for index, item in enumerate(map(mapping, sequence(mapping(document.value).get("releases")))):
            values: dict[str, Any] = {}
            unseen = [key for key in ("set", "inherit", "valuesTemplate", "secrets") if item.get(key)]
            for entry in sequence(item.get("values")):
                told = _entry(helmfile, entry)
                if told is None:
                    unseen.append(str(entry))
                else:
                    values = merge(values, told)
            key = str(item.get("namespace") or "default"), str(item.get("name"))
            yield key, (values, document.line(("releases", index)), tuple(unseen))


def _entry(helmfile: Path, entry: Any) -> dict[str, Any] | None:
    """Values that stand there, or in a file beside it; None for a template, and for what is not there."""
    if isinstance(entry, dict):
        return entry
    if not isinstance(entry, str) or "{{" in entry or not entry.endswith((".yaml", ".yml")):
        return None
    try:
        documents = yamlfile.load(helmfile.parent / entry)
    except YamlInvalid:
        return None
    return mapping(documents[0].value) if documents else {}
