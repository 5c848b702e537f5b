"""What must outlast a power cut before anybody goes on: a file's content, its name in its folder, many of both. Knows no format."""

from __future__ import annotations

import os
from pathlib import Path


def sync_file(path: Path) -> None:
    """Return once the content is on the disk. OSError when it cannot be."""
    _sync(path, os.O_RDONLY)


def sync_folder(folder: Path) -> None:
    """Return once the names in it are on the disk. OSError when they cannot be."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def sync_file_system(folder: Path) -> bool:
    """Return once all that waits for the file system of this folder is on the disk: of many files in a fraction of the time that
    each by itself takes, and of those too that we may not open. False where this machine knows no such wait, or does not let us
    open the folder; OSError when the disk does not take it."""
    import ctypes  # here: every command imports this module, and few come by

    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:
        return False
    try:
        act = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)  # of Linux alone
        if act is None:
            return False
        if act(descriptor) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(folder))
        return True
    finally:
        os.close(descriptor)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
