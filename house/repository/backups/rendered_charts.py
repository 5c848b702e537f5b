"""HelmReleases whose chart makes backups by their values: rendered where the chart lies in this repository or was fetched by helm
before, else counted as makers, with why they are not followed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from house.data.releases import Releases, is_release
from house.flux.building import Builder
from house.flux.charts import NotRendered, backup_objects, says_where
from house.flux.graph import Applied
from house.flux.outside import outside
from house.flux.rendered import NotFollowed, Rendered, RenderedObject
from house.repository.backups.own_charts import own_chart, switched_on
from house.repository.source import DeclaredSource
from house.repository.tree import Tree


@dataclass(frozen=True)
class Followed:
    """The graph with what charts make in it; `releases` are the keys of those that were rendered, and `makers` those that make
    backups and were not."""

    applied: tuple[Applied, ...]
    releases: frozenset[str] = frozenset()
    makers: tuple[NotFollowed, ...] = ()


def with_charts(tree: Tree, applied: tuple[Applied, ...], source: DeclaredSource, builder: Builder) -> Followed:
    """Every release that makes backups is rendered, if it can be. Notes of the tree say which, and by what."""
    rendered = Rendered(tuple(one for each in applied for one in each.objects))
    following = _Following(tree, Releases(rendered), source, builder)
    out = tuple(replace(each, objects=(*each.objects, *following.made_by(each.objects))) for each in applied)
    return Followed(out, frozenset(following.done), tuple(following.makers))


class _Following:
    def __init__(self, tree: Tree, releases: Releases, source: DeclaredSource, builder: Builder) -> None:
        self._tree, self._releases, self._source, self._charts = tree, releases, source, builder.charts
        self.done: list[str] = []
        self.makers: list[NotFollowed] = []

    def made_by(self, objects: tuple[RenderedObject, ...]) -> Iterator[RenderedObject]:
        """The backups that releases among these objects make."""
        for one in objects:
            if is_release(one):
                yield from self._made_by(one)

    def _made_by(self, one: RenderedObject) -> tuple[RenderedObject, ...]:
        chart = own_chart(self._tree, one, self._source)
        by = self._switched_on(one, chart) if chart is not None else ""
        seen = outside(one).not_followed
        said = seen is not None and seen.makes_backups
        if not (by or said):
            return ()
        subject = f"HelmRelease {one.namespace}/{one.name}"
        try:
            made = self._rendered(one, chart)
        except NotRendered as error:
            if chart is not None and not said:
                told = f"is of the chart {chart.relative_to(self._tree.root)}, which makes backups {by}"
                self.makers.append(NotFollowed(subject, told, one.file, one.line, makes_backups=True))
            if self._charts is not None:
                what = ": ".join((f"{subject} makes backups that are not seen", error.what, *error.evidence[:1]))
                self._tree.note(one.file, one.line, what, error.hint or "see what its chart makes")
            return ()
        self.done.append(f"{one.namespace}/{one.name}")
        return made

    def _switched_on(self, one: RenderedObject, chart: Path) -> str:
        values = self._releases.values(one)
        unseen = bool(values.unseen) or self._releases.has_values_files(one)
        return switched_on(self._tree, chart, values.values, unseen=unseen)

    def _rendered(self, one: RenderedObject, own: Path | None) -> tuple[RenderedObject, ...]:
        """Raises NotRendered, with what is lacking."""
        if self._charts is None:
            raise NotRendered("nobody renders charts here")
        if one.spec.get("postRenderers"):
            raise NotRendered("it has postRenderers, which are not followed", hint="see what they change")
        if self._releases.has_values_files(one):
            raise NotRendered("it has valuesFiles, which are not followed", hint="write its values in the HelmRelease")
        values = self._releases.values(one)
        if values.unseen:
            raise NotRendered(f"its values are in {', '.join(values.unseen)}, which Git does not show", hint="keep them in Git")
        address, version = self._releases.address(one), self._releases.version(one)
        if own is None and "://" not in address:  # helm's cache knows charts by their names alone
            raise NotRendered(f"Git does not show where its chart {address or one.name} comes from", hint="keep its source in Git")
        chart = own or self._charts.find(address, version)
        if chart is None:
            hint = f"helm pull {address} --version {version} --destination \"$(helm env HELM_REPOSITORY_CACHE)\", and again"
            raise NotRendered(f"its chart {address} {version or '(no exact version)'} is not on this machine", hint=hint)
        space = str(one.spec.get("targetNamespace") or one.namespace)
        into = str(one.spec.get("targetNamespace") or "")
        name = str(one.spec.get("releaseName") or "") or (f"{into}-{one.name}" if into else one.name)
        made = tuple(backup_objects(self._charts.render(chart, name, space, values.values), one, space))
        if all(map(says_where, made)):
            hint = "a cluster may serve what helm is not told of here, or be looked into: see what its chart makes"
            raise NotRendered("helm makes no backup of it here", hint=hint)
        where = chart.relative_to(self._tree.root) if own is not None else chart.name
        less = f", without {', '.join(values.without)}, optional and made by nothing in Git" if values.without else ""
        what = f"{one.name} is rendered of {where}{less}, for the backups that it makes"
        self._tree.note(one.file, one.line, what, "nothing to do")
        return made
