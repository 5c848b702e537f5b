"""Whether what a Kustomization is pulled from is this repository. Knows no file of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from house.files.shapes import mapping
from house.flux.rendered import RenderedObject
from house.repository.source import DeclaredSource, pinned_to

GROUP = "source.toolkit.fluxcd.io"
_SCP = re.compile(r"(?:[\w.-]+@)?([\w.-]+):(?!/)(.+)")


class Own(Enum):
    """Whose files a Kustomization applies: this repository's, another's, or not known yet."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class SourceName:
    """What a Kustomization's sourceRef names."""

    kind: str
    namespace: str
    name: str


def named_by(spec: Mapping[str, Any], namespace: str, own: DeclaredSource) -> SourceName:
    """The source of a Kustomization in this namespace; one that names none is taken for one of the house's own."""
    reference = mapping(spec.get("sourceRef"))
    return SourceName(
        str(reference.get("kind") or own.kind),
        str(reference.get("namespace") or namespace),
        str(reference.get("name") or own.name),
    )


def is_own(source: SourceName, own: DeclaredSource, declared: Mapping[tuple[str, str], RenderedObject]) -> Own:
    """Whether the source is this repository. `declared` holds the GitRepositories that Git declares, by namespace and name.

    By its declared URL and revision where both are known, else by its name. The one that Flux is told of is, whatever it is at.
    """
    if source.kind != own.kind:
        return Own.NO
    found = declared.get((source.namespace, source.name))
    if found is not None and own.url and found.spec.get("url"):
        if address(str(found.spec["url"])) != address(own.url):
            return Own.NO
        itself = (source.namespace, source.name) == (own.namespace, own.name)
        return Own.YES if itself or not elsewhere(found, own) else Own.NO
    if source.name == own.name:
        return Own.YES
    return Own.UNKNOWN if found is None else Own.NO


def elsewhere(found: RenderedObject, own: DeclaredSource) -> str:
    """At which revision a GitRepository of this repository is, as in "tag v1", where that is not what this tree is of; "" else."""
    ref = mapping(found.spec.get("ref"))
    pinned = pinned_to(ref)
    branch = str(ref.get("branch") or "")
    if pinned == f"name refs/heads/{own.branch or _branch(ref)}":
        return ""
    return pinned or (f"branch {branch}" if branch not in ("", own.branch or branch) else "")


def _branch(ref: Mapping[str, Any]) -> str:
    return str(ref.get("name") or "").removeprefix("refs/heads/")


def address(url: str) -> str:
    """What is the same in every spelling of a repository's URL: host and path, no scheme, no user, no `.git`."""
    text = url.strip()
    scp = _SCP.fullmatch(text) if "://" not in text else None
    if scp is not None:
        text = f"{scp[1]}/{scp[2]}"
    text = text.partition("://")[2] or text
    host, slash, path = text.partition("/")
    host = re.sub(r":(22|443|80)$", "", host.rpartition("@")[2].lower())
    return f"{host}{slash}{path}".rstrip("/").removesuffix(".git").rstrip("/").lower()
