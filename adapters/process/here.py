"""This very process in words that name it for ever, and whether the process of such words is gone. Linux only (/proc)."""

from __future__ import annotations

import os
import re
from pathlib import Path

from adapters.process.groups import start_of
from adapters.proxmox.reserving import process_words

_PROCESS = re.compile(r"process (\d+) of (\S+):(\d+) in (\S+)")


def this_process() -> str:
    """The words of this process."""
    return process_words(os.getpid(), start_of(os.getpid()), _namespace())


def gone(process: str) -> bool:
    """Whether the process of these words, which is known to be of this machine, lives no more.

    Since this machine was started anew none of before does. A number of another pid namespace says nothing here.
    """
    found = _PROCESS.fullmatch(process)
    if found is None:
        return False
    number, boot, ticks, namespace = found.groups()
    if boot != start_of(os.getpid()).partition(":")[0]:
        return True
    return bool(_namespace()) and namespace == _namespace() and start_of(int(number)) != f"{boot}:{ticks}"


def _namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink()).partition("[")[2].rstrip("]")
    except OSError:
        return ""
