"""Paths as people write them, and files that are read whole. Knows no file of a house."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

LARGEST = 32 * 2**20
"""Bytes of a file that a person wrote."""


def at_home(path: Path) -> Path:
    """With `~` and `~name` written out; that of somebody who has no home here stays as it is, and is then not there."""
    with suppress(RuntimeError):
        return path.expanduser()
    return path


def expanded(path: Path) -> Path:
    """The same, and absolute."""
    return at_home(path).absolute()


def content_of(file: Path) -> bytes:
    """All of a file. Raises OSError, also where it is none (a pipe, a device: they may never end) or is larger than LARGEST."""
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as opened:
        if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", str(file))
        content = opened.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise OSError(errno.EFBIG, f"it has more than {LARGEST // 2**20} MiB", str(file))
    return content
