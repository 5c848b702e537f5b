"""Who descends from a process, and the end of all of them, whatever group or session they fled to. Linux only (/proc, prctl).

A subreaper is given the orphans among its descendants: what forks twice to get away becomes its child, not init's.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_PR_SET_CHILD_SUBREAPER = 36
_POLL_S = 0.005


def become_subreaper() -> None:
    """From now on orphans among our descendants become our children; a fork of ours does not inherit it. Raises OSError."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def kin_of(pid: int, spared: Collection[int] = ()) -> tuple[int, ...]:
    """Living descendants of `pid` (zombies are none), without those of `spared` children and without these."""
    children: dict[int, list[int]] = {}
    dead = set()
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(int(fields[1]), []).append(int(entry.name))
        if fields[0] in "ZX":
            dead.add(int(entry.name))
    found: list[int] = []
    waiting = [child for child in children.get(pid, ()) if child not in spared]
    while waiting:
        one = waiting.pop()
        waiting += children.get(one, ())
        if one not in dead:
            found.append(one)
    return tuple(found)


def _childless(spared: Collection[int]) -> bool:
    """Whether this process, single-threaded and a subreaper, has no child but the spared: then it has no kin to end either.

    A look at every process of the machine, which this saves, costs more than most programs that are run. Where some are spared
    the kernel's list is asked: it may lack a child while another one ends (proc(5)), whose end is a reason to ask again.
    """
    if not spared:
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return True
        return False
    try:
        listed = (_PROC / "self" / "task" / str(os.getpid()) / "children").read_text()
    except FileNotFoundError:  # a kernel that was built without
        return False
    return all(int(child) in spared for child in listed.split())


def tell_kin(number: signal.Signals, pid: int) -> None:
    """Send every living descendant of `pid` this signal."""
    for one in kin_of(pid):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(one, number)


def end_kin(pid: int, spared: Collection[int] = (), wait_s: float = 10.0) -> bool:
    """Kill descendants of `pid` until none is left, what they fork meanwhile included. False when some outlast `wait_s` seconds.

    They are stopped before they are killed: one that is stopped forks no more, so each round leaves fewer.
    """
    if pid == os.getpid() and _childless(spared):
        return True
    deadline = time.monotonic() + wait_s
    while found := kin_of(pid, spared):
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for one in found:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(one, number)
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True
