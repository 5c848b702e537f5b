"""One writer per house on this machine: an flock that says who holds it. Knows nothing of what is written."""

from __future__ import annotations

import fcntl
import os
import re
import socket
import sys
import time
from pathlib import Path

from engine.errors import JournalBusy

# A killed run's keeper holds the lock until it has ended that run's programs: about 2 s, more when one of them hangs.
DEAD_HOLDER_S = 20.0
_POLL_S = 0.05


class HouseLock:
    """An exclusive lock on a file that holds one line about its holder. Ends with the process, whatever becomes of it.

    It is a file of its own because the journal may be moved aside. A process that runs programs for us may keep a duplicate of
    `fileno()`: the house then stays locked until that process ends too.
    """

    def __init__(self, path: Path, run: str, since: str) -> None:
        """Take the lock. Raises JournalBusy, with who holds it, when somebody else does."""
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._take()
        except BlockingIOError:
            holder = self._holder()
            os.close(self._fd)
            raise JournalBusy(
                "another run of this house is at work",
                evidence=(holder or "the holder has not written its name yet", f"lock file: {path}"),
                hint="wait until it has ended, or end it with Ctrl-C where it runs",
            ) from None
        except OSError:
            os.close(self._fd)
            raise
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, _who(run, since).encode(), 0)

    def _take(self) -> None:
        """Take it. Raises BlockingIOError when a living run has it, or when a dead run's programs do not end in time."""
        deadline = time.monotonic() + DEAD_HOLDER_S
        while True:
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() >= deadline or not _died(self._holder()):
                    raise
            time.sleep(_POLL_S)

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


def _died(holder: str) -> bool:
    """Whether the run that wrote this line is a process of this machine that is gone: then only its programs still end."""
    found = re.search(r"process (\d+) on (\S+), ", holder)
    return found is not None and found[2] == socket.gethostname() and not Path(f"/proc/{found[1]}").exists()


def _who(run: str, since: str) -> str:
    verb = Path(sys.argv[0]).name if sys.argv else ""
    return f"run {run}, process {os.getpid()} on {socket.gethostname()}, since {since}, {verb}\n"
