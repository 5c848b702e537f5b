"""What must outlast a power cut before anybody goes on: a file's content, and its name in its folder. Knows no format."""

from __future__ import annotations

import os
from pathlib import Path


def sync_file(path: Path) -> None:
    """Return once the content is on the disk. OSError when it cannot be."""
    _sync(path, os.O_RDONLY)


def sync_folder(folder: Path) -> None:
    """Return once the names in it are on the disk. OSError when they cannot be."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
