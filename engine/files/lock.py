"""One writer per house on this machine: an flock that says who holds it. Knows nothing of what is written."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shlex
import socket
import sys
import time
from pathlib import Path

from engine.errors import JournalBusy
from engine.files.content import no_file

# A killed run's keeper holds the lock until it has ended that run's programs: about 2 s, more when one of them hangs.
DEAD_HOLDER_S = 20.0
_POLL_S = 0.05
_NAMED = re.compile(r"process (\d+)(?: of (\S+))? on (\S+), ")


class HouseLock:
    """An exclusive lock on a file that holds one line about its holder. Ends with the process, whatever becomes of it.

    It is a file of its own because the journal may be moved aside. A process that runs programs for us may keep a duplicate of
    `fileno()`: the house then stays locked until that process ends too.
    """

    def __init__(self, path: Path, run: str, since: str, *, dead_holder_s: float = DEAD_HOLDER_S) -> None:
        """Take the lock. Raises JournalBusy, with who holds it, when somebody else does.

        `dead_holder_s`: seconds that the programs of a run that is gone are waited for.
        """
        self._fd, self._path = -1, path
        while self._fd < 0 or not self.excludes():  # removed meanwhile: another run would lock a new file of this name
            self.close()
            self._fd = _opened(path)
            try:
                self._take(dead_holder_s)
            except BlockingIOError:
                holder = self._holder()
                self.close()
                raise _busy(holder, path) from None
            except OSError:
                self.close()
                raise
        try:
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, _who(run, since).encode(), 0)
        except OSError as error:
            self.close()
            raise OSError(error.errno, error.strerror, str(path)) from error

    def _take(self, dead_holder_s: float) -> None:
        """Take it. Raises BlockingIOError when a living run has it, or when a dead run's programs do not end in time."""
        deadline = time.monotonic() + dead_holder_s
        while True:
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() >= deadline or not _died(self._holder()):
                    raise
            time.sleep(_POLL_S)

    def excludes(self) -> bool:
        """Whether the file that we have locked is still the one of this name: a removed one keeps nobody out."""
        try:
            return os.path.samestat(os.fstat(self._fd), self._path.stat())
        except FileNotFoundError:
            return False

    def _holder(self) -> str:
        return os.pread(self._fd, 4096, 0).decode("utf-8", "replace").strip()

    def fileno(self) -> int:
        """The descriptor whose duplicates keep the lock."""
        return self._fd

    def close(self) -> None:
        """Let go. Doing it twice does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _opened(path: Path) -> int:
    """The file, made where there is none. OSError, also for a link, whose end would be written over, and for what is no file."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    except OSError as error:
        why = "it is a link, and no file" if error.errno == errno.ELOOP else error.strerror
        raise OSError(error.errno, why, str(path)) from error
    if told := no_file(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, f"it is {told}", str(path))
    return descriptor


def _busy(holder: str, path: Path) -> JournalBusy:
    evidence = (holder or "the holder has not written its name yet", f"lock file: {path}")
    if _died(holder):
        return JournalBusy(
            "the last run of this house is gone, but a program that it started is not",
            evidence=evidence,
            hint="wait until that program has ended, or end it by hand: it could still change the house",
            next_command=f"fuser -v {shlex.quote(str(path))}",
        )
    pid = _process_of(holder)
    if pid and _stat_of(pid)[:1] in (["T"], ["t"]):
        return JournalBusy(
            "another run of this house was stopped in the middle of it (Ctrl-Z, SIGSTOP), and goes on when it is told to",
            evidence=evidence,
            hint="`fg` where it was started lets it go on, and Ctrl-C then ends it in order; so do the next command and kill",
            next_command=f"kill -CONT {pid}",
        )
    return JournalBusy(
        "another run of this house is at work",
        evidence=evidence,
        hint="wait until it has ended, or end it with Ctrl-C where it runs",
    )


def _died(holder: str) -> bool:
    """Whether the run that wrote this line is a process of this machine that is gone: then only its programs still end.

    A process id is given out again; with its start time it names one process.
    """
    found = _NAMED.search(holder)
    if found is None or found[3] != socket.gethostname():
        return False
    now = _start_of(found[1])
    return now == "" or (found[2] is not None and found[2] != now)


def _process_of(holder: str) -> str:
    """The id of the process of this machine that wrote this line, "" for none."""
    found = _NAMED.search(holder)
    return found[1] if found is not None and found[3] == socket.gethostname() else ""


def _who(run: str, since: str) -> str:
    verb = Path(sys.argv[0]).name if sys.argv else ""
    process = f"process {os.getpid()} of {_start_of(str(os.getpid()))} on {socket.gethostname()}"
    return f"run {run}, {process}, since {since}, {verb}\n"


def _start_of(pid: str) -> str:
    """When the process began, in clock ticks since this machine's boot, with the boot's id; "" when there is none."""
    try:
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text()[:8]}:{_stat_of(pid)[19]}"
    except (OSError, IndexError):
        return ""


def _stat_of(pid: str) -> list[str]:
    """What the kernel tells of a process behind its name, its state first; nothing where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []
