"""The port of lock files, in process, on the World's store. Knows no restic."""

from __future__ import annotations

from collections.abc import Collection

from adapters.backups.results import Repository, RepositoryLock
from adapters.kubernetes.results import SeenPod
from engine.errors import PermanentError, TransientError
from lab.world.cluster.kubernetes import KubeWorld
from lab.world.store import Store, StoredRepository, Trouble


class ModelledLocks:
    """Locks port (adapters.locks.port)."""

    def __init__(self, store: Store, kube: KubeWorld) -> None:
        self._store, self._kube, self._world = store, kube, kube.world

    def locks(self, repository: Repository) -> tuple[RepositoryLock, ...]:
        """See port.LocksView."""
        with self._world.looking():
            found = self._at(repository).locks.values()
            return tuple(sorted(found, key=lambda lock: (lock.since or lock.written, lock.lock_id)))

    def pods(self, names: Collection[str]) -> tuple[SeenPod, ...]:
        """See port.LocksView."""
        with self._world.looking():
            there = self._kube.objects().pods
            return tuple(there[name] for name in sorted(set(names)) if name in there)

    def remove(self, repository: Repository, lock_id: str) -> None:
        """See port.Locks."""
        with self._world.looking():
            if self._at(repository).locks.pop(lock_id, None) is not None:
                self._world.happened("store", f"lock {lock_id[:8]} of {repository.address} removed")

    def _at(self, repository: Repository) -> StoredRepository:
        found = self._store.repositories.get(repository.address)
        if self._store.down or (found is not None and found.trouble is Trouble.UNREACHABLE):
            raise TransientError(f"{repository.name}: the store does not answer")
        if found is None or found.trouble is not None:
            word = "nothing is there" if found is None or found.trouble is None else found.trouble.value
            raise PermanentError(f"{repository.name}: its locks could not be looked at", evidence=(word,))
        return found
