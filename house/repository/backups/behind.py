"""What stands in the files of Kustomizations that Flux refuses, and of those that they would have made: the objects as they are
written, each with the variables of whoever would apply it. Builds nothing: no patch, prefix or generator has a say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from house.files.paths import is_folder
from house.files.shapes import mapping
from house.files.yamlfile import Document
from house.flux.data import text_of
from house.flux.graph import FLUX_GROUP, Refused
from house.flux.reads import NAMES, reads_of
from house.flux.substitution import substitute
from house.repository.tree import Tree, real

_MOST = 2_000
"""Kustomizations that are gone through: they could make each other without end."""


@dataclass(frozen=True)
class Behind:
    """One document, the namespace that its object would be in, and the variables that would fill it in."""

    document: Document
    namespace: str
    variables: Mapping[str, str]


@dataclass(frozen=True)
class _Waiting:
    """`into` is the namespace that it puts everything into, "" for none; `namespace` that of what names none itself."""

    into: str
    namespace: str
    variables: Mapping[str, str]
    files: tuple[str, ...]


def behind(root: Path, base: str, refused: Iterable[Refused]) -> Iterator[Behind]:
    """Every object of these Kustomizations of the repository at `root`, and of their children; `base` is the folder that paths are
    seen from. What is wrong on the way was told where it was refused."""
    tree = Tree(root)  # its notes are of builds that nobody made
    waiting = [_Waiting(one.into, one.namespace, one.variables, tuple(one.reads.files)) for one in refused]
    seen: set[tuple[str, str, str]] = set()
    while waiting and len(seen) < _MOST:
        one = waiting.pop()
        for document in _documents(tree, one.files):
            body = mapping(document.value)
            metadata = mapping(body.get("metadata"))
            namespace = one.into or str(metadata.get("namespace") or one.namespace)
            if body.get("kind") == "Kustomization" and str(body.get("apiVersion")).startswith(f"{FLUX_GROUP}/"):
                child = _Child.of(body, namespace, one.variables)
                if child.key not in seen:
                    seen.add(child.key)
                    waiting += _followed(tree, base, child, document)
            yield Behind(document, namespace, one.variables)


def _documents(tree: Tree, files: Iterable[str]) -> Iterator[Document]:
    for name in files:
        file = tree.root / name
        if file.suffix in (".yaml", ".yml") and file.name not in NAMES:
            yield from tree.documents(file)


@dataclass(frozen=True)
class _Child:
    """A Kustomization as its parent's variables fill it in."""

    spec: Mapping[str, Any]
    path: str
    into: str
    namespace: str
    variables: Mapping[str, str]

    @classmethod
    def of(cls, body: Mapping[str, Any], namespace: str, known: Mapping[str, str]) -> _Child:
        spec = mapping(body.get("spec"))
        own = mapping(mapping(spec.get("postBuild")).get("substitute"))
        variables = {str(key): substitute(text_of(value), known).text for key, value in own.items()}
        into = substitute(str(spec.get("targetNamespace") or ""), known).text
        path = substitute(str(spec.get("path") or "."), known).text
        return cls(spec, path, into, into or substitute(namespace, known).text, variables)

    @property
    def key(self) -> tuple[str, str, str]:
        return self.path, self.namespace, str((self.into, sorted(self.variables.items()), self.spec.get("components")))


def _followed(tree: Tree, base: str, child: _Child, document: Document) -> Iterator[_Waiting]:
    """The Kustomization with all that its path names; none where that is elsewhere."""
    path = real(tree.root / base / child.path.removeprefix("/"))
    if path is not None and path.is_relative_to(tree.root) and is_folder(path):
        reads = reads_of(tree, path, child.spec, document.name, document.spot.line)
        if not reads.endless:
            yield _Waiting(child.into, child.namespace, child.variables, tuple(reads.files))
