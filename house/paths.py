"""Paths as people write them. Knows no file of a house."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def at_home(path: Path) -> Path:
    """With `~` and `~name` written out; that of somebody who has no home here stays as it is, and is then not there."""
    with suppress(RuntimeError):
        return path.expanduser()
    return path


def expanded(path: Path) -> Path:
    """The same, and absolute."""
    return at_home(path).absolute()
