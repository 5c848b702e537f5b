"""The folders of a house's runs, and in which order those began, which no clock tells: one that was set back makes an old run the
last. Each is noted in `runs/order` before it has a folder. Looks into none of them.

Two journals tell of runs (a rehearsal's has a lock of its own), and neither of the other's; and a journal may be moved aside.
"""

from __future__ import annotations

import os
from pathlib import Path

from engine.files.content import content_of, entries_of
from engine.files.durable import sync_folder

ORDER = "order"
_MOST = 2**28
"""Bytes: what ten million runs leave."""


def begun(runs: Path, run: str) -> Path:
    """Note that this run begins, behind all that have begun by now, and make its folder. Raises OSError; then it has none."""
    runs.mkdir(parents=True, exist_ok=True, mode=0o700)
    _note(runs / ORDER, run)
    folder = runs / run
    folder.mkdir(mode=0o700)
    return folder


def oldest_first(runs: Path) -> list[Path]:
    """The folders of all runs; those that an older version made first, by their names, which tell a time. Nothing where no run was
    made from here. OSError where nobody can tell."""
    folders = {path.name: path for path in entries_of(runs) if path.is_dir()}
    noted = dict.fromkeys(name for name in _noted(runs / ORDER) if name in folders)
    return [path for name, path in folders.items() if name not in noted] + [folders[name] for name in noted]


def _noted(order: Path) -> list[str]:
    try:
        return content_of(order, _MOST).decode("utf-8", "replace").split("\n")
    except FileNotFoundError:
        return []


def _note(order: Path, run: str) -> None:
    """One write at the end of the file, so that a run and a rehearsal may begin at once; a line that a power cut tore is ended."""
    descriptor = os.open(order, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        line = (b"\n" if torn else b"") + run.encode() + b"\n"
        while line:
            line = line[os.write(descriptor, line) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync_folder(order.parent)
