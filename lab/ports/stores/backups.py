"""The backups port, in process, on the World's store. Knows no restic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

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
    RestorePoint,
    Verdict,
)
from adapters.volsync.results import FileEntry, Listing
from engine.errors import PermanentError, TransientError
from lab.world.store import Store, StoredSnapshot, Trouble, bytes_of
from lab.world.world import World

VERDICTS = {
    Trouble.DAMAGED: (Verdict.UNREADABLE, "the index does not load"),
    Trouble.REFUSED: (Verdict.REFUSED, "wrong password or no key found"),
    Trouble.UNREACHABLE: (Verdict.UNREACHABLE, "connection refused"),
    Trouble.FOREIGN: (Verdict.FOREIGN, "a kopia repository"),
}


class ModelledBackups:
    """Backups port (ports.BackupsView)."""

    def __init__(self, store: Store, world: World) -> None:
        self._store = store
        self._world = world

    def look(self, repository: Repository) -> RepositoryLook:
        """See ports.BackupsView."""
        with self._world.looking():
            if self._store.down:
                return RepositoryLook(repository, Verdict.UNREACHABLE, detail="connection refused")
            found = self._store.repositories.get(repository.address)
            if found is None:
                return RepositoryLook(repository, Verdict.MISSING, detail="nothing is at this address")
            if found.trouble is not None:
                verdict, detail = VERDICTS[found.trouble]
                return RepositoryLook(repository, verdict, detail=detail)
            points = tuple(
                RestorePoint(
                    found.repository_id, s.snapshot_id, s.time, s.pin, s.host, (s.root,), (),
                    sum(e.kind == "file" for e in s.entries), sum(e.size for e in s.entries), s.complete,
                )
                for s in reversed(found.snapshots)
            )  # fmt: skip
            if not any(p.complete for p in points):
                return RepositoryLook(repository, Verdict.EMPTY, found.repository_id, points, f"{len(points)} snapshots")
            return RepositoryLook(repository, Verdict.OK, found.repository_id, points, found.remark)

    def examine(
        self, repository: Repository, snapshot_id: str, depth: Depth, *, limit_s: float, part: Part = WHOLE
    ) -> Examination:
        """See ports.BackupsView. The store has no packs: `sound` says how deep nothing wrong is found."""
        try:
            snapshot = self._snapshot(repository, snapshot_id)
        except TransientError as error:
            return Examination(Verdict.UNREACHABLE, None, error.what)
        except PermanentError as error:
            return Examination(Verdict.UNREADABLE, None, error.what)
        found = self._store.repositories[repository.address]
        if not found.sound or not Depth(found.sound).holds(depth):
            return Examination(Verdict.UNREADABLE, None, f"1 pack not there: found at {depth.value}")
        locks = tuple(lock for lock in found.locks.values() if lock.exclusive)
        size = sum(entry.size for entry in snapshot.entries)
        return Examination(
            Verdict.OK, depth, stored=size, part=part if depth is Depth.READ else None, locks=locks
        )

    def identity(self, repository: Repository) -> str:
        """See ports.BackupsView."""
        with self._world.looking():
            found = self._store.repositories.get(repository.address)
            return "" if found is None or self._store.down or found.trouble is not None else found.repository_id

    def changes(self, repository: Repository, older: str, newer: str) -> Changes:
        """See ports.BackupsView."""
        before, after = (
            {e.path: e for e in self._snapshot(repository, one).entries if e.kind != "dir"} for one in (older, newer)
        )
        changed = (path for path, entry in after.items() if path in before and before[path] != entry)
        return Changes(tuple(sorted(before.keys() - after.keys())), tuple(sorted(changed)), len(after.keys() - before.keys()))

    def listing(self, repository: Repository, snapshot_id: str) -> Listing:
        """See ports.BackupsView. Without hashes, as restic's own list is."""
        entries = tuple(replace(entry, sha256="") for entry in self._snapshot(repository, snapshot_id).entries)
        if self._store.repositories[repository.address].half_listing:
            return Listing(entries[: len(entries) // 2], complete=False, detail="the connection broke")
        return Listing(entries, complete=True)

    def hashes(self, repository: Repository, snapshot_id: str) -> Hashes:
        """See ports.BackupsView."""
        files = [e for e in self._snapshot(repository, snapshot_id).entries if e.kind == "file"]
        if self._store.repositories[repository.address].half_listing:
            raise PermanentError(f"snapshot {snapshot_id[:8]} is not whole")
        return Hashes(tuple((e.path, e.sha256) for e in files), sum(e.size for e in files))

    def find(self, repository: Repository, snapshot_ids: Sequence[str], path: str) -> tuple[FoundPath, ...]:
        """See ports.BackupsView."""
        found = []
        for one in snapshot_ids:
            entries = {entry.path: replace(entry, sha256="") for entry in self._snapshot(repository, one).entries}
            there = FileEntry("", "dir", 0, 0o755, 0, 0) if not path else entries.get(path)
            below = tuple(e for name, e in sorted(entries.items()) if name and str(PurePosixPath(name).parent) == (path or "."))
            found.append(FoundPath(one, there, below if there is not None and there.kind == "dir" else ()))
        return tuple(found)

    def fetch(self, repository: Repository, snapshot_id: str, path: str, into: Path) -> Fetched:
        """See ports.BackupsView. What was never told by its content is a hash here, and is refused by name."""
        entries = self._snapshot(repository, snapshot_id).entries
        there = [e for e in entries if e.kind == "file" and (not path or e.path == path or e.path.startswith(f"{path}/"))]
        if not there:
            raise PermanentError(f"/{path} of snapshot {snapshot_id[:8]} could not be fetched: the snapshot has nothing there")
        above = str(PurePosixPath(path).parent) if path else "."
        for entry in there:
            content = bytes_of(entry.sha256)
            if content is None:
                raise PermanentError(f"this store is modelled: it knows /{entry.path} by its hash, and has no bytes of it")
            target = into / PurePosixPath(entry.path).relative_to(above)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            target.chmod(entry.mode)
        return Fetched(len(there), sum(e.size for e in there), aside="owners were not set: this store is modelled")

    def _snapshot(self, repository: Repository, snapshot_id: str) -> StoredSnapshot:
        with self._world.looking():
            if self._store.down:
                raise TransientError("the store does not answer")
            found = self._store.repositories.get(repository.address)
            for snapshot in found.snapshots if found else ():
                if snapshot.snapshot_id == snapshot_id:
                    return snapshot
        raise PermanentError(f"no snapshot {snapshot_id[:8]} at {repository.name}")
