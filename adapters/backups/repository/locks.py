"""Reads restic's lock files: who keeps others out, and since when. Opens no place, removes nothing."""

from __future__ import annotations

from typing import Any

from adapters.backups.repository.sealed import MasterKey
from adapters.backups.results import RepositoryLock
from adapters.backups.snapshots import seconds_of
from engine.text.jsontext import Malformed, read


def read_lock(key: MasterKey, name: str, content: bytes, written: float = 0.0, *, timed: bool = False) -> RepositoryLock:
    """The lock, or what is in the place of one; `written` is when the store says that it was (epoch seconds, 0.0: not asked), and
    `timed` that it has been put right by the store's own clock."""

    def made(told: Any) -> RepositoryLock:
        host = str(told.get("hostname") or "")
        who = f"{told.get('username') or 'somebody'} on {host or 'an unknown host'}, process {told.get('pid', 0)}"
        since = seconds_of(str(told["time"]))
        return RepositoryLock(name, since, who, exclusive=bool(told.get("exclusive")), host=host, written=written, timed=timed)

    try:
        return read(key.unpacked(content), made)
    except Malformed:
        return RepositoryLock(name, 0.0, "", garbage=True, written=written, timed=timed)
