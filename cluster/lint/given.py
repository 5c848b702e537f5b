"""What every rule reads: the house, what of Git is alive after a rebuild, and what is served from inside. Asks nobody.

What is suspended in Git is not applied by a rebuild, and no rule sees it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cluster.lint.inside import Inside, inside_of
from cluster.lint.programs import Program, programs_of
from cluster.lint.stores import Stores, stores_of
from cluster.machines.images import said_in
from house.data.releases import everything, is_release
from house.files import yamlfile
from house.files.problems import Steps, shown
from house.files.yamlfile import Document, YamlInvalid
from house.flux.rendered import Rendered, RenderedObject
from house.model import House


@dataclass(frozen=True)
class Given:
    """One house at one time (`now`, epoch seconds)."""

    house: House
    now: float
    nas_hosts: dict[str, str] = field(default_factory=dict)
    """NAS → the Proxmox host that its VM is on, where Proxmox was asked and said so."""

    @cached_property
    def rendered(self) -> Rendered:
        """All objects that Flux will apply and go on applying, those made of raw resources of the app-template among them."""
        off = {app.key for app in self.house.flux_apps if app.suspended}
        for app in self.house.flux_apps:  # parents stand before what they make
            if app.parent in off:
                off.add(app.key)
        alive = tuple(
            one for one in self.house.rendered.objects
            if one.kustomization not in off and not (is_release(one) and one.spec.get("suspend") is True)
        )  # fmt: skip
        return everything(Rendered(alive, self.house.rendered.not_followed))

    @cached_property
    def programs(self) -> tuple[Program, ...]:
        """Every chart that is installed, by helmfile or by Flux."""
        return programs_of(self.house, self.rendered)

    @cached_property
    def inside(self) -> Inside:
        """The addresses and names that answer only while the cluster does."""
        return inside_of(self.house, self.rendered, self.programs)

    @cached_property
    def stores(self) -> Stores:
        """The secret stores, and what is made of them."""
        return stores_of(self.rendered, self.inside)

    @cached_property
    def _settings(self) -> Document | None:
        try:
            documents = yamlfile.load(self.house.settings_file)
        except YamlInvalid:
            return None
        return documents[0] if documents else None

    def said_at(self, *where: str | int) -> str:
        """`file:line` of what stands at this path of the settings."""
        name = shown(self.house.settings_file, self.house.settings_file.parent)
        steps: Steps = where
        return f"{name}:{self._settings.line(steps)}" if self._settings is not None else name

    def fetched_images(self) -> Iterator[tuple[str, str]]:
        """The URL of each image that a VM is made of and somebody fetches, and `file:line` of its section."""
        return ((one.url, self.said_at(*said_in(self.house, one))) for one in self.house.images if one.url)

    def charts(self, *names: str) -> Iterator[Program]:
        """The programs of these charts, by the charts' names."""
        return (one for one in self.programs if one.chart in names)

    def objects(self, group: str, *kinds: str) -> Iterator[RenderedObject]:
        """The living objects of an API group ("" for the core one) and of these kinds."""
        return self.rendered.of_kind(group, *kinds)


def texts_of(value: Any) -> Iterator[str]:
    """Every text in a value, keys apart, however deep."""
    if isinstance(value, dict):
        for item in value.values():
            yield from texts_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts_of(item)
    elif isinstance(value, str):
        yield value
