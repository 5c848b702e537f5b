"""The remotes of the clone that a folder is in, as its own configuration says. Runs no git."""

from __future__ import annotations

import re
from pathlib import Path

_SECTION = re.compile(r'\s*\[\s*([A-Za-z0-9.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]')
_URL = re.compile(r"\s*url\s*=\s*(.*?)\s*$", re.IGNORECASE)
_LARGEST = 2**20


def remotes(root: Path) -> tuple[str, ...] | None:
    """URLs of all remotes; None where there is no clone, or its URLs are rewritten on their way (`insteadOf`)."""
    config = next((file for folder in (root, *root.parents) if (file := _config(folder / ".git")) is not None), None)
    if config is None:
        return None
    try:
        text = config.read_text(encoding="utf-8", errors="replace")[:_LARGEST]
    except OSError:
        return None
    found: list[str] = []
    section = ""
    for line in text.splitlines():
        head = _SECTION.match(line)
        if head is not None:
            section = head[1].lower()
            line = line[head.end() :]
        if section == "url" or section.startswith("include"):
            return None
        url = _URL.fullmatch(line)
        if url is not None and section == "remote":
            found.append(url[1].strip('"'))
    return tuple(found)


def _config(git: Path) -> Path | None:
    """The configuration of a clone; a work tree of one has a file `.git` that names its folder."""
    try:
        if git.is_file():
            named = git.read_text(encoding="utf-8", errors="replace")[:_LARGEST].partition("gitdir:")[2].strip()
            folder = (git.parent / named).resolve()
            common = folder / "commondir"
            if common.is_file():
                folder = (folder / common.read_text(encoding="utf-8").strip()).resolve()
            return folder / "config" if named and (folder / "config").is_file() else None
        return git / "config" if (git / "config").is_file() else None
    except (OSError, RuntimeError, ValueError):
        return None
