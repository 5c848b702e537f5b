"""Gathers the objects of a folder the way kustomize would: resources, components, namespace. Renders nothing, runs no program.

What it cannot follow (remote resources, absent files, files that are not YAML) becomes a note, never silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from house import yamlfile
from house.problems import Problem, Steps, nearest, shown
from house.yamlfile import Document, YamlInvalid

_BACKUP_KINDS = ("ReplicationSource", "ReplicationDestination")
_CHANGES = ("namePrefix", "nameSuffix", "patches", "patchesStrategicMerge", "patchesJson6902", "replacements", "transformers")
_PARTS = ("resources", "bases", "components")
_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")


@dataclass(frozen=True)
class Found:
    """One Kubernetes object as it is written: nothing substituted. `namespace` is what the folder's kustomization makes of it."""

    api: str
    kind: str
    namespace: str
    name: str
    body: dict[str, Any] = field(repr=False)
    file: str
    line: int

    @property
    def group(self) -> str:
        """The API group, "" for the core one."""
        return self.api.rpartition("/")[0]

    @property
    def place(self) -> str:
        """`file:line`, for messages."""
        return f"{self.file}:{self.line}"

    @property
    def spec(self) -> dict[str, Any]:
        """The object's spec, {} when it has none."""
        return mapping(self.body.get("spec"))


def mapping(value: Any) -> dict[str, Any]:
    """The value if it is a mapping, else {}: files in a repository may hold anything."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """The value if it is a list, else []."""
    return value if isinstance(value, list) else []


class Tree:
    """A home-ops repository's files: each is read once.

    `notes` collects what could not be followed, `unread` those of them that are broken for Flux too, and hide what they declare.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.notes: list[Problem] = []
        self.unread: list[Problem] = []
        self.namespaces: set[str] = set()
        self._documents: dict[Path, tuple[Document, ...]] = {}
        self._failed: dict[Path, Problem] = {}

    def note(self, file: Path | str, line: int, what: str, better: str) -> None:
        """Remember something that could not be followed."""
        name = shown(file, self.root) if isinstance(file, Path) else file
        problem = Problem(name, line, "", what, better)
        if problem not in self.notes:
            self.notes.append(problem)

    def hides(self, file: Path | str, line: int, what: str, better: str) -> None:
        """Remember something that Flux cannot follow either, and that hides everything declared behind it."""
        self.note(file, line, what, better)
        name = shown(file, self.root) if isinstance(file, Path) else file
        self.unread.append(Problem(name, line, "", what, better))

    def documents(self, path: Path) -> tuple[Document, ...]:
        """The documents of one file; none, and a note, when it cannot be read."""
        known = self._documents.get(path)
        if known is None:
            try:
                known = yamlfile.load(path, shown(path, self.root))
            except YamlInvalid as error:
                known = ()
                self.notes.append(error.problem)
                self._failed[path] = error.problem
            self._documents[path] = known
        return known

    def _applied(self, path: Path) -> tuple[Document, ...]:
        """The documents of a file that Flux applies: whatever it declares is not seen when it cannot be read."""
        known = self.documents(path)
        if path in self._failed and self._failed[path] not in self.unread:
            self.unread.append(self._failed[path])
        return known

    def objects(self, folder: Path, components: tuple[str, ...] = (), file: str = "", line: int = 0) -> list[Found]:
        """The objects that Flux would apply from a folder with extra components (paths seen from the folder), which are named
        at this file and line."""
        found = list(self._folder(folder, frozenset()))
        for component in components:
            found += self._entry(folder, component, file, line, frozenset({folder}))
        return found

    def _folder(self, folder: Path, seen: frozenset[Path]) -> Iterator[Found]:
        if folder in seen:
            self.note(folder, 0, "includes itself", "break the circle of resources")
            return
        seen = seen | {folder}
        kustomization = next((folder / name for name in _NAMES if (folder / name).is_file()), None)
        if kustomization is not None:
            yield from self._kustomization(kustomization, folder, seen)
            return
        # Without a kustomization file Flux makes one of everything below, stopping at folders that have their own.
        for path in sorted(folder.iterdir()):
            if path.is_dir() and not path.name.startswith("."):
                yield from self._folder(path, seen)
            elif path.suffix in (".yaml", ".yml"):
                yield from self._file(path)

    def _kustomization(self, file: Path, folder: Path, seen: frozenset[Path]) -> Iterator[Found]:
        documents = self._applied(file)
        if not documents and file not in self._failed:
            self.hides(file, 0, "is empty, and kustomize refuses that", "list its resources, or take the folder out")
        for document in documents:
            if not isinstance(document.value, dict):
                self.hides(file, document.spot.line, "is no kustomization", "list its resources in a mapping")
                continue
            body = document.value
            gathered: list[Found] = []
            for part in _PARTS:
                if body.get(part) is not None and not isinstance(body[part], list):
                    self.hides(file, document.line((part,)), f"{part} is no list, and is not followed", "write it as a list")
                for index, entry in enumerate(sequence(body.get(part))):
                    line = document.line((part, index))
                    gathered += self._entry(folder, str(entry), shown(file, self.root), line, seen)
            for key in body:
                meant = "" if key in _PARTS else nearest(key, _PARTS)
                if meant:
                    self.hides(file, document.line((key,)), f"{key} is nothing that kustomize knows", f"write {meant}")
            self._note_changes(document, file, gathered)
            namespace = body.get("namespace")
            if isinstance(namespace, str) and namespace:
                self.namespaces.add(namespace)
                gathered = [replace(found, namespace=namespace) for found in gathered]
            yield from gathered

    def _note_changes(self, document: Document, file: Path, gathered: list[Found]) -> None:
        """What a kustomization does to the objects it gathers is not followed: said where backups are among them."""
        if any(found.kind in _BACKUP_KINDS for found in gathered):
            for key in _CHANGES:
                if mapping(document.value).get(key):
                    what = f"{key} is not followed, and backups are declared in what it changes"
                    self.note(file, document.line((key,)), what, "look whether it changes names or repositories of backups")

    def _entry(self, folder: Path, entry: str, file: str, line: int, seen: frozenset[Path]) -> Iterator[Found]:
        if "://" in entry or entry.startswith(("github.com/", "git@")):
            self.note(file, line, f"{entry} lies elsewhere and is not followed", "backups declared there are not seen")
            return
        path = Path(folder, entry).resolve()
        if not path.is_relative_to(self.root):
            self.note(file, line, f"{entry} lies outside the repository", "keep resources inside it")
        elif path.is_dir():
            yield from self._folder(path, seen)
        elif path.is_file():
            yield from self._file(path)
        else:
            self.note(file, line, f"{entry} is not there", "add it, or take the entry out")

    def _file(self, path: Path) -> Iterator[Found]:
        for document in self._applied(path):
            yield from _objects(document, document.value, ())


def _objects(document: Document, body: Any, where: Steps) -> Iterator[Found]:
    """The object at this place of a document; a List stands for its items, as it does for kustomize."""
    if not isinstance(body, dict) or not isinstance(body.get("kind"), str):
        return
    if body["kind"].endswith("List") and isinstance(body.get("items"), list):
        for index, item in enumerate(body["items"]):
            yield from _objects(document, item, (*where, "items", index))
        return
    metadata = mapping(body.get("metadata"))
    yield Found(
        api=str(body.get("apiVersion", "")),
        kind=body["kind"],
        namespace=str(metadata.get("namespace") or ""),
        name=str(metadata.get("name") or ""),
        body=body,
        file=document.name,
        line=document.line(where),
    )
