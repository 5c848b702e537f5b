"""The port of restic's lock files: signatures only (the others are in adapters/ports.py)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from adapters.backups.results import Repository, RepositoryLock
from adapters.kubernetes.results import SeenPod


class LocksView(Protocol):
    """Who has a repository locked, from here; it locks nothing itself."""

    def locks(self, repository: Repository) -> tuple[RepositoryLock, ...]:
        """Every lock file, shared ones too, by age. TransientError where the store is silent, PermanentError where it refuses."""

    def pods(self, names: Collection[str]) -> tuple[SeenPod, ...]:
        """The pods of these names, of any namespace of the cluster, that have not ended: each may be a lock's owner."""


class Locks(LocksView, Protocol):
    """Adds taking one of them away: exactly that file, and no other of the repository."""

    def remove(self, repository: Repository, lock_id: str) -> None:
        """Delete this lock file; one that is gone already is no error."""
