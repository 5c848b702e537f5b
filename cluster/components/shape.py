"""The one shape of a component's file: what it is known by, what it must say, what that means, and what a person does then."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from adapters.components.results import Ask, Program, Seen
from adapters.context import LookContext
from cluster.flux import allowed_databases, held_apps, not_applied
from cluster.storage.findings import Finding
from house.flux.rendered import RenderedObject
from house.model import House
from house.repository.programs import DeclaredProgram


@dataclass(frozen=True)
class Facts:
    """What an aspect is judged by: the objects that it asks for, the house, and the time."""

    look: LookContext
    house: House

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        return self.look.clock.now()

    def of(self, ask: Ask) -> tuple[Seen, ...]:
        """Every object of the kind; none where the cluster serves none. Raises what the look raises."""
        return self.look.components.objects(ask) or ()

    def declared(self, ask: Ask) -> list[RenderedObject]:
        """The objects of the kind in Git, whatever their version."""
        return [one for one in self.house.rendered.objects if (one.group, one.kind) == (ask.group, ask.kind)]

    def lacks(self, ask: Ask) -> bool:
        """Whether one of them is not there, by its name, though the Kustomization that applies it is at work."""
        held, allowed = held_apps(self.look, self.house), allowed_databases(self.look)
        idle = not_applied(self.look.flux.state(), self.house, held, allowed)
        names = {(one.namespace if ask.namespaced else "", one.name) for one in self.of(ask)}
        wanted = (one for one in self.declared(ask) if one.kustomization not in idle)
        return any((one.namespace if ask.namespaced else "", one.name) not in names for one in wanted)


Judge = Callable[[Facts], Iterator[Finding]]


@dataclass(frozen=True)
class Aspect:
    """One thing that a component's own objects must say, in a row of its own: `component.KEY.NAME`.

    `asks` are the kinds that it reads, the first of them the one that it speaks of; `command` is what a person types to look.
    """

    name: str
    title: str
    asks: tuple[Ask, ...]
    judge: Judge
    command: str


@dataclass(frozen=True)
class Component:
    """One system of the cluster.

    It is known by the images of its programs and by its charts, each the last parts of an address (`coredns`,
    `tailscale/k8s-operator`). `must` are images without which it does not run. `apart`: each release of it is a row of its own.
    `means` is what it means that it does not run.
    """

    key: str
    title: str
    images: tuple[str, ...]
    charts: tuple[str, ...]
    means: str
    must: tuple[str, ...] = ()
    aspects: tuple[Aspect, ...] = ()
    apart: bool = False

    def is_declared(self, one: DeclaredProgram) -> bool:
        """Whether a declared program is of this component: by its chart, where it has one of its own, or by an image."""
        return _ends(one.chart, self.charts) or any(_ends(image, self.images) for image in one.images)

    def runs_as(self, one: Program) -> bool:
        """Whether a program of the cluster has one of its images."""
        return any(_ends(image, self.images) for image in one.images)

    def lacks(self, running: Iterable[Program]) -> tuple[str, ...]:
        """Of the images that must run, those that none of these programs has."""
        there = [image for one in running for image in one.images]
        return tuple(name for name in self.must if not any(_ends(image, (name,)) for image in there))


def _ends(address: str, ends: Iterable[str]) -> bool:
    """Whether an address of a chart or an image ends with one of these, part by part."""
    parts = address.rstrip("/").split("/")
    return any(parts[-len(end.split("/")):] == end.split("/") for end in ends)
