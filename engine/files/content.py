"""Files that are read whole, and folders, whoever put them there: a pipe or a device costs an error, no run. Knows no format."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

LARGEST = 32 * 2**20
"""Bytes of a file that a person wrote."""
NO_FILE = frozenset({errno.EINVAL, errno.EISDIR, errno.EFBIG})
"""Of what is there and can never be read whole; any other error may be about the disk, or who we are."""
_KINDS = {
    stat.S_IFREG: "", stat.S_IFDIR: "a folder", stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
}  # fmt: skip


def no_file(mode: int) -> str:
    """What of this mode (as stat has it) is instead of a regular file, as in `a named pipe`; "" for one."""
    return _KINDS.get(stat.S_IFMT(mode), "no regular file")


def content_of(file: Path, largest: int = 0) -> bytes:
    """All of a file. Raises OSError, also where it is none (a pipe, a device: they may never end) or has more than `largest` bytes
    (0: LARGEST)."""
    largest = largest or LARGEST
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket, or a device that nothing drives
            raise OSError(errno.EINVAL, f"it is {no_file(file.stat().st_mode)}", str(file)) from None
        raise
    try:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(file))
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, f"it is {no_file(found.st_mode)}", str(file))
        with os.fdopen(descriptor, "rb", closefd=False) as opened:
            content = opened.read(largest + 1) if found.st_size <= largest else b""
    finally:
        os.close(descriptor)
    if len(content) > largest or found.st_size > largest:
        raise OSError(errno.EFBIG, f"it has more than {largest // 2**20} MiB", str(file))
    return content


def entries_of(folder: Path) -> list[Path]:
    """What is in a folder, sorted; nothing where it is not there. OSError where nobody can tell: it is something else, closed to
    us, or a link that leads nowhere (to a disk that is not mounted, as it happens)."""
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        if folder.is_symlink():
            raise NotADirectoryError(errno.ENOTDIR, "the link leads nowhere", str(folder)) from None
        return []


def text_of(file: Path, largest: int = 0) -> str:
    """The same as text, in UTF-8 whatever the locale, its lines ended by newlines alone. Raises UnicodeDecodeError, too."""
    return content_of(file, largest).decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
