"""One thing wrong with a file that the user owns, told as `file:line: path: what is wrong; what would be right`.

Knows no file format.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from engine.errors import SettingsInvalid
from engine.text.words import number

Steps = tuple[str | int, ...]


@dataclass(frozen=True, order=True)
class Problem:
    """`line` counts from 1, 0 when the problem is the whole file; `better` says what would be right."""

    file: str
    line: int
    path: str
    what: str
    better: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        where = f"{place}: {self.path}" if self.path else place
        return f"{where}: {self.what}; {self.better}"


def problem_at(place: str, what: str, better: str) -> Problem:
    """At a place that is told as `file:line`, or as a file alone."""
    file, _, line = place.rpartition(":")
    return Problem(file, int(line), "", what, better) if file and line.isdecimal() else Problem(place, 0, "", what, better)


def dotted(steps: Steps) -> str:
    """`nodes.cp-1.disks[0].size` for ("nodes", "cp-1", "disks", 0, "size")."""
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text if text.isprintable() else repr(text)


def shown(path: Path, *roots: Path) -> str:
    """A path as messages name it: relative to the first root that holds it, else as it is."""
    for root in roots:
        with suppress(ValueError):
            return path.relative_to(root).as_posix()
    return path.as_posix()


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that is nearest to `word`, "" when none is near."""
    found = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else ""


def nearest_or_all(word: str, known: Sequence[str]) -> str:
    """Advice on a word that is not known: the nearest one, else all that are."""
    close = nearest(word, known)
    if close:
        return f"the nearest known one is {close}"
    named = list(dict.fromkeys(name for name in known if name))
    return f"known here: {', '.join(named)}" if named else "none is known here"


def refuse(problems: Iterable[Problem], subject: str) -> SettingsInvalid:
    """The one error that tells every problem, ordered by file and line; `subject` is what cannot be used as it is."""
    lines = tuple(str(p) for p in sorted(set(problems)))
    count = number(len(lines), "problem")
    return SettingsInvalid(
        f"{subject} cannot be used as it is: {count}",
        evidence=lines,
        hint="each line names the place and what would be right; then type the same command again",
    )
