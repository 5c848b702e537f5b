"""Claims and mounts in the values of HelmReleases: as the app-template reads them, and the usual forms of other charts.

bjw-s' app-template: `persistence.*` with `type` (persistentVolumeClaim where it is left out), `enabled`, `existingClaim`, and
`controllers.*.statefulset.volumeClaimTemplates`. A claim is called after its release where it is the only one, else with its key.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from house.data.mounts import mount_of
from house.data.nouns import Holder, Keeps
from house.data.releases import base_name
from house.files.shapes import mapping, sequence
from house.flux.rendered import RenderedObject

_DEEPEST = 8


def claims_of_values(release: RenderedObject, values: dict[str, Any], *, app_template: bool) -> Iterator[Holder]:
    """What the release's values declare; `existingClaim` is another's, and no holder of its own."""
    if app_template:
        yield from _persistence(release, values)
    else:
        yield from _usual(release, values)


def _persistence(release: RenderedObject, values: dict[str, Any]) -> Iterator[Holder]:
    items = {
        str(key): item for key, item in mapping(values.get("persistence")).items()
        if isinstance(item, dict) and item.get("enabled", True) is not False
    }  # fmt: skip
    own = [key for key, item in items.items() if _kind(item) == "persistentVolumeClaim" and not item.get("existingClaim")]
    base = base_name(release, values)
    for key, item in items.items():
        kind = _kind(item)
        if key in own:
            name = str(item.get("forceRename") or "") or (base if len(own) == 1 else f"{base}-{item.get('suffix') or key}")
            yield _claim(release, name, Keeps.CLAIM, item.get("size"), item.get("storageClass"))
        elif kind == "nfs":
            yield _claim(release, f"{base}-{key}", Keeps.NFS, "", f"{item.get('server')}:{item.get('path')}")
        elif kind in ("hostPath", "custom"):
            spec = {"hostPath": {"path": item.get("hostPath")}} if kind == "hostPath" else mapping(item.get("volumeSpec"))
            mount = mount_of(spec)
            if mount is not None:
                yield _claim(release, f"{base}-{key}", mount[0], "", mount[1])
    controllers = mapping(values.get("controllers"))
    for key, controller in controllers.items():
        replicas = mapping(controller).get("replicas")
        for template in sequence(mapping(mapping(controller).get("statefulset")).get("volumeClaimTemplates")):
            if not (item := mapping(template)):
                continue
            name = f"{item.get('name')}-{base}" if len(controllers) == 1 else f"{item.get('name')}-{base}-{key}"
            one = _claim(release, name, Keeps.TEMPLATE, item.get("size"), item.get("storageClass"))
            yield replace(one, instances=replicas) if isinstance(replicas, int) else one


def _kind(item: dict[str, Any]) -> str:
    return str(item.get("type") or "persistentVolumeClaim")


def _usual(release: RenderedObject, values: Any, path: tuple[str, ...] = ()) -> Iterator[Holder]:
    """`volumeClaimTemplate` with its spec, and `persistence` or `persistentVolume` that is enabled: at any depth, by their path."""
    if not isinstance(values, dict) or len(path) > _DEEPEST:
        return
    for key, item in values.items():
        where = (*path, str(key))
        if not isinstance(item, dict):
            continue
        if key == "volumeClaimTemplate":
            spec = mapping(item.get("spec")) or item
            size = mapping(mapping(spec.get("resources")).get("requests")).get("storage")
            yield _claim(release, _named(release, path), Keeps.CHART, size, spec.get("storageClassName"))
        elif key in ("persistence", "persistentVolume") and item.get("enabled") is True and not item.get("existingClaim"):
            kind = item.get("storageClass") or item.get("storageClassName")
            yield _claim(release, _named(release, path), Keeps.CHART, item.get("size"), kind)
        else:
            yield from _usual(release, item, where)


def _named(release: RenderedObject, path: tuple[str, ...]) -> str:
    return ".".join((release.name, *path))


def _claim(release: RenderedObject, name: str, keeps: Keeps, size: Any, storage: Any) -> Holder:
    return Holder(release.namespace, name, keeps, str(size or ""), str(storage or ""), release.declared_in)
