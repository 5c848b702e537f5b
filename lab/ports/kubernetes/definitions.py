"""Which definitions the modelled charts bring and ask for: a chart is its name, and so are its definitions. Knows no state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from adapters.helm.results import Crd, ReleaseKinds
from engine.text.digest import digest
from house.declared.kinds import Kind

_VOLSYNC = {
    "replicationdestinations.volsync.backube": "ReplicationDestination",
    "replicationsources.volsync.backube": "ReplicationSource",
}
_SNAPSHOTS = {
    "volumesnapshotclasses.snapshot.storage.k8s.io": "VolumeSnapshotClass",
    "volumesnapshotcontents.snapshot.storage.k8s.io": "VolumeSnapshotContent",
    "volumesnapshots.snapshot.storage.k8s.io": "VolumeSnapshot",
}
_BROUGHT: Mapping[str, Mapping[str, str]] = {"volsync": _VOLSYNC, "snapshot-controller": _SNAPSHOTS}
_INSTANCE = Kind("fluxcd.controlplane.io/v1", "FluxInstance")
_RENDERED: Mapping[str, ReleaseKinds] = {
    "flux-operator": ReleaseKinds(first=(_INSTANCE,)),
    "flux-instance": ReleaseKinds(needs=(_INSTANCE,)),
}


def definitions_of(chart: str, key: str, version: str) -> tuple[Crd, ...]:
    """What a chart of this name brings; one that is called after it, where it is none of those that are known."""
    names = _BROUGHT.get(chart, {f"{chart}.example.net": chart.title()})
    return tuple(Crd(crd, key, ("v1",), digest(crd, version), "{}", kind) for crd, kind in names.items())


def kinds_of(release: str) -> ReleaseKinds:
    """What a release of this name renders besides Kubernetes' own kinds, and the one image that its pods pull."""
    return replace(_RENDERED.get(release, ReleaseKinds()), images=(f"quay.io/charts/{release}:1.0.0",))


def kinds_served(definition: str, served: tuple[str, ...]) -> Iterator[Kind]:
    """The kinds of an established definition of this name."""
    group = definition.partition(".")[2]
    known = next((kinds[definition] for kinds in _BROUGHT.values() if definition in kinds), definition.partition(".")[0].title())
    return (Kind(f"{group}/{version}", known) for version in served)
