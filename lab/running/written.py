"""What becomes of a volume's files without the tool: an application writes one, or makes nonsense of all. Knows no API."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

LOST_FOUND = "lost+found"


def write(volume: Path, name: str, text: str) -> dict[str, Any]:
    """The application writes this file, as who owns the folder; its digest comes back. ValueError for a name that leaves it."""
    path = volume / name
    if ".." in Path(name).parts or Path(name).is_absolute():
        raise ValueError(f"{name} is no path on the volume")
    owner = _owner(volume)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    for made in (path.parent, path):
        _give(made, owner)
    return {"path": name, "sha256": hashlib.sha256(text.encode()).hexdigest()}


def spoil(volume: Path) -> dict[str, Any]:
    """All of its files are gone, and there is one of nonsense in their place; how many went."""
    owner, gone = _owner(volume), 0
    for path in sorted(volume.rglob("*"), reverse=True):
        if path.relative_to(volume).parts[0] == LOST_FOUND:
            continue
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()
            gone += 1
    left = volume / "nonsense"
    left.write_text("a bad upgrade was here\n")
    _give(left, owner)
    return {"gone": gone}


def _owner(volume: Path) -> tuple[int, int]:
    """Who owns what is in it: the folder itself is the kubelet's."""
    there = next((one for one in sorted(volume.iterdir()) if one.name != LOST_FOUND), volume).lstat()
    return there.st_uid, there.st_gid


def _give(path: Path, owner: tuple[int, int]) -> None:
    if os.geteuid() == 0:
        os.chown(path, *owner)
