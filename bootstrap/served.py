"""Which kinds are served at one moment of a bootstrap, besides Kubernetes' own: what was brought before it. Knows no check."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from adapters.context import LookContext
from engine.errors import BlackstartError
from house.declared.kinds import Kind, lacking, of_flux, runs_with
from house.model import House, Release


@dataclass(frozen=True)
class Served:
    """`charts` are those whose programs may run by then; `unseen` are releases that could not be rendered."""

    kubernetes_version: str
    kinds: frozenset[Kind] = frozenset()
    charts: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    flux: bool = False

    def and_(self, more: Iterable[Kind]) -> Served:
        """These kinds besides."""
        return replace(self, kinds=self.kinds | frozenset(more))

    def with_release(self, look: LookContext, release: Release) -> Served:
        """What this release brings besides, rendered where these kinds are served."""
        try:
            found = look.releases.kinds_of(release.namespace, release.name, self.kinds)
        except BlackstartError:
            return replace(self, unseen=(*self.unseen, release.key))
        return replace(self.and_((*found.first, *found.brings)), charts=(*self.charts, release.chart))

    def joined(self, others: Iterable[Served]) -> Served:
        """All that is there when what these tell of is there as well."""
        now = self
        for other in others:
            now = replace(
                now.and_(other.kinds), charts=_both(now.charts, other.charts), unseen=_both(now.unseen, other.unseen)
            )
        return now

    def with_flux(self) -> Served:
        """What Flux brings when it runs."""
        return replace(self, flux=True)

    def lacking(self, kinds: Iterable[Kind]) -> tuple[Kind, ...]:
        """Of these, those that nothing is known to serve."""
        absent = lacking(kinds, self.kinds, self.kubernetes_version)
        by_program = [kind for kind in absent if any(runs_with(chart, kind) for chart in self.charts)]
        return tuple(kind for kind in absent if kind not in by_program and not (self.flux and of_flux(kind)))


def by_definitions(look: LookContext, house: House) -> Served:
    """What is there before the first release: the definitions of the settings and of the CRD helmfile. Raises what its ports do."""
    sources = (crd for source in house.crd_sources for crd in look.manifests.crds_of(source))
    charts = (crd for chart in house.crd_charts for crd in look.releases.crds_of(chart.namespace, chart.name))
    found = frozenset(kind for crd in (*sources, *charts) for kind in crd.kinds)
    return Served(house.cluster.kubernetes_version, found)


def release_before(look: LookContext, house: House, release: Release) -> Served:
    """What is there when this release is installed: the definitions, and the releases that it waits for."""
    wanted: set[str] = set()
    waiting = list(release.needs)
    known = {one.key: one for one in house.releases}
    while waiting:
        key = waiting.pop()
        if key in known and key not in wanted:
            wanted.add(key)
            waiting += known[key].needs
    definitions = by_definitions(look, house)
    return definitions.joined(_each(look, house, wanted, definitions).values())


def after_each(look: LookContext, house: House) -> dict[str, Served]:
    """Release key → what is there once that release is, which is more than it brings; each after those that it waits for.

    A release is rendered with what it waits for and nothing else, here and before its own turn: that is done once, and kept.
    """
    return _each(look, house, {release.key for release in house.releases}, by_definitions(look, house))


def _each(look: LookContext, house: House, wanted: set[str], definitions: Served) -> dict[str, Served]:
    done: dict[str, Served] = {}
    for release in _in_turn(house, wanted):
        before = definitions.joined(done[key] for key in release.needs if key in done)
        done[release.key] = before.with_release(look, release)
    return done


def _both(some: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*some, *more)))


def _in_turn(house: House, wanted: set[str]) -> Iterable[Release]:
    """These releases, each after those that it needs; in the file's order where that leaves a choice."""
    left = [release for release in house.releases if release.key in wanted]
    while left:
        ready = [one for one in left if not {other.key for other in left} & set(one.needs)] or left[:1]
        yield ready[0]
        left.remove(ready[0])
