"""Where in its file a problem stands: file, line and column, as an editor marks it. Reads the files again; decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from engine.files.content import content_of, text_of
from house.files import yamlfile
from house.files.paths import is_file
from house.files.problems import Problem, dotted
from house.files.yamlfile import YamlInvalid
from house.known.beside import beside_problems
from house.known.inventory import INVENTORY_FILE
from house.known.lock import LOCK_FILE
from house.loader import Examined
from house.settings.schema import SCHEMA_FILE, schema_text


class Severity(Enum):
    """Whether a problem stands in the way of a run, or is only worth a look."""

    ERROR = "error"
    NOTE = "note"


@dataclass(frozen=True)
class Located:
    """One problem with its place. Line and column count from 1, in characters, and are 0 where it is the whole file."""

    file: Path
    line: int
    column: int
    severity: Severity
    path: str
    what: str
    better: str

    def __str__(self) -> str:
        place = ":".join([str(self.file), *(str(number) for number in (self.line, self.column) if number)])
        path = f"{self.path}: " if self.path else ""
        return f"{place}: {self.severity.value}: {path}{self.what}{f'; {self.better}' if self.better else ''}"


def located(found: Examined, settings_file: Path, root: Path) -> tuple[Located, ...]:
    """Every problem and note of a house with its place, errors first. `root` is the repository that it was read with."""
    files = _Files(settings_file.resolve(), root)
    problems = (*found.problems, *beside_problems(settings_file))
    errors = [files.place(problem, Severity.ERROR) for problem in problems]
    notes = [files.place(note, Severity.NOTE) for note in found.notes]
    kept = settings_file.resolve().with_name(SCHEMA_FILE)
    return (*errors, *notes, *_old_schema(kept))


def _old_schema(kept: Path) -> Iterator[Located]:
    """The schema that the editor goes by, where it is not this version's: it would mark what is right, or not what is wrong."""
    try:
        other = is_file(kept) and content_of(kept) != schema_text().encode()
    except OSError:  # an editor cannot go by it either
        other = True
    if other:
        better = f"write it anew: invoke config.schema > {kept.name}"
        yield Located(kept, 0, 0, Severity.NOTE, "", "is the schema of another version of Blackstart", better)


class _Files:
    """The files that problems name, each read once."""

    def __init__(self, settings_file: Path, root: Path) -> None:
        self._settings, self._root = settings_file, root
        self._places: dict[Path, dict[tuple[str, int], int]] = {}

    def place(self, problem: Problem, severity: Severity) -> Located:
        """With the column of its key; of what is missing, of what it is missing in."""
        file = self._file(problem.file)
        column = self._column(file, problem) if problem.line else 0
        return Located(file, problem.line, column, severity, problem.path, problem.what, problem.better)

    def _file(self, name: str) -> Path:
        if name in ("", self._settings.name):
            return self._settings
        if name in (LOCK_FILE, INVENTORY_FILE):
            return self._settings.with_name(name)
        return self._root / name

    def _column(self, file: Path, problem: Problem) -> int:
        if file not in self._places:
            self._places[file] = _columns(file)
        known = self._places[file]
        for path in _upwards(problem.path):
            if (path, problem.line) in known:
                return known[path, problem.line]
        return known.get(("", -problem.line), 1)


def _columns(file: Path) -> dict[tuple[str, int], int]:
    """(path, line) to column of everything in a YAML file; and ("", -line) to that of the first character of each line."""
    try:
        text = text_of(file)
    except (OSError, UnicodeDecodeError):
        return {}
    lines = enumerate(text.splitlines(), start=1)
    found = {("", -number): len(line) - len(line.lstrip()) + 1 for number, line in lines}
    try:
        documents = yamlfile.parse(text, file.name)
    except YamlInvalid:
        return found
    for document in documents:
        found |= {(dotted(path), spot.line): spot.column for path, spot in document.spots()}
    return found


def _upwards(path: str) -> Iterable[str]:
    """`a.b[0].c`, `a.b[0]`, `a.b`, `a`."""
    while path:
        yield path
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
