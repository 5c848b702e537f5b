"""The archives port, in process: what is at each place is what a test or scenario has put there. Knows no S3."""

from __future__ import annotations

from adapters.archives.results import ArchiveLook, ArchiveVerdict, RecoveryPoint, Undecided
from engine.errors import PermanentError, TransientError
from house.values.databases import DatabaseArchive
from lab.world.store import Store

_REFUSED = "the store answered 403 AccessDenied"


class ModelledArchives:
    """Archives port (archives.port.ArchivesView)."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def look(self, archive: DatabaseArchive) -> ArchiveLook:
        """See archives.port.ArchivesView."""
        if not archive.place:
            return ArchiveLook(ArchiveVerdict.UNKNOWN, archive.note)
        if self._store.down:
            return ArchiveLook(ArchiveVerdict.UNREACHABLE, "connection refused")
        stored = self._store.databases.get(archive.place)
        if stored is not None and stored.refused:
            return ArchiveLook(ArchiveVerdict.REFUSED, _REFUSED)
        found = stored.look() if stored is not None else self._store.archives.get(archive.place)
        return found or ArchiveLook(ArchiveVerdict.EMPTY, "nothing is at this address")

    def point(self, archive: DatabaseArchive, as_of: float) -> RecoveryPoint:
        """See archives.port.ArchivesView."""
        if self._store.down:
            raise TransientError(f"the archive of {archive.key} cannot be read: unreachable", evidence=("connection refused",))
        stored = self._store.databases.get(archive.place)
        if stored is None:
            raise PermanentError(archive.note or "the archive has no base backup that a restore could begin from")
        if stored.refused:
            told = f"the archive of {archive.key} cannot be read: refused"
            raise Undecided(told, evidence=(_REFUSED,), hint="see its references, and what its key may")
        return stored.point(as_of)
