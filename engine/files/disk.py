"""What this machine's own disk says no to, as the answer that it is: nobody's bug, and mended by a person. Knows no file."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from engine.errors import DiskRefused

_FULL = "free space there, or raise the quota; then type the same again: what was begun is looked at again"
_ILL = "the kernel's log (dmesg) says what ails it; house.state in the settings may name a folder on another disk"
_HINTS = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), _FULL),
    **dict.fromkeys((errno.EROFS, errno.EIO, errno.ESTALE), _ILL),
}  # fmt: skip
"""Of these no other system than a disk answers."""
_NAMED = frozenset({
    errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY, errno.ELOOP, errno.ENAMETOOLONG,
    errno.EMFILE, errno.ENFILE,
})  # fmt: skip
"""Of these sockets and processes answer, too: what names a file is about that file. ENOENT is none: who opens what is not there
has not looked, which is our own mistake."""


def refused(error: OSError) -> DiskRefused | None:
    """The answer of a disk; None for any other error, which an adapter should have told in its own words."""
    if error.errno not in _HINTS and not (error.errno in _NAMED and error.filename):
        return None
    names = dict.fromkeys(str(name) for name in (error.filename, error.filename2) if name)
    hint = _HINTS.get(error.errno or 0, "see what lies there, and whose it is")
    return DiskRefused(f"the disk of this machine says no: {error.strerror}", evidence=tuple(names), hint=hint)


@contextmanager
def own_disk() -> Iterator[None]:
    """Raises DiskRefused in place of what a disk has said; everything else as it is."""
    try:
        yield
    except OSError as error:
        if (answer := refused(error)) is None:
            raise
        raise answer from error
