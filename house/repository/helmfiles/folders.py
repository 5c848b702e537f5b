"""Which folder of a repository a variable of the environment stands for, by what a helmfile names behind it: of
`{{ requiredEnv "ROOT_DIR" }}/apps/x.yaml` the one folder that has it. Told only where it has all of them and no other folder has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from os import scandir
from pathlib import Path

from engine.errors import SettingsInvalid
from house.files.paths import is_there
from house.files.problems import shown

_BEHIND = re.compile(r"\{\{-?\s*requiredEnv\s+[\"`]([A-Za-z_]\w*)[\"`]\s*-?\}\}/([^\s'\"`{}\[\],#*?]+)")
_DEEPEST = 3
_MOST = 2_000
"""Beyond so many folders nothing is told, for nobody has looked at all of them: those of a home are hundreds."""


def folders_of(root: Path, texts: Iterable[str]) -> dict[str, str]:
    """Each variable of these texts of which it is known, with the folder as it is seen from the root, "." for the root."""
    named: dict[str, set[str]] = {}
    for line in (line for text in texts for line in text.splitlines() if not line.lstrip().startswith("#")):
        for name, path in _BEHIND.findall(line):
            named.setdefault(name, set()).add(path)
    try:
        below = _below(root) if named else []
        found = {name: [folder for folder in below if _has(folder, paths)] for name, paths in named.items()}
    except (OSError, SettingsInvalid):  # where nobody can look another folder may have it too, and no house is refused for a guess
        return {}
    return {name: shown(having[0], root) for name, having in found.items() if len(having) == 1}


def stands_at(text: str, folders: Mapping[str, str]) -> bool:
    """Whether all of this text is a path behind a variable whose folder is known: then it is there."""
    behind = _BEHIND.fullmatch(text)
    return behind is not None and behind[1] in folders


def _has(folder: Path, paths: Iterable[str]) -> bool:
    return all(is_there(folder / path) for path in paths)


def _below(root: Path) -> list[Path]:
    """The root and the folders in it; none where they are too many. Raises OSError for one that cannot be listed."""
    found, level = [root], [root]
    for _ in range(_DEEPEST):
        level = [each for folder in level for each in _folders(folder)]
        found += level
        if len(found) > _MOST:
            return []
    return found


def _folders(folder: Path) -> list[Path]:
    with scandir(folder) as entries:
        return [Path(one.path) for one in entries if not one.name.startswith(".") and one.is_dir(follow_symlinks=False)]
