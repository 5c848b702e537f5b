"""A home-ops repository's files, each read once, and what of them could not be followed. Knows no meaning of any key."""

from __future__ import annotations

import os
from pathlib import Path

from engine.files.content import content_of
from house.files import yamlfile
from house.files.paths import is_link
from house.files.problems import Problem, shown
from house.files.yamlfile import Document, YamlInvalid


def real(path: Path) -> Path | None:
    """Where a path's links lead to; None where they lead in a circle."""
    try:
        return path.resolve()
    except (RuntimeError, OSError, ValueError):
        return None


_NOT_IN_USE = frozenset({"archive", "archived", "node_modules"})


class Tree:
    """The files below one root.

    `notes` collects what could not be followed, `unread` those of them that are broken for Flux too, and hide what they declare.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.notes: list[Problem] = []
        self.unread: list[Problem] = []
        self._documents: dict[Path, tuple[Document, ...]] = {}
        self._failed: dict[Path, Problem] = {}
        self._files: tuple[Path, ...] | None = None
        self._texts: dict[Path, str] = {}
        self._contents: dict[Path, bytes] = {}
        self._held: dict[Path, bool] = {}
        self._plain: dict[Path, bool] = {self.root: True}

    def holds(self, path: Path) -> bool:
        """Whether a path is inside of the root, and where its links lead to as well."""
        if path not in self._held:
            leads = path if self.is_plain(path) else real(path) if path.is_relative_to(self.root) else None
            self._held[path] = leads is not None and leads.is_relative_to(self.root)
        return self._held[path]

    def is_plain(self, path: Path) -> bool:
        """Whether a path (without `..`) lies below the root and no part of it is a link: then it leads to itself."""
        known = self._plain.get(path)
        if known is None:
            known = len(path.parts) > len(self.root.parts) and self.is_plain(path.parent) and not is_link(path)
            self._plain[path] = known
        return known

    def content(self, file: Path) -> bytes:
        """All of a file, read once however many builds read it. Raises OSError as engine.files.content.content_of does."""
        known = self._contents.get(file)
        if known is None:
            known = self._contents[file] = content_of(file)
        return known

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

    def manifests(self) -> tuple[Path, ...]:
        """Every YAML file in order, but those of hidden folders and of what is put away (`archive`)."""
        return self.others(".yaml", ".yml")

    def others(self, *endings: str) -> tuple[Path, ...]:
        """Every file whose name ends so, of the same folders."""
        if self._files is None:
            found = []
            for folder, below, names in os.walk(self.root, onerror=self._unlisted):
                below[:] = sorted(name for name in below if not name.startswith(".") and name.strip("_") not in _NOT_IN_USE)
                found += [Path(folder) / name for name in sorted(names)]
            self._files = tuple(found)
        return tuple(file for file in self._files if file.name.endswith(endings))

    def _unlisted(self, error: OSError) -> None:
        """What may lie in a folder that nobody could list is not known, and not nothing."""
        what = f"cannot be listed ({error.strerror})"
        self.note(Path(error.filename or self.root), 0, what, "mend its permissions, or take it out")

    def text(self, file: Path) -> str:
        """A file's text; none, and a note, where it cannot be read."""
        if file not in self._texts:
            try:
                self._texts[file] = self.content(file).decode("utf-8", "replace")
            except OSError as error:
                self._texts[file] = ""
                what = f"cannot be read ({error.strerror})"
                self.note(file, 0, what, "mend the link or its permissions, or take it out")
        return self._texts[file]

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

    def applied(self, path: Path) -> tuple[Document, ...]:
        """The documents of a file that Flux applies: whatever it declares is not seen when it cannot be read."""
        known = self.documents(path)
        problem = self._failed.get(path)
        for told in (self.notes, self.unread) if problem is not None else ():
            if problem is not None and problem not in told:
                told.append(problem)
        return known
