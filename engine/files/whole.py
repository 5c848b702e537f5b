"""Files and folders that come into their place in one piece: whoever reads them sees the old or the new, a power cut leaves one of
the two, and what a killed writer left is taken over by the next one. Knows no format."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.files.durable import sync_file, sync_file_system, sync_folder

PRIVATE = 0o600
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
_NO_WAIT = (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS)
"""What a file system says that cannot be waited for: SMB of a folder, some of FUSE."""
ENDING = ".part"
"""`.NAME.part` is what is being written for NAME. One name, so that a killed writer's is found again, and a lock on it, so that
two living ones take turns."""


def write_whole(path: Path, content: str | bytes, *, mode: int | None = PRIVATE, lasting: bool = True) -> None:
    """Put `content` (text as UTF-8) into `path`, in place of what is there; a link there is replaced and never written through.

    `mode` None is what the file had, or what the umask gives a new one. `lasting` False is for what can be made again at any
    time: no disk is waited for. Raises OSError; then nothing is left beside it, and what is there is the old one (the new one
    where its name alone could not be made to last).
    """
    with _written(path, content, mode, lasting) as part:
        part.replace(path)
        if lasting:
            sync_folder(path.parent)


def write_new(path: Path, content: str | bytes, *, mode: int | None = PRIVATE) -> None:
    """The same where nothing has that name yet. FileExistsError where anything has by then: it is never replaced."""
    with _written(path, content, mode, lasting=True) as part:
        put_new(part, path)


def put_new(made: Path, path: Path) -> None:
    """Give a file that is finished, on the same disk, a name that is free. FileExistsError where it is not; OSError."""
    sync_file(made)
    try:
        os.link(made, path)  # unlike a rename it fails where another was faster
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # exFAT and SMB know no second name. Writers of ours take turns by the lock; of others only the eye is left.
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        made.replace(path)
    else:
        made.unlink()
    sync_folder(path.parent)


def put_in_place(made: Path, path: Path, *, lasting: bool = True) -> None:
    """Give a file or a folder that is finished, on the same disk, its name. A file replaces one, a folder an empty one. OSError."""
    if lasting:
        _sync_all(made, _raised)
    made.replace(path)
    if lasting:
        sync_folder(path.parent)


def put_instead(made: Path, path: Path, aside: Path) -> None:
    """Give a folder that is finished the name of another one, if there is one, which is `aside` for a moment and then gone.

    All of the new one is on the disk before the old one moves. OSError; then the old one has its name. Who is killed in that
    moment leaves the old one aside, and nothing of that name; the next one takes it away.
    """
    _sync_all(made, _raised)
    shutil.rmtree(aside, ignore_errors=True)
    if there := path.exists():
        path.rename(aside)
    try:
        made.replace(path)
    except OSError:
        if there:
            aside.rename(path)
        raise
    sync_folder(path.parent)
    shutil.rmtree(aside, ignore_errors=True)


def put_what_opens(
    made: Path, path: Path, new: Iterable[Path] = (), at_once: Callable[[Path], bool] = sync_file_system
) -> tuple[Path, ...]:
    """As put_in_place, for many files, of modes that may keep us from opening them, on any disk: answers what a power cut may still
    take, by the names that it has then. `new` are folders above that were made for it, `at_once` is sync_file_system or like it.
    OSError where the disk does not keep it; then it has its first name."""
    left: list[Path] = []

    def refused(error: OSError, one: Path) -> None:
        if not isinstance(error, PermissionError) and error.errno not in _NO_WAIT:
            raise error
        left.append(path / one.relative_to(made) if one.is_relative_to(made) else one)

    if not (together := at_once(path.parent)):
        _sync_all(made, refused)
    made.replace(path)
    try:
        if not (together and at_once(path.parent)):
            for folder in (path.parent, *(one.parent for one in new)):
                _sync(folder, refused)
    except OSError:
        path.replace(made)
        raise
    return tuple(left)


@contextmanager
def _written(path: Path, content: str | bytes, mode: int | None, lasting: bool) -> Iterator[Path]:
    part = path.with_name(f".{path.name}{ENDING}")
    with os.fdopen(_taken(part, mode), "wb") as file:
        try:
            if mode is None and (had := _mode_of(path)) is not None:
                os.fchmod(file.fileno(), had)
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            if lasting:
                os.fsync(file.fileno())
            yield part
        except BaseException:
            with suppress(OSError):
                if _is(file.fileno(), part):
                    part.unlink()
            raise


def _taken(part: Path, mode: int | None) -> int:
    """A descriptor of the empty file, which no other writer has for as long as it is open."""
    while True:
        _clear(part)
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666 if mode is None else mode)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is(descriptor, part):  # else whoever had it has put it in its place meanwhile
                if os.fstat(descriptor).st_nlink == 1:
                    os.ftruncate(descriptor, 0)
                    if mode is not None:
                        os.fchmod(descriptor, mode)
                    return descriptor
                part.unlink()  # a second name of another file, which would be written through
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _clear(part: Path) -> None:
    """Take away what is no file of ours: a link, a pipe. Who has a file of ours in hand is told by the lock alone: one that is new
    has two names for a moment."""
    with suppress(FileNotFoundError):
        found = part.lstat()
        if not (stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()):
            part.unlink()


def _is(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def _mode_of(path: Path) -> int | None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    return stat.S_IMODE(found.st_mode) if stat.S_ISREG(found.st_mode) else None


def _raised(error: OSError, _: Path) -> None:
    raise error


def _sync_all(made: Path, refused: Callable[[OSError, Path], None]) -> None:
    """What is in it, before its name; links and the like are names alone. `refused` is told what could not be, and why."""
    if made.is_symlink() or not made.is_dir():
        _sync(made, refused)
        return
    for folder, _, names in os.walk(made, onerror=lambda error: refused(error, Path(error.filename))):
        for name in names:
            _sync(Path(folder, name), refused)
        _sync(Path(folder), refused)


def _sync(path: Path, refused: Callable[[OSError, Path], None]) -> None:
    try:
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode):
            sync_file(path)
        elif stat.S_ISDIR(mode):
            sync_folder(path)
    except OSError as error:
        refused(error, path)
