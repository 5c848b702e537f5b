"""Reads restic's lock files: who keeps others out, and since when. Opens no place, removes nothing."""

from __future__ import annotations

import json

from adapters.backups.results import RepositoryLock
from adapters.backups.sealed import Broken, MasterKey
from adapters.backups.snapshots import seconds_of


def read_lock(key: MasterKey, name: str, content: bytes) -> RepositoryLock | None:
    """The lock when it keeps a mover out: an exclusive one, of whatever age, or what is no lock. None for a shared one.

    restic does not pass over an exclusive lock because it is old: that is what `unlock` is for.
    """
    try:
        told = json.loads(key.unpacked(content))
        if not told.get("exclusive"):
            return None
        who = f"{told.get('username') or 'somebody'} on {told.get('hostname') or 'an unknown host'}, process {told.get('pid', 0)}"
        return RepositoryLock(name, seconds_of(str(told["time"])), who)
    except (Broken, ValueError, KeyError, TypeError, AttributeError):
        return RepositoryLock(name, 0.0, "", garbage=True)
