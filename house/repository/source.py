"""What Flux is told to pull: the Git URL, branch and path; of several clusters in one repository, those of one.

Knows no cluster: whether Flux really pulls that is for the steps to look at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

DEFAULT_PATH = "kubernetes/flux/cluster"
# What people call the cluster that they live in, and what they call the others.
_LIVED_IN = ("main", "prod", "production", "home", "live", "primary")
_TRIED_IN = ("test", "testing", "staging", "dev", "devenv", "development", "lab", "sandbox", "kind")


@dataclass(frozen=True)
class DeclaredSource:
    """What the repository says of its own Git source; "" for what it does not say. `declared_in` is `file:line`; `pinned` says
    which revision it stays at, as in "tag v1", "" where it follows a branch.

    `named`: its name and namespace are written somewhere, and not what is usual. `applies` is the Kustomization that applies it,
    "" for one called like the source. `base` is the folder of the repository that an artifact is made of.
    """

    namespace: str = "flux-system"
    name: str = "flux-system"
    url: str = ""
    branch: str = ""
    path: str = ""
    declared_in: str = ""
    kind: str = "GitRepository"
    pinned: str = ""
    named: bool = False
    applies: str = ""
    base: str = ""


@dataclass(frozen=True)
class Sources:
    """The source of the cluster that is read, and the entry paths of all clusters of the repository, in order."""

    chosen: DeclaredSource
    clusters: tuple[str, ...] = ()


def pinned_to(ref: Mapping[str, Any]) -> str:
    """What a GitRepository's ref says besides a branch, in Flux's order: a commit, a name, a range of versions, a tag."""
    return next((f"{key} {ref[key]}" for key in ("commit", "name", "semver", "tag") if ref.get(key)), "")


def one_of(declared: Iterable[DeclaredSource], entry: str) -> Sources:
    """The source that is meant: that of `entry` where it is said, else the first of the cluster that seems to be lived in.

    `declared` are all that were found, the surest first. A path within another's is no cluster of its own.
    """
    first: dict[str, DeclaredSource] = {}
    for one in declared:
        path = f"{one.base}/{one.path}" if one.base else one.path
        if not any(_within(path, other) or _within(other, path) for other in first):
            first[path] = one
    clusters = tuple(sorted(path for path in first if path))
    if entry:
        known = first.get(entry)
        somewhere = next(iter(first.values()), DeclaredSource())
        return Sources(known or replace(somewhere, path=entry, base="", applies=""), clusters)
    chosen = min(first.values(), key=lambda one: _lived_in(one), default=DeclaredSource())
    return Sources(chosen, clusters)


def _within(path: str, other: str) -> bool:
    return PurePosixPath(path).is_relative_to(PurePosixPath(other)) if path and other else path == other


def is_lived_in(path: str) -> bool:
    """Whether a path has the name of a cluster that people live in."""
    parts = set(path.lower().split("/"))
    return bool(parts & set(_LIVED_IN)) and not parts & set(_TRIED_IN)


def _lived_in(one: DeclaredSource) -> int:
    tried = bool(set(one.path.lower().split("/")) & set(_TRIED_IN)) or one.kind != "GitRepository"
    return 0 if is_lived_in(one.path) and not tried else 2 if tried else 1
