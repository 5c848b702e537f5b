"""Finds everything in rendered objects that holds data: claims, claim templates, databases, NFS, SMB and host paths.

Charts are not rendered: values of the app-template are read as that chart reads them (house/data/charts.py, releases.py), those of
others where they show a claim in one of the usual forms.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from house.data.charts import claims_of_values
from house.data.mounts import mount_of
from house.data.nouns import Holder, Keeps, Space
from house.data.operated import operated
from house.data.releases import Releases, is_release
from house.flux.rendered import Rendered, RenderedObject

_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod")


def holders(rendered: Rendered) -> tuple[tuple[Holder, ...], tuple[str, ...]]:
    """(everything that holds data, in the order of the graph; HelmReleases that were not looked into: their charts are not
    rendered, or Git does not show all of their values)."""
    releases = Releases(rendered)
    made, odd = releases.made()
    rendered = Rendered((*rendered.objects, *made), rendered.not_followed)
    volumes = {one.name: one for one in rendered.of_kind("", "PersistentVolume")}
    kept = {claim: volume for volume in volumes.values() if (claim := _kept_for(volume))}
    found: dict[tuple[Space, str, str], Holder] = {}
    closed = list(odd)
    for one in rendered.objects:
        for holder in _of_object(one, volumes, kept):
            found.setdefault(holder.identity, holder)
        if is_release(one):
            given, known = releases.values(one), releases.of_app_template(one)
            for holder in claims_of_values(one, given.values, app_template=known):
                found.setdefault(holder.identity, holder)
            if given.unseen or not known:
                closed.append(f"{one.namespace}/{one.name}")
    claimed = {str(one.spec.get("volumeName") or "") for one in rendered.of_kind("", "PersistentVolumeClaim")}
    claimed |= {volume.name for claim, volume in kept.items() if (Space.CLAIM, claim, "") in found}
    for name, volume in volumes.items():
        share = _share(volume)
        if share is not None and name not in claimed:
            keeps, place = share
            one_more = Holder("", name, keeps, _capacity(volume), place, volume.declared_in)
            found.setdefault(one_more.identity, one_more)
    return tuple(found.values()), tuple(dict.fromkeys(closed))


def _kept_for(volume: RenderedObject) -> str:
    """Key of the claim that alone may have this volume; "" where any may."""
    claim = _mapping(volume.spec.get("claimRef"))
    return f"{claim.get('namespace')}/{claim.get('name')}" if claim.get("name") else ""


def _of_object(
    one: RenderedObject, volumes: dict[str, RenderedObject], kept: dict[str, RenderedObject]
) -> Iterator[Holder]:
    if one.kind == "PersistentVolumeClaim" and not one.group:
        volume = volumes.get(str(one.spec.get("volumeName") or "")) or kept.get(f"{one.namespace}/{one.name}")
        share = _share(volume) if volume is not None else None
        keeps, storage = share or (Keeps.CLAIM, str(one.spec.get("storageClassName") or ""))
        yield Holder(one.namespace, one.name, keeps, _requested(one.spec), storage, one.declared_in, claimed=True)
    elif one.group == "postgresql.cnpg.io" and one.kind == "Cluster":
        volume_of = _mapping(one.spec.get("storage"))
        size = str(volume_of.get("size") or _requested(_mapping(volume_of.get("pvcTemplate"))))
        kind = str(volume_of.get("storageClass") or "")
        count = one.spec.get("instances")
        yield Holder(one.namespace, one.name, Keeps.DATABASE, size, kind, one.declared_in, count if isinstance(count, int) else 1)
    elif one.kind in _WORKLOADS:
        yield from _workload(one)
    elif (held := operated(one)) is not None:
        yield held


def _workload(one: RenderedObject) -> Iterator[Holder]:
    replicas, first = one.spec.get("replicas"), _mapping(one.spec.get("ordinals")).get("start")
    for template in _rows(one.spec.get("volumeClaimTemplates")):
        spec, named = _mapping(template.get("spec")), str(_mapping(template.get("metadata")).get("name") or "")
        yield Holder(
            one.namespace, f"{named}-{one.name}", Keeps.TEMPLATE, _requested(spec), str(spec.get("storageClassName") or ""),
            one.declared_in, replicas if isinstance(replicas, int) else 1, first if isinstance(first, int) else 0,
        )  # fmt: skip
    for volume in _rows(_pod(one).get("volumes")):
        mount = mount_of(volume)
        if mount is not None:
            keeps, place = mount
            yield Holder(one.namespace, f"{one.name}-{volume.get('name') or 'volume'}", keeps, "", place, one.declared_in)


def _pod(one: RenderedObject) -> dict[str, Any]:
    if one.kind == "Pod":
        return one.spec
    spec = _mapping(_mapping(one.spec.get("jobTemplate")).get("spec")) if one.kind == "CronJob" else one.spec
    return _mapping(_mapping(spec.get("template")).get("spec"))


def _share(volume: RenderedObject) -> tuple[Keeps, str] | None:
    """What a PersistentVolume that Git declares is on: another machine's share, or a node's disk."""
    mount = mount_of(volume.spec)
    if mount is not None:
        return mount
    local = _mapping(volume.spec.get("local")).get("path") or _mapping(volume.spec.get("hostPath")).get("path")
    return (Keeps.HOST_PATH, str(local)) if local else None


def _requested(spec: dict[str, Any]) -> str:
    return str(_mapping(_mapping(spec.get("resources")).get("requests")).get("storage") or "")


def _capacity(volume: RenderedObject) -> str:
    return str(_mapping(volume.spec.get("capacity")).get("storage") or "")


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _rows(value: Any) -> Iterable[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
