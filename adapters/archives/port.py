"""The port of databases' archives: signatures only (the others are in adapters/ports.py)."""

from __future__ import annotations

from typing import Protocol

from adapters.archives.results import ArchiveLook, RecoveryPoint
from house.values.databases import DatabaseArchive


class ArchivesView(Protocol):
    """Archives of databases, from here, read-only."""

    def look(self, archive: DatabaseArchive) -> ArchiveLook: ...
    def point(self, archive: DatabaseArchive, as_of: float) -> RecoveryPoint:
        """What is promised of a restore to that time (seconds since the epoch; 0.0: to its end). PermanentError: no way there."""
