"""What becomes of a volume's files without the tool: one is written, all become nonsense, a disk rots. Knows no API."""

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


def rot(volume: Path) -> dict[str, Any]:
    """A disk gives back another byte than was written, in the first of its files: no name, size or time of it is another.
    ValueError where there is no byte to be another."""
    files = (path for path in sorted(volume.rglob("*")) if path.relative_to(volume).parts[0] != LOST_FOUND)
    path = next((one for one in files if one.is_file() and not one.is_symlink() and one.stat().st_size), None)
    if path is None:
        raise ValueError("no file with a byte is on the volume")
    was, data = path.stat(), bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    with path.open("r+b") as file:
        file.write(data)
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
    return {"path": str(path.relative_to(volume))}


def _owner(volume: Path) -> tuple[int, int]:
    """Who owns what is in it: the folder itself is the kubelet's."""
    there = next((one for one in sorted(volume.iterdir()) if one.name != LOST_FOUND), volume).lstat()
    return there.st_uid, there.st_gid


def _give(path: Path, owner: tuple[int, int]) -> None:
    if os.geteuid() == 0:
        os.chown(path, *owner)
