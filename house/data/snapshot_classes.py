"""The VolumeSnapshotClasses that backups name, and those that Git shows somebody to make. Opens nothing.

An API server takes a name that is no class's; whoever makes the snapshot then waits for good, and says so in the snapshot alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from house.data.releases import Releases, everything
from house.files.shapes import mapping, sequence
from house.flux.outside import is_followed
from house.flux.rendered import Rendered, RenderedObject

_NAMES = "volumeSnapshotClassName"
_OF_CHARTS = "snapshotclass"
_OF_ROOK = ("cephBlockPools", "cephFileSystem")


@dataclass(frozen=True)
class NamedClass:
    """A class by its name, the object that names it (`Kind namespace/name`), and where that is declared."""

    name: str
    subject: str
    declared_in: str


@dataclass(frozen=True)
class SnapshotClasses:
    """What is named, by every object that names one, and the names that Git shows to be made."""

    by_subject: tuple[NamedClass, ...] = ()
    made: frozenset[str] = frozenset()

    @property
    def named(self) -> tuple[NamedClass, ...]:
        """Each name once, with the first that names it."""
        return tuple({one.name: one for one in reversed(self.by_subject)}.values())[::-1]

    @property
    def lacking(self) -> tuple[NamedClass, ...]:
        """Those of which Git does not show who makes them."""
        return tuple(one for one in self.named if one.name not in self.made)


def snapshot_classes(rendered: Rendered) -> SnapshotClasses:
    """See SnapshotClasses. A name with a variable that nothing fills is left to whoever tells of those."""
    rendered = everything(rendered)
    named = [
        NamedClass(name, f"{one.kind} {one.namespace}/{one.name}", one.declared_in)
        for one in rendered.objects for name in _named_by(one) if "${" not in name
    ]  # fmt: skip
    made = {one.name for one in rendered.of_kind("snapshot.storage.k8s.io", "VolumeSnapshotClass")}
    releases = Releases(rendered)
    for release in rendered.of_kind("helm.toolkit.fluxcd.io", "HelmRelease"):
        made |= set(_made_by(releases.values(release).values))
    return SnapshotClasses(tuple(named), frozenset(made))


def _named_by(one: RenderedObject) -> Iterator[str]:
    if is_followed(one.group):
        yield from _texts_at(one.spec, _NAMES)
    elif one.group == "postgresql.cnpg.io" and one.kind == "Cluster":
        snapshots = mapping(mapping(one.spec.get("backup")).get("volumeSnapshot"))
        yield from (str(snapshots[key]) for key in ("className", "walClassName") if snapshots.get(key))


def _texts_at(value: Any, key: str) -> Iterator[str]:
    """Every text that stands at this key, at whatever depth."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name == key and isinstance(item, str) and item:
                yield item
            else:
                yield from _texts_at(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from _texts_at(item, key)


def _made_by(values: Any) -> Iterator[str]:
    """What values of a chart have it make: `cephBlockPoolsVolumeSnapshotClass: {enabled: true, name: …}`, of Rook's chart, which
    makes none unless told to; `volumeSnapshotClasses: [{name: …}]`."""
    if isinstance(values, dict):
        for key, item in values.items():
            if _OF_CHARTS in str(key).lower():
                for each in map(mapping, item if isinstance(item, list) else [item]):
                    if each.get("name") and each.get("enabled", not str(key).startswith(_OF_ROOK)) is not False:
                        yield str(each["name"])
            else:
                yield from _made_by(item)
    elif isinstance(values, list):
        for item in sequence(values):
            yield from _made_by(item)
