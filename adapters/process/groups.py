"""Process groups by number and start time: who they are, whether they live, how they end. Linux only (/proc).

A bare process id proves nothing, for it is given out again; with its start time and the machine's boot it names one process
for ever. Knows no journal and no program.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MARK = "BLACKSTART_PROGRAM"
"""A variable that every program of ours is given, and hands on: by it one is found that left our group and our care."""

_PROC = Path("/proc")
_POLL_S = 0.002
_QUICK_S = 0.5
"""Who ended is a zombie for a moment, or for longer on a busy machine; one look at every process costs more than all quick ones."""


def mark_of(pgid: int, start: str) -> str:
    """The mark's value for the group that was led by `pgid`, started at `start`."""
    return f"{pgid}:{start}"


def start_of(pid: int) -> str:
    """When this process started, as an opaque word (boot and clock ticks); "" when there is no such process."""
    fields = _stat(pid)
    return f"{_boot()}:{fields[19]}" if fields else ""


def group_alive(pgid: int, start: str) -> bool:
    """Whether any process of the group that was led by `pgid`, started at `start`, still lives (zombies do not)."""
    return any(True for _ in _members(pgid, start))


def end_group(pgid: int, start: str, *, grace_s: float = 0.0, wait_s: float = 10.0) -> bool:
    """End the whole group and what fled from it; True when any of it lived, False when all was gone (or is somebody else's).

    With `grace_s` above 0 SIGTERM goes first. A resume leaves it at 0, since it cannot know whether the group was shielded.
    Raises TimeoutError when some of it is still there `wait_s` seconds after SIGKILL.
    """
    if not (alive := group_alive(pgid, start)) and not _marked(pgid, start):
        return False
    if alive and grace_s > 0:
        _signal(pgid, signal.SIGTERM)
        _gone(pgid, start, grace_s)
    deadline = time.monotonic() + wait_s
    while (alive := group_alive(pgid, start)) or (fled := _marked(pgid, start)):
        if alive:
            _signal(pgid, signal.SIGKILL)
        else:
            for pid in fled:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if time.monotonic() >= deadline:
            raise TimeoutError(f"process group {pgid} is still there {wait_s:.0f} s after SIGKILL")
        time.sleep(_POLL_S)
    return True


def await_end(pgid: int, start: str, wait_s: float = 10.0) -> None:
    """Return when no process of the group is left; kills it when it is still there after `wait_s` seconds."""
    began, pause = time.monotonic(), _POLL_S
    while time.monotonic() - began < _QUICK_S:  # the quick answer; a zombie that is not reaped by then needs the slow one
        try:
            os.killpg(pgid, 0)
        except ProcessLookupError:
            return
        time.sleep(pause)
        pause *= 1.5
    if not _gone(pgid, start, wait_s):
        end_group(pgid, start)


def _gone(pgid: int, start: str, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while group_alive(pgid, start):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _signal(pgid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pgid, number)
    except ProcessLookupError:
        return


def _members(pgid: int, start: str) -> Iterator[int]:
    """Processes of this group and session that started at or after its leader, so that a number given out again is left alone."""
    boot, _, ticks = start.partition(":")
    if not ticks.isdigit() or boot != _boot():
        return
    leader = start_of(pgid)
    if leader and leader != start:
        return
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        fields = _stat(int(entry.name))
        if not fields or fields[0] in "ZX":
            continue
        if fields[2] == fields[3] == str(pgid) and int(fields[19]) >= int(ticks):
            yield int(entry.name)


def _marked(pgid: int, start: str) -> tuple[int, ...]:
    """Living processes that bear the group's mark, in whatever group; those of others, which we may not look into, are none."""
    boot, _, ticks = start.partition(":")
    if not ticks.isdigit() or boot != _boot():
        return ()
    mark = f"{MARK}={mark_of(pgid, start)}".encode()
    found = []
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if mark in (entry / "environ").read_bytes().split(b"\0") and _stat(int(entry.name))[:1] not in (["Z"], ["X"], []):
                    found.append(int(entry.name))
    return tuple(found)


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the third (state) on; the name in parentheses before may hold anything."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(")")[2].split()


def _boot() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()[:13]
