"""Objects of the API as the Components port tells of them. Pure: fetches nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from adapters.components.kstatus import status_of
from adapters.components.results import Ask, Program, Said, Seen
from adapters.kubernetes.objects import Obj, dig, name_of, namespace_of, number, rows, table, text
from engine.secrets import redact

RELEASE = "meta.helm.sh/release-name"
RELEASE_SPACE = "meta.helm.sh/release-namespace"
FLUX_RELEASE = "helm.toolkit.fluxcd.io"
FLUX_KUSTOMIZATION = "kustomize.toolkit.fluxcd.io"
_MOST = 300
"""So many letters of a message are told: an operator may quote a whole answer of a server."""


def seen_of(ask: Ask, obj: Obj) -> Seen:
    """One object, with what was asked for."""
    status, why = status_of(obj)
    conditions = tuple(map(_said, rows(obj, "status", "conditions")))
    values = tuple((path, told(" ".join(_at(obj, path.split("."))))) for path in ask.fields)
    return Seen(ask.kind, namespace_of(obj), name_of(obj), status, told(why), conditions, values)


def program_of(kind: str, obj: Obj) -> Program:
    """A Deployment, StatefulSet or DaemonSet."""
    status, why = status_of(obj)
    if kind == "DaemonSet":
        wanted = number(obj, "status", "desiredNumberScheduled")
        ready = number(obj, "status", "numberReady")
    else:
        replicas = dig(obj, "spec", "replicas")
        wanted = replicas if isinstance(replicas, int) else 1
        ready = number(obj, "status", "readyReplicas")
    pod = table(obj, "spec", "template", "spec")
    images = (text(one, "image") for one in (*rows(pod, "containers"), *rows(pod, "initContainers")))
    return Program(
        kind, namespace_of(obj), name_of(obj), status, told(why), release_of(obj), kustomization_of(obj),
        tuple(dict.fromkeys(map(repository_of, images))), wanted, max(0, wanted - ready),
        owned=any(one.get("controller") is True for one in rows(obj, "metadata", "ownerReferences")),
    )  # fmt: skip


def release_of(obj: Obj) -> str:
    """`namespace/name` of the helm release that an object is of, "" for none."""
    notes, labels = table(obj, "metadata", "annotations"), table(obj, "metadata", "labels")
    name = str(notes.get(RELEASE) or "")
    space = str(notes.get(RELEASE_SPACE) or namespace_of(obj))
    if not name and (named := labels.get(f"{FLUX_RELEASE}/name")):
        name, space = str(named), str(labels.get(f"{FLUX_RELEASE}/namespace") or space)
    return f"{space}/{name}" if name else ""


def kustomization_of(obj: Obj) -> str:
    """`namespace/name` of the Kustomization that applied an object, "" for none."""
    labels = table(obj, "metadata", "labels")
    name = str(labels.get(f"{FLUX_KUSTOMIZATION}/name") or "")
    return f"{labels.get(f'{FLUX_KUSTOMIZATION}/namespace') or namespace_of(obj)}/{name}" if name else ""


def repository_of(image: str) -> str:
    """An image without tag and digest: `ghcr.io/cloudnative-pg/cloudnative-pg`."""
    bare = image.partition("@")[0]
    path, colon, tag = bare.rpartition(":")
    return path if colon and "/" not in tag else bare


def told(words: str) -> str:
    """A message as it may be told: redacted, on one line, of bounded length."""
    one = " ".join(redact(words).split())
    return one if len(one) <= _MOST else f"{one[:_MOST]} …"


def epoch(written: str) -> float | None:
    """Seconds since the epoch of a time as Kubernetes writes it, None for what is none."""
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        return None
    return at.timestamp() if at.tzinfo is not None else None


def _said(one: Obj) -> Said:
    good = {"True": True, "False": False}.get(text(one, "status"))
    return Said(text(one, "type"), good, text(one, "reason"), told(text(one, "message")), epoch(text(one, "lastTransitionTime")))


def _at(node: Any, path: list[str]) -> Iterator[str]:
    """The values at a path, as text; `[]` behind a key goes through its list, and a mapping at the end gives its keys."""
    if not path:
        if isinstance(node, Mapping):
            yield from map(str, node)
        elif isinstance(node, bool):
            yield str(node).lower()
        elif node is not None and not isinstance(node, list):
            yield str(node)
        return
    key, through = path[0].removesuffix("[]"), path[0].endswith("[]")
    found = node.get(key) if isinstance(node, Mapping) else None
    for one in (found if isinstance(found, list) else ()) if through else (found,):
        yield from _at(one, path[1:])
