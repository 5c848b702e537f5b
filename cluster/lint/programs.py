"""Charts that a house installs, by helmfile or by Flux, each with the values that Git shows. Renders no chart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from house.data.releases import Releases, is_release
from house.flux.rendered import Rendered
from house.model import House
from house.problems import shown
from house.shapes import mapping


@dataclass(frozen=True)
class Program:
    """One release. `chart` is the chart's name alone, `unseen` what Git does not show of its values; `kustomization` "" for one
    that only the helmfile installs, of which no values are read."""

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
    for release in house.releases:
        if (release.namespace, release.name) not in known:
            chart = release.chart.rstrip("/").rpartition("/")[2].partition(":")[0]
            yield Program(release.namespace, release.name, chart, shown(house.helmfile, house.root), unseen=("its helmfile",))
