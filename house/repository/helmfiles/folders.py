"""Which folder of a repository a variable of the environment stands for, by what a helmfile names behind it: of
`{{ requiredEnv "ROOT_DIR" }}/apps/x.yaml` the one folder that has it. Told only where it has all of them and no other folder has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from os import scandir
from pathlib import Path

from house.files.paths import is_there
from house.files.problems import shown

_BEHIND = re.compile(r"\{\{-?\s*requiredEnv\s+[\"`]([A-Za-z_]\w*)[\"`]\s*-?\}\}/([^\s'\"`{}\[\],#*?]+)")
_DEEPEST = 3
_MOST = 2_000
"""How many folders are looked at: those of a home are hundreds."""


def folders_of(root: Path, texts: Iterable[str]) -> dict[str, str]:
    """Each variable of these texts of which it is known, with the folder as it is seen from the root, "." for the root."""
    named: dict[str, set[str]] = {}
    for line in (line for text in texts for line in text.splitlines() if not line.lstrip().startswith("#")):
        for name, path in _BEHIND.findall(line):
            named.setdefault(name, set()).add(path)
    found = {name: _having(root, paths) for name, paths in named.items()}
    return {name: folder for name, folder in found.items() if folder}


def stands_at(text: str, folders: Mapping[str, str]) -> bool:
    """Whether all of this text is a path behind a variable whose folder is known: then it is there."""
    behind = _BEHIND.fullmatch(text)
    return behind is not None and behind[1] in folders


def _having(root: Path, paths: set[str]) -> str:
    """The only folder that has all of these paths, "" where none or several do."""
    having = [folder for folder in _below(root) if all(is_there(folder / path) for path in paths)]
    return shown(having[0], root) if len(having) == 1 else ""


def _below(root: Path) -> Iterator[Path]:
    waiting, seen = [(root, 0)], 0
    while waiting and seen < _MOST:
        folder, depth = waiting.pop(0)
        seen += 1
        yield folder
        if depth < _DEEPEST:
            waiting += [(each, depth + 1) for each in _folders(folder)]


def _folders(folder: Path) -> list[Path]:
    try:
        with scandir(folder) as entries:
            return sorted(Path(one.path) for one in entries if not one.name.startswith(".") and one.is_dir(follow_symlinks=False))
    except OSError:
        return []
