"""Paths as people write them, and files that are read whole. Knows no file of a house."""

from __future__ import annotations

import errno
import stat
from contextlib import suppress
from pathlib import Path

from engine.errors import SettingsInvalid
from engine.files import content

ABSENT = "is not there"
_NONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL})
"""Of no file there is; any other error says that nobody could look."""


def at_home(path: Path) -> Path:
    """With `~` and `~name` written out; that of somebody who has no home here stays as it is, and is then not there."""
    with suppress(RuntimeError):
        return path.expanduser()
    return path


def expanded(path: Path) -> Path:
    """The same, and absolute."""
    return at_home(path).absolute()


def is_there(path: Path) -> bool:
    """Whether anything is there, behind all links. SettingsInvalid where it cannot be looked at, as of those below."""
    return _mode(path) is not None


def is_file(path: Path) -> bool:
    """Whether a regular file is there; no name that a file system refuses (one of 300 letters) is."""
    return stat.S_ISREG(_mode(path) or 0)


def no_file(path: Path) -> str:
    """What is there in place of a regular file, behind all links, as in `is a named pipe`, ABSENT; "" where one is."""
    mode = _mode(path)
    if mode is None:
        return "is a link that leads nowhere" if is_link(path) else ABSENT
    return f"is {kind}" if (kind := content.no_file(mode)) else ""


def is_folder(path: Path) -> bool:
    """Whether a folder is there."""
    return stat.S_ISDIR(_mode(path) or 0)


def is_link(path: Path) -> bool:
    """Whether a link is there, wherever it leads to."""
    return stat.S_ISLNK(_mode(path, follow=False) or 0)


def _mode(path: Path, *, follow: bool = True) -> int | None:
    try:
        return path.stat(follow_symlinks=follow).st_mode
    except PermissionError as error:
        what = f"{path} cannot be looked at: this user may not"
        raise SettingsInvalid(what, hint="run as a user who may read the whole repository") from error
    except OSError as error:
        if error.errno in _NONE:
            return None
        what = f"{path} cannot be looked at: {error.strerror}"
        raise SettingsInvalid(what, hint="see that what it lies on can be read, and try again") from error
    except ValueError:
        return None
