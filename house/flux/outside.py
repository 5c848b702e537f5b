"""Objects that make other objects in the cluster, which nobody rendered: whether backups are seen to be among those.

Knows no graph: it looks at one object at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from house.files.problems import nearest
from house.flux.rendered import NotFollowed, RenderedObject

BACKUP_GROUP = "volsync.backube"
KOPIUR = "kopiur"


@dataclass(frozen=True)
class _Api:
    """An API group: who brings it, its kinds, those of them that no other group has, and its versions, the newest first."""

    maker: str
    kinds: tuple[str, ...]
    alone: tuple[str, ...]
    versions: tuple[str, ...]


_FLUX = "kustomize.toolkit.fluxcd.io"
_BOTH = ("ReplicationSource", "ReplicationDestination")
_MADE_BY = {
    BACKUP_GROUP: _Api("VolSync", (*_BOTH, "KopiaMaintenance"), _BOTH, ("v1alpha1",)),  # the last kind is one of a fork
    _FLUX: _Api("Flux", ("Kustomization",), ("Kustomization",), ("v1", "v1beta2", "v1beta1")),
    "helm.toolkit.fluxcd.io": _Api("Flux", ("HelmRelease",), (), ("v2", "v2beta2", "v2beta1")),
}
_GROUPS = rf"(?:{re.escape(BACKUP_GROUP)}|[\w.-]*{KOPIUR}[\w.-]*)"
_MENTIONED = re.compile(rf"\b{re.escape(BACKUP_GROUP)}\b|\b[\w-]*{KOPIUR}[\w-]*(?:\.[a-z][\w-]*)+")
_MADE = re.compile(rf"apiVersion[\"']?\s*:\s*[\"']?{_GROUPS}/")
_MAKES = re.compile(rf"{_GROUPS}/")
_OBJECT = frozenset({"metadata", "spec", "data"})
"""What an object has and a reference has not; a policy of Kyverno's writes what it generates under `data`."""
_BODY = re.compile(r"\b(?:metadata|spec)[\"']?\s*:")
# What charts read that make backups by themselves: `volsync: [{name: …, type: restic, credentials: …, src: …}]`, for one.
_CHART_KEYS = (BACKUP_GROUP.partition(".")[0], KOPIUR)
_CHART_WORDS = frozenset({"restic", "kopia", "rclone", "src", "dest", "credentials", "sourcePVC", "repository", "schedule"})
_MAKES_NOTHING = (
    "CustomResourceDefinition", "ClusterRole", "Role", "Namespace", "PrometheusRule", "VMRule", "ServiceMonitor", "PodMonitor",
    "GrafanaDashboard",
)  # fmt: skip
_RESOURCE_SET = "fluxcd.controlplane.io"


@dataclass(frozen=True)
class Outside:
    """What is to be said of one object: something not followed, or a mere mention."""

    not_followed: NotFollowed | None = None
    mentions: str = ""


def is_followed(group: str) -> bool:
    """Whether objects of this API group are backups that house/repository/backups/declared.py reads."""
    return group == BACKUP_GROUP or KOPIUR in group


def is_kopiur_policy(one: RenderedObject) -> bool:
    """Whether this object of kopiur makes backups; its other kinds restore them, or say where they lie."""
    return KOPIUR in one.group and one.kind == "SnapshotPolicy"


def misspelt(one: RenderedObject) -> tuple[str, str] | None:
    """What is wrong with an object that was meant to be one of VolSync's or Flux's and is none, and what would be right: no API
    server takes it, and nothing that Flux applies with it is applied. None for any other."""
    known = _MADE_BY.get(one.group)
    if known is not None and one.kind not in known.kinds:
        near = nearest(one.kind.lower(), [kind.lower() for kind in known.kinds])
        right = next((kind for kind in known.kinds if kind.lower() == near), "")
        what = f"{one.name} is a {one.kind} of {one.group}, and {known.maker} has no such kind"
        return (what, f"the nearest known one is {right}") if right else None
    group, maker = next(((g, k.maker) for g, k in _MADE_BY.items() if one.kind in k.alone and one.group != g), ("", ""))
    if group:
        what = f"{one.name} is a {one.kind} of {one.group or 'no group'}, which is not {maker}'s group"
        return what, f"right would be {group}/{_MADE_BY[group].versions[0]}"
    return None


def unknown_version(one: RenderedObject) -> tuple[str, str] | None:
    """What is odd about an object of one of these groups in a version that is not known; None for any other."""
    known, version = _MADE_BY.get(one.group), one.api.rpartition("/")[2]
    if known is None or version in known.versions:
        return None
    what = f"{one.kind} {one.name} is of {one.api}: a cluster that does not have that version refuses all of {one.kustomization}"
    return what, f"right would be {one.group}/{known.versions[0]}, unless {known.maker} is newer"


def may_make_backups(content: bytes) -> bool:
    """Whether a file that was not built has objects in it that are backups, or make some."""
    return _MADE.search(content.decode("utf-8", errors="replace")) is not None


def outside(one: RenderedObject) -> Outside:
    """What an object that is no backup itself says of backups that are made elsewhere."""
    followed = is_followed(one.group) or one.group == _FLUX or (one.kind == "PersistentVolumeClaim" and not one.group)
    if followed or one.kind in _MAKES_NOTHING:
        return Outside()
    text = str(one.body).lower()
    if one.kind != "ResourceSet" and not any(word in text for word in _CHART_KEYS):
        return Outside()  # each pattern below has one of these words in it, and most objects have none
    subject = f"{one.kind} {one.namespace}/{one.name}" if one.namespace else f"{one.kind} {one.name}"
    made = _makes_backups(one.body)
    if made or (one.kind == "ResourceSet" and one.group == _RESOURCE_SET):
        why = "makes backups in the cluster" if made else "makes its objects in the cluster"
        return Outside(NotFollowed(subject, why, one.file, one.line, makes_backups=made))
    mention = next((text for text in _texts(one.body) if _MENTIONED.search(text)), "")
    found = _MENTIONED.search(mention)
    return Outside(mentions=found[0] if found else "")


def _makes_backups(value: Any) -> bool:
    if isinstance(value, dict):
        # A reference (a health check, say) names a kind too, and is no object.
        if _MAKES.match(str(value.get("apiVersion"))) and _OBJECT & value.keys():
            return True
        for key, item in value.items():
            if key in _CHART_KEYS and _CHART_WORDS & set(_keys(item)):
                return True
        return any(_makes_backups(item) for item in value.values())
    if isinstance(value, list):
        return any(_makes_backups(item) for item in value)
    return isinstance(value, str) and _MADE.search(value) is not None and _BODY.search(value) is not None


def _refers(value: dict[str, Any]) -> bool:
    """Whether it names an object, and is none: a health check by kind, or what a claim is filled from (`dataSourceRef`)."""
    return "kind" in value and ("apiVersion" in value or "apiGroup" in value) and not _OBJECT & value.keys()


def _keys(value: Any) -> Iterator[str]:
    """All keys of a value, at every depth."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _keys(item)
    elif isinstance(value, list):
        for item in value:
            yield from _keys(item)


def _texts(value: Any) -> Iterator[str]:
    """All texts of a value, keys among them, but for references to objects that are declared elsewhere."""
    if isinstance(value, dict):
        if _refers(value):
            return
        for key, item in value.items():
            yield str(key)
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value
