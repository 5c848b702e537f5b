"""The disk under a simulated process's journal: fenced, and able to die or fail at any write. Knows no entry."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from enum import Enum

from engine.journal import Disk, SystemDisk
from lab.world.faults import Death
from lab.world.fence import Fence


class DiskFault(Enum):
    """What can go wrong at a write of the journal."""

    DIE_BEFORE = "die-before"  # nothing is written
    DIE_TORN = "die-torn"  # half of the bytes are
    DIE_AFTER = "die-after"  # all bytes are, and the process never learns so
    NO_SPACE = "no-space"  # half of the bytes, then an error
    SYNC_FAILS = "sync-fails"  # all bytes, and the sync says that they may be lost


@dataclass
class ArmedWrite:
    """The fault at write number `number` (from 1)."""

    number: int
    fault: DiskFault


class FencedDisk:
    """Counts the writes of one life, plays one fault, and writes nothing for the dead. No real sync: the test's disk is not
    what is tested, and a crash of the process loses nothing that was written."""

    def __init__(self, fence: Fence, armed: ArmedWrite | None = None, beneath: Disk | None = None) -> None:
        self.writes = 0
        self.struck = False
        self._fence = fence
        self._armed = armed
        self._beneath = beneath or SystemDisk()
        self._sync_fails = False

    def write(self, fd: int, data: bytes) -> int:
        """Write, unless dead or doomed."""
        self._fence.check()
        self.writes += 1
        if self._armed is None or self._armed.number != self.writes:
            return self._beneath.write(fd, data)
        self.struck = True
        return self._play(self._armed.fault, fd, data)

    def _play(self, fault: DiskFault, fd: int, data: bytes) -> int:
        if fault is DiskFault.SYNC_FAILS:
            self._sync_fails = True
            return self._beneath.write(fd, data)
        kept = {DiskFault.DIE_BEFORE: 0, DiskFault.DIE_AFTER: len(data)}.get(fault, len(data) // 2)
        self._beneath.write(fd, data[:kept])
        if fault is DiskFault.NO_SPACE:
            raise OSError(errno.ENOSPC, "No space left on device")
        self._fence.fall()
        raise Death(f"at write {self.writes} of the journal, {kept} of {len(data)} bytes")

    def sync(self, fd: int) -> None:
        """Say that it is on the disk, unless doomed."""
        self._fence.check()
        if self._sync_fails:
            self._sync_fails = False
            raise OSError(errno.EIO, "Input/output error")
