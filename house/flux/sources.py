"""Whether what a Kustomization is pulled from is this repository. Knows no file of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from house.flux.rendered import RenderedObject
from house.fluxsource import DeclaredSource
from house.shapes import mapping

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

    By its declared URL and branch where both are known, else by its name.
    """
    if source.kind != own.kind:
        return Own.NO
    found = declared.get((source.namespace, source.name))
    if found is not None and own.url and found.spec.get("url"):
        branch = str(mapping(found.spec.get("ref")).get("branch") or "")
        same = address(str(found.spec["url"])) == address(own.url) and branch in ("", own.branch or branch)
        return Own.YES if same else Own.NO
    if source.name == own.name:
        return Own.YES
    return Own.UNKNOWN if found is None else Own.NO


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
