"""Finds what Flux is told to pull: the Git URL, branch and path, from the flux-instance release's values or a manifest.

Knows no cluster: whether Flux really pulls that is for the steps to look at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from house.helmfile import helmfile_of
from house.paths import content_of, is_file, is_folder
from house.problems import shown
from house.shapes import mapping, sequence
from house.tree import Tree, real

DEFAULT_PATH = "kubernetes/flux/cluster"
_FOLDERS = ("kubernetes/flux", "kubernetes/apps/flux-system", "bootstrap")


@dataclass(frozen=True)
class DeclaredSource:
    """What the repository says of its own Git source; "" for what it does not say. `declared_in` is `file:line`; `pinned` says
    which revision it stays at, as in "tag v1", "" where it follows a branch."""

    namespace: str = "flux-system"
    name: str = "flux-system"
    url: str = ""
    branch: str = ""
    path: str = ""
    declared_in: str = ""
    kind: str = "GitRepository"
    pinned: str = ""


def pinned_to(ref: Mapping[str, Any]) -> str:
    """What a GitRepository's ref says besides a branch, in Flux's order: a commit, a name, a range of versions, a tag."""
    return next((f"{key} {ref[key]}" for key in ("commit", "name", "semver", "tag") if ref.get(key)), "")


def read_flux_source(tree: Tree) -> DeclaredSource:
    """The first declaration found: values of a flux-instance release, a FluxInstance, or GitRepository with Kustomization."""
    for sync, place in _syncs(tree):
        ref = str(sync.get("ref") or "")
        branch = ref.removeprefix("refs/heads/")
        return DeclaredSource(
            name=str(sync.get("name") or "flux-system"),
            url=str(sync.get("url") or ""),
            branch="" if branch.startswith("refs/") else branch,
            path=_path(sync.get("path")),
            declared_in=place,
            kind=str(sync.get("kind") or "GitRepository"),
            pinned=branch if branch.startswith("refs/") else "",
        )
    found = _classic(tree)
    if found is None:
        return DeclaredSource(path=DEFAULT_PATH if is_folder(tree.root / DEFAULT_PATH) else "")
    return found


def _path(value: Any) -> str:
    return str(value or "").removeprefix("./").strip("/")


def _syncs(tree: Tree) -> Iterator[tuple[dict[str, Any], str]]:
    """Every `sync` section of a FluxInstance, with `file:line`."""
    helmfile = helmfile_of(tree.root)
    for document in tree.documents(helmfile) if is_file(helmfile) else ():
        for release in sequence(mapping(document.value).get("releases")):
            if str(mapping(release).get("chart")).endswith("flux-instance"):
                for entry in sequence(mapping(release).get("values")):
                    yield from _values_sync(tree, helmfile, entry)
    for file in _manifests(tree):
        for document in tree.documents(file):
            body = mapping(document.value)
            if body.get("kind") == "FluxInstance":
                sync = mapping(mapping(body.get("spec")).get("sync"))
                yield sync, f"{document.name}:{document.line(('spec', 'sync'))}"


def _values_sync(tree: Tree, helmfile: Path, entry: Any) -> Iterator[tuple[dict[str, Any], str]]:
    if isinstance(entry, dict):
        sync = mapping(mapping(entry.get("instance")).get("sync"))
        if sync:
            yield sync, shown(helmfile, tree.root)
        return
    file = real(helmfile.parent / str(entry))
    if file is not None and file.suffix in (".yaml", ".yml") and is_file(file):
        for document in tree.documents(file):
            sync = mapping(mapping(mapping(document.value).get("instance")).get("sync"))
            if sync:
                yield sync, f"{document.name}:{document.line(('instance', 'sync'))}"


def _manifests(tree: Tree) -> Iterator[Path]:
    for folder in _FOLDERS:
        for file in sorted((tree.root / folder).rglob("*.yaml")):
            if is_folder(file):
                continue
            try:
                # Most files are neither; reading the text is far cheaper than parsing it.
                text = content_of(file).decode("utf-8", "replace")
            except OSError as error:
                tree.note(file, 0, f"cannot be read ({error.strerror})", "mend the link or its permissions, or take it out")
                continue
            if "kind: FluxInstance" in text or "kind: GitRepository" in text:
                yield file


def _classic(tree: Tree) -> DeclaredSource | None:
    """What `flux bootstrap` writes: a GitRepository named flux-system and the Kustomization of that name beside it."""
    for file in _manifests(tree):
        source: DeclaredSource | None = None
        path = ""
        for document in tree.documents(file):
            body = mapping(document.value)
            metadata, spec = mapping(body.get("metadata")), mapping(body.get("spec"))
            if metadata.get("name") != "flux-system":
                continue
            ref = mapping(spec.get("ref"))
            if body.get("kind") == "GitRepository":
                source = DeclaredSource(
                    namespace=str(metadata.get("namespace") or "flux-system"),
                    url=str(spec.get("url") or ""),
                    branch=str(ref.get("branch") or "") or _headed(ref),
                    pinned="" if _headed(ref) else pinned_to(ref),
                    declared_in=f"{document.name}:{document.spot.line}",
                )
            elif body.get("kind") == "Kustomization":
                path = _path(spec.get("path"))
        if source is not None:
            return replace(source, path=path or DEFAULT_PATH)
    return None


def _headed(ref: Mapping[str, Any]) -> str:
    """The branch that a ref names in full, where nothing goes before its name; "" for none."""
    name = str(ref.get("name") or "")
    return name.removeprefix("refs/heads/") if name.startswith("refs/heads/") and not ref.get("commit") else ""
