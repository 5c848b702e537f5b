"""Files that are read whole, whoever put them there: a pipe or a device costs an error, and no run. Knows no format."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

LARGEST = 32 * 2**20
"""Bytes of a file that a person wrote."""
NO_FILE = frozenset({errno.EINVAL, errno.EISDIR, errno.EFBIG})
"""Of what is there and can never be read whole; any other error may be about the disk, or who we are."""


def content_of(file: Path, largest: int = 0) -> bytes:
    """All of a file. Raises OSError, also where it is none (a pipe, a device: they may never end) or has more than `largest` bytes
    (0: LARGEST)."""
    largest = largest or LARGEST
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(file))
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", str(file))
        with os.fdopen(descriptor, "rb", closefd=False) as opened:
            content = opened.read(largest + 1) if found.st_size <= largest else b""
    finally:
        os.close(descriptor)
    if len(content) > largest or found.st_size > largest:
        raise OSError(errno.EFBIG, f"it has more than {largest // 2**20} MiB", str(file))
    return content


def text_of(file: Path, largest: int = 0) -> str:
    """The same as text, in UTF-8 whatever the locale, its lines ended by newlines alone. Raises UnicodeDecodeError, too."""
    return content_of(file, largest).decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
