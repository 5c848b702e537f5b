"""The archives port, in process: what is at each place is what a test or scenario has put there. Knows no S3."""

from __future__ import annotations

from adapters.archives.results import ArchiveLook, ArchiveVerdict
from house.model import DatabaseArchive
from lab.world.store import Store


class ModelledArchives:
    """Archives port (ports.ArchivesView)."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def look(self, archive: DatabaseArchive) -> ArchiveLook:
        """See ports.ArchivesView."""
        if not archive.place:
            return ArchiveLook(ArchiveVerdict.UNKNOWN, archive.note)
        if self._store.down:
            return ArchiveLook(ArchiveVerdict.UNREACHABLE, "connection refused")
        found = self._store.archives.get(archive.place)
        return found or ArchiveLook(ArchiveVerdict.EMPTY, "nothing is at this address")
