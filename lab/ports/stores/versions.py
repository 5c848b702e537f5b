"""The port of versions, in process, on the World's store: of a repository its config, and a file for each snapshot. Knows no S3."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from adapters.backups.results import Repository
from adapters.backups.stores.places import s3_address
from adapters.versions.results import Keeping, StoreGuard, Undoing, Version
from engine.errors import PermanentError, TransientError
from lab.world.store import Store, StoredRepository, StoredSnapshot, Trouble
from lab.world.world import World

FILE_BYTES = 300


class ModelledVersions:
    """Versions port (adapters.versions.port)."""

    def __init__(self, store: Store, world: World) -> None:
        self._store, self._world = store, world

    def guard(self, repository: Repository) -> StoreGuard:
        """See port.VersionsView."""
        with self._world.looking():
            self._answers(repository.address)
            bucket = self._bucket(repository)
            return self._store.guards.get(bucket, StoreGuard(bucket, Keeping.NONE))

    def undoing(self, repository: Repository, namespace: str, secret: str) -> tuple[Undoing, ...]:
        """See port.VersionsView."""
        with self._world.looking():
            self._answers(repository.address)
            return self._store.undoing if secret else self._store.undoing[:1]

    def history(self, repository: Repository) -> tuple[Version, ...]:
        """See port.VersionsView."""
        with self._world.looking():
            self._answers(repository.address)
            found = self._store.repositories.get(repository.address)
            kept = self._store.guards.get(self._bucket(repository), StoreGuard("", Keeping.NONE)).keeping is not Keeping.NONE
            return () if found is None else tuple(_versions(found, found.removed if kept else []))

    def bring(self, repository: Repository, into: str, versions: Sequence[Version]) -> None:
        """See port.Versions."""
        with self._world.looking():
            self._answers(repository.address)
            old = self._store.repositories[repository.address]
            new = self._store.repositories.get(into)
            if new is None:
                new = self._store.repositories[into] = StoredRepository(old.repository_id)
            wanted = {one.name for one in versions}
            there = {one.snapshot_id for one in new.snapshots}
            missing = [one for one in _ever(old, old.removed) if one.snapshot_id not in there]
            new.snapshots += [one for one in missing if f"snapshots/{one.snapshot_id}" in wanted]
            new.snapshots.sort(key=lambda one: one.time)
            self._world.happened("store", f"{len(wanted)} files of {repository.address} copied to {into}")

    def _bucket(self, repository: Repository) -> str:
        address = s3_address(repository.address)
        if address is None:
            raise PermanentError(f"{repository.name} lies in no bucket", evidence=(repository.address,))
        return f"{address.endpoint}/{address.bucket}"

    def _answers(self, address: str) -> None:
        found = self._store.repositories.get(address)
        if self._store.down or (found is not None and found.trouble is Trouble.UNREACHABLE):
            raise TransientError("the store does not answer")


_Removed = Sequence[tuple[float, StoredSnapshot]]


def _ever(repository: StoredRepository, removed: _Removed) -> list[StoredSnapshot]:
    return [*(one for _, one in removed), *repository.snapshots]


def _versions(repository: StoredRepository, removed: _Removed) -> Iterator[Version]:
    ever = _ever(repository, removed)
    yield Version("config", "config-1", min((one.time for one in ever), default=1.0), FILE_BYTES)
    for at, one in removed:
        yield Version(f"snapshots/{one.snapshot_id}", "gone", at, gone=True)
    for one in ever:
        yield Version(f"snapshots/{one.snapshot_id}", f"{one.snapshot_id[:8]}-1", one.time, FILE_BYTES)
