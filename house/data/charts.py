"""Claims and mounts in the values of HelmReleases: as the app-template reads them, and the usual forms of other charts.

bjw-s' app-template: `persistence.*` with `type` (persistentVolumeClaim where it is left out), `enabled`, `existingClaim`, and
`controllers.*.statefulset.volumeClaimTemplates`. A claim is called after its release where it is the only one, else with its key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from house.data.mounts import mount_of
from house.data.nouns import Holder, Keeps
from house.flux.rendered import RenderedObject

APP_TEMPLATE = "app-template"
_DEEPEST = 8


def is_app_template(release: RenderedObject, charts: Mapping[tuple[str, str], str]) -> bool:
    """Whether this HelmRelease is of the app-template; `charts` tells the URL or chart of what a `chartRef` may name."""
    chart = _mapping(_mapping(_mapping(release.spec.get("chart")).get("spec"))).get("chart")
    if chart is not None:
        return str(chart).rpartition("/")[2] == APP_TEMPLATE
    named = _mapping(release.spec.get("chartRef"))
    name = str(named.get("name") or "")
    url = charts.get((str(named.get("namespace") or release.namespace), name), "")
    return url.rstrip("/").rpartition("/")[2] == APP_TEMPLATE or (not url and name == APP_TEMPLATE)


def claims_of_values(release: RenderedObject, values: dict[str, Any], *, app_template: bool) -> Iterator[Holder]:
    """What the release's values declare; `existingClaim` is another's, and no holder of its own."""
    if app_template:
        yield from _persistence(release, values)
    else:
        yield from _usual(release, values)


def _persistence(release: RenderedObject, values: dict[str, Any]) -> Iterator[Holder]:
    items = {
        str(key): item for key, item in _mapping(values.get("persistence")).items()
        if isinstance(item, dict) and item.get("enabled", True) is not False
    }  # fmt: skip
    own = [key for key, item in items.items() if _kind(item) == "persistentVolumeClaim" and not item.get("existingClaim")]
    base = _base(release, values)
    for key, item in items.items():
        kind = _kind(item)
        if key in own:
            name = str(item.get("forceRename") or "") or (base if len(own) == 1 else f"{base}-{item.get('suffix') or key}")
            yield _claim(release, name, Keeps.CLAIM, item.get("size"), item.get("storageClass"))
        elif kind == "nfs":
            yield _claim(release, f"{base}-{key}", Keeps.NFS, "", f"{item.get('server')}:{item.get('path')}")
        elif kind in ("hostPath", "custom"):
            spec = {"hostPath": {"path": item.get("hostPath")}} if kind == "hostPath" else _mapping(item.get("volumeSpec"))
            mount = mount_of(spec)
            if mount is not None:
                yield _claim(release, f"{base}-{key}", mount[0], "", mount[1])
    controllers = _mapping(values.get("controllers"))
    for key, controller in controllers.items():
        replicas = _mapping(controller).get("replicas")
        for template in _mapping(_mapping(controller).get("statefulset")).get("volumeClaimTemplates") or ():
            item = _mapping(template)
            name = f"{item.get('name')}-{base}" if len(controllers) == 1 else f"{item.get('name')}-{base}-{key}"
            one = _claim(release, name, Keeps.TEMPLATE, item.get("size"), item.get("storageClass"))
            yield replace(one, instances=replicas) if isinstance(replicas, int) else one


def _base(release: RenderedObject, values: dict[str, Any]) -> str:
    """What the chart calls its objects after."""
    overrides = (_mapping(values.get("global")).get("fullnameOverride"), values.get("fullnameOverride"))
    return str(next(filter(None, (*overrides, release.spec.get("releaseName"))), release.name))


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
            spec = _mapping(item.get("spec")) or item
            size = _mapping(_mapping(spec.get("resources")).get("requests")).get("storage")
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


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
