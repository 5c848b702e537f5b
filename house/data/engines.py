"""Which engine a ReplicationSource or ReplicationDestination names. A key that is null names none.

VolSync reads it as if it were not written.
"""

from __future__ import annotations

from typing import Any

ENGINES = ("restic", "kopia", "rclone", "rsync", "rsyncTLS", "syncthing", "external")
OF_DATABASES = ("pgbackrest", "percona", "mariadb-operator", "zalando")
"""What databases' own operators copy with, and nothing else than these."""
_BESIDES = frozenset({"sourcePVC", "trigger", "paused"})


def engine_of(spec: dict[str, Any]) -> str:
    """The engine's key; "unknown" for one that is none of these, "" where the spec names none and nothing is copied."""
    given = [key for key, value in spec.items() if value is not None and key not in _BESIDES]
    known = (engine for engine in ENGINES if engine in given)
    return next(known, "unknown" if given else "")
