"""The backups port over two engines: each repository is read by the program that wrote it. Opens nothing itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from adapters.backups.restic import ResticBackups
from adapters.backups.results import (
    WHOLE,
    Changes,
    Depth,
    Examination,
    Fetched,
    FoundPath,
    Hashes,
    Part,
    Repository,
    RepositoryLook,
)
from adapters.kopia.adapter import KopiaBackups
from adapters.volsync.results import Listing
from engine.errors import PermanentError
from house.values.sources import RESTIC


class EngineBackups:
    """Implements BackupsView. What is inside of kopia's snapshots is not read from here: those are restored by hand."""

    def __init__(self, restic: ResticBackups, kopia: KopiaBackups) -> None:
        self._restic, self._kopia = restic, kopia

    def look(self, repository: Repository) -> RepositoryLook:
        """See BackupsView.look."""
        return self._of(repository).look(repository)

    def examine(
        self, repository: Repository, snapshot_id: str, depth: Depth, *, limit_s: float, part: Part = WHOLE
    ) -> Examination:
        """See BackupsView.examine."""
        return self._of(repository).examine(repository, snapshot_id, depth, limit_s=limit_s, part=part)

    def identity(self, repository: Repository) -> str:
        """See BackupsView.identity."""
        return self._of(repository).identity(repository)

    def changes(self, repository: Repository, older: str, newer: str) -> Changes:
        """See BackupsView.changes."""
        return self._inside(repository).changes(repository, older, newer)

    def listing(self, repository: Repository, snapshot_id: str) -> Listing:
        """See BackupsView.listing."""
        return self._inside(repository).listing(repository, snapshot_id)

    def hashes(self, repository: Repository, snapshot_id: str) -> Hashes:
        """See BackupsView.hashes."""
        return self._inside(repository).hashes(repository, snapshot_id)

    def find(self, repository: Repository, snapshot_ids: Sequence[str], path: str) -> tuple[FoundPath, ...]:
        """See BackupsView.find."""
        return self._inside(repository).find(repository, snapshot_ids, path)

    def fetch(self, repository: Repository, snapshot_id: str, path: str, into: Path) -> Fetched:
        """See BackupsView.fetch."""
        return self._inside(repository).fetch(repository, snapshot_id, path, into)

    def _of(self, repository: Repository) -> ResticBackups | KopiaBackups:
        return self._restic if repository.engine == RESTIC else self._kopia

    def _inside(self, repository: Repository) -> ResticBackups:
        if repository.engine != RESTIC:
            raise PermanentError(f"{repository.name} is {repository.engine}'s: its snapshots are not read into from here")
        return self._restic
