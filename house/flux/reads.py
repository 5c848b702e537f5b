"""What one build of kustomize reads: the kustomizations below a folder and every file that they name. Builds nothing.

A build gets these files and no others, in a folder of its own: their digest is all that its result depends on. What would be
fetched from elsewhere, or is not there, is taken out of the kustomization that names it, and told.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from house.files.paths import is_file, is_folder, is_link, is_there
from house.files.problems import shown
from house.files.shapes import mapping, sequence
from house.files.yamlfile import Document
from house.flux.overlay import overlaid
from house.repository.tree import Tree

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_GATHERED = ("resources", "bases", "components")
_GENERATORS = ("configMapGenerator", "secretGenerator")
_PLUGINS = ("generators", "transformers", "validators")
# Where no kustomization lists its parts Flux takes every manifest, but for what is never pulled.
_NEVER_PULLED = frozenset({".git", ".github", ".circleci", ".sops.yaml", ".flux.yaml", ".goreleaser.yml", ".travis.yml"})
_REMOTE = re.compile(r"[a-z][a-z0-9+.-]*://|git@|git::|github\.com[/:]|[\w.-]+\.[a-z]{2,}/.*(//|\?ref=|\.git\b)", re.IGNORECASE)
_ENCRYPTED = ".sops."
_MOST_LOADS = 5_000
"""How often folders may be loaded for one build: kustomize loads a folder anew for each that names it, so that few can double."""
_LONGEST_NAME = 400


@dataclass(frozen=True)
class Remote:
    """An entry of a kustomization that lies elsewhere: it is named at `file:line`."""

    entry: str
    file: str
    line: int


@dataclass
class Reads:
    """The files of one build, by their path from the repository's root, the links that lead to them, and what lies elsewhere.

    `folder` is what is built, seen from the root. Its kustomization is the one that Flux would write there. `own` names the
    kustomizations that Git has. `endless`: its folders name each other so often that building it would not end.
    """

    folder: str
    files: dict[str, bytes] = field(default_factory=dict, repr=False)
    links: dict[str, str] = field(default_factory=dict)
    remotes: list[Remote] = field(default_factory=list)
    own: set[str] = field(default_factory=set)
    endless: bool = False

    def digest(self) -> str:
        """SHA-256 (hex) over names and contents."""
        whole = hashlib.sha256(self.folder.encode("utf-8", "surrogateescape"))
        for name, content in sorted(self.files.items()):
            whole.update(f"\n{len(name)}:{name}={hashlib.sha256(content).hexdigest()}".encode("utf-8", "surrogateescape"))
        for name, target in sorted(self.links.items()):
            whole.update(f"\n{len(name)}:{name}->{target}".encode("utf-8", "surrogateescape"))
        return whole.hexdigest()


def reads_of(tree: Tree, folder: Path, spec: Mapping[str, Any], file: str, line: int) -> Reads:
    """What building this folder of the tree reads for a Flux Kustomization of this spec, which is declared at `file:line`."""
    reads = Reads(shown(folder, tree.root))
    closure = _Closure(tree, reads)
    closure.begin(folder, spec, file, line)
    reads.endless = closure.loads(folder) > _MOST_LOADS
    return reads


class _Closure:
    """Follows kustomizations from one folder to everything that they name."""

    def __init__(self, tree: Tree, reads: Reads) -> None:
        self._tree = tree
        self._reads = reads
        self._seen: set[Path] = set()
        self._below: dict[Path, list[Path]] = {}

    def loads(self, folder: Path) -> int:
        """How many folders kustomize loads for this one, each as often as it is named; a circle is kustomize's own to refuse."""
        counts: dict[Path, int] = {}
        waiting = [(folder, False)]
        while waiting:
            at, done = waiting.pop()
            below = self._below.get(at, [])
            if done:
                counts[at] = min(_MOST_LOADS + 1, 1 + sum(counts.get(one, 0) for one in below))
            elif at not in counts:
                counts[at] = 0
                waiting.append((at, True))
                waiting += [(one, False) for one in below]
        return counts.get(folder, 0)

    def begin(self, folder: Path, spec: Mapping[str, Any], file: str, line: int) -> None:
        """Take the folder that Flux builds; what `spec` adds to it is told at `file:line`."""
        self._seen.add(folder)
        if spec.get("ignoreMissingComponents") is True:
            spec = {**spec, "components": self._present(folder, spec.get("components"), file, line)}
        found = self._kustomizations(folder)
        if not found:
            body: dict[str, Any] = {"kind": "Kustomization", "resources": list(self._manifests(folder))}
            self._put(folder / NAMES[0], self._followed(folder, overlaid(body, spec), None, file, line))
            return
        documents = self._tree.applied(found[0])
        if len(found) > 1 or len(documents) != 1 or not isinstance(documents[0].value, dict):
            self._raw(*found)  # kustomize says what is wrong with it
            return
        self._reads.own.add(shown(found[0], self._tree.root))
        self._put(found[0], self._followed(folder, overlaid(documents[0].value, spec), documents[0], file, line))

    def _present(self, folder: Path, components: Any, file: str, line: int) -> list[Any]:
        """The components without those that are not there, which Flux was told to pass over."""
        kept = []
        for one in sequence(components):
            if isinstance(one, str) and not is_there(Path(os.path.normpath(folder / one))) and not _REMOTE.match(one):
                self._tree.note(file, line, f"{one} is not there, and Flux is told to pass over it", "look whether it is meant")
            else:
                kept.append(one)
        return kept

    def _folder(self, folder: Path) -> None:
        if folder in self._seen:
            return
        self._seen.add(folder)
        found = self._kustomizations(folder)
        self._raw(*found)
        documents = self._tree.applied(found[0]) if found else ()
        if len(found) == 1 and len(documents) == 1 and isinstance(documents[0].value, dict):
            body = self._followed(folder, documents[0].value, documents[0], documents[0].name, 0)
            if body != documents[0].value:
                self._put(found[0], body)

    def _kustomizations(self, folder: Path) -> list[Path]:
        return [folder / name for name in NAMES if is_file(folder / name)]

    def _manifests(self, folder: Path) -> Iterator[str]:
        """What Flux lists where there is no kustomization: every manifest, and folders that have a kustomization of their own."""
        for path in sorted(folder.iterdir()):
            if path.name in _NEVER_PULLED or self._is_ours(path):
                continue
            if is_link(path) and not is_file(path):  # Flux follows no link to a folder
                self._tree.note(path, 0, "is a link to no file, which Flux passes over", "put the folder itself here")
            elif is_folder(path):
                if self._kustomizations(path):
                    yield f"./{path.name}"
                else:
                    yield from (f"./{path.name}/{below.removeprefix('./')}" for below in self._manifests(path))
            elif path.suffix in (".yaml", ".yml"):
                yield f"./{path.name}"

    def _is_ours(self, path: Path) -> bool:
        """Whether it is a file of this program, which lies at the root: Flux would refuse all that it applies with it."""
        ours = path.parent == self._tree.root and path.name.startswith("blackstart.") and path.suffix in (".yaml", ".yml")
        if ours and not self._is_never_pulled(path):
            what = "lies in a folder of which Flux applies every file, and is no object: Flux refuses the folder"
            self._tree.note(path, 0, what, "add a kustomization.yaml to that folder, or name the file in .sourceignore")
        return ours

    def _is_never_pulled(self, path: Path) -> bool:
        """Whether a line of `.sourceignore` at the root names it."""
        ignored = path.with_name(".sourceignore")
        lines = self._tree.text(ignored).splitlines() if is_file(ignored) else []
        return any(fnmatch(path.name, line.strip().lstrip("/")) for line in lines if not line.startswith("#"))

    def _followed(self, folder: Path, body: Mapping[str, Any], document: Document | None, file: str, line: int) -> dict[str, Any]:
        """The kustomization without what is not here; all that it names is read. `file:line` is where lines of nobody are."""
        made = dict(body)
        for part in _GATHERED:
            if isinstance(body.get(part), list):
                own = len(sequence(mapping(document.value).get(part))) if document is not None else 0
                places = [
                    (document.name, document.line((part, index))) if document is not None and index < own else (file, line)
                    for index in range(len(body[part]))
                ]
                made[part] = [e for e, place in zip(body[part], places, strict=True) if self._entry(folder, e, *place)]
        for part in _GENERATORS:
            if isinstance(body.get(part), list):
                at = (document.name, document.line((part,))) if document is not None else (file, line)
                made[part] = [self._generator(folder, generator, *at) for generator in body[part]]
        for key, value in made.items():
            if key not in _GATHERED:
                self._named(folder, value, plugins=key in _PLUGINS)
        return made

    def _entry(self, folder: Path, entry: Any, file: str, line: int) -> bool:
        """Whether a resource or component is here, and with it all that it reads."""
        if not isinstance(entry, str):
            return True
        path = Path(os.path.normpath(folder / entry))
        if is_there(path):
            if self._tree.holds(path):
                self._take(path)
                self._below.setdefault(folder, []).append(path if self._tree.is_plain(path) else path.resolve())
                return True
            self._tree.hides(file, line, f"{entry} lies outside the repository", "keep resources inside it")
        elif _REMOTE.match(entry):
            self._reads.remotes.append(Remote(entry, file, line))
        else:
            # What sops encrypts is often not in a copy of a house, and declares no backup.
            tell = self._tree.note if _ENCRYPTED in path.name else self._tree.hides
            tell(file, line, f"{entry} is not there", "add it, or take the entry out")
        return False

    def _generator(self, folder: Path, generator: Any, file: str, line: int) -> Any:
        """A generator without the files that are not here: what is encrypted is often not."""
        if not isinstance(generator, dict):
            return generator
        made = dict(generator)
        if isinstance(made.get("env"), str):
            made["envs"] = [*sequence(made.get("envs")), made.pop("env")]
        for key in ("files", "envs"):
            kept = []
            for entry in sequence(made.get(key)):
                name = str(entry).rpartition("=")[2] if key == "files" else str(entry)
                if is_file(folder / name):
                    kept.append(entry)
                elif _REMOTE.match(name):
                    self._tree.note(file, line, f"{name} lies elsewhere", "nothing: what is made of it is read without it")
                else:
                    self._tree.note(file, line, f"{name} is not there", "add it, or take the entry out")
            if key in made:
                made[key] = kept
        return made

    def _named(self, folder: Path, value: Any, *, plugins: bool = False) -> None:
        """Take every file that some text in a kustomization names: patches, files of generators, configurations."""
        if isinstance(value, dict):
            for item in value.values():
                self._named(folder, item, plugins=plugins)
        elif isinstance(value, list):
            for item in value:
                self._named(folder, item, plugins=plugins)
        elif isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME and "\n" not in value and "\0" not in value:
            for name in {value, value.rpartition("=")[2]} - {""}:
                path = Path(os.path.normpath(folder / name))
                if not self._tree.holds(path):
                    if path.is_relative_to(self._tree.root) and is_link(path):
                        what = "is a link that leads out of the repository, or in a circle"
                        self._tree.note(path, 0, what, "keep the file inside it")
                    continue
                if is_file(path):
                    self._take(path)
                    for document in self._tree.documents(path.resolve()) if plugins else ():
                        self._named(folder, document.value)
                elif plugins and is_folder(path):
                    self._take(path)

    def _take(self, path: Path) -> None:
        """A file or folder with its links: kustomize goes on from where they lead."""
        plain = self._tree.is_plain(path)
        at = path if plain else self._tree.root
        for part in () if plain else path.relative_to(self._tree.root).parts:
            at = at / part
            if is_link(at):
                real = at.resolve()
                self._reads.links[shown(at, self._tree.root)] = os.path.relpath(real, at.parent)
                at = real
        if is_folder(at):
            self._folder(at)
        else:
            self._raw(at)

    def _raw(self, *files: Path) -> None:
        for file in files:
            name = shown(file, self._tree.root)
            if file.name in NAMES:
                self._reads.own.add(name)
            if name not in self._reads.files:
                try:
                    self._reads.files[name] = self._tree.content(file)
                except OSError as error:
                    self._tree.hides(file, 0, f"cannot be read ({error.strerror})", "mend the link or its permissions")

    def _put(self, file: Path, body: Mapping[str, Any]) -> None:
        self._reads.files[shown(file, self._tree.root)] = json.dumps(body).encode()
