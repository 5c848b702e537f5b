"""What one restic mover of VolSync does to a modelled store: which snapshot it takes, what it leaves, says, and ends with.

Held against VolSync's own script by tests/contract/stores/test_mover.py. Knows no cluster and no time but what it is given.
"""

from __future__ import annotations

from dataclasses import dataclass

from adapters.volsync.results import FileEntry
from lab.world.store import Store, StoredSnapshot, Trouble

CANNOT_OPEN = 3
"""What the script ends with for every repository that it cannot read."""
_MOVER = "volsync"
_ROOT = "/data"
_NO_RESTORE = ("No eligible snapshots found", "=== No data will be restored ===")
_CANNOT_CHECK = ("ERROR: failure checking existence of repository",)
_FAILED = {
    Trouble.REFUSED: (
        "Fatal: wrong password or no key found",
        "ERROR: failure connecting to repository, incorrect password",
    ),
    Trouble.DAMAGED: _CANNOT_CHECK,
    Trouble.UNREACHABLE: _CANNOT_CHECK,
}


@dataclass(frozen=True)
class Moved:
    """How a mover ended: its exit code, the lines of its log that VolSync keeps, and the snapshot that it read or wrote."""

    code: int
    log: tuple[str, ...]
    snapshot: StoredSnapshot | None = None


def restore(store: Store, address: str, as_of: str = "", previous: int = 0) -> Moved:
    """Bring the newest snapshot back that is not later than `as_of` (RFC 3339, "" for any), `previous` further back.

    Where there is no repository one is made, and nothing restored is a success: `snapshot` None.
    """
    ready = _ensure(store, address)
    if ready.code:
        return ready
    chosen = choose(store.repositories[address].snapshots, as_of, previous)
    if chosen is None:
        return Moved(0, (*ready.log, *_NO_RESTORE, _completed()))
    when = chosen.pin.replace("T", " ").removesuffix("Z")
    told = f"restoring snapshot {chosen.snapshot_id[:8]} of [{chosen.root}] at {when} +0000 UTC by root@{chosen.host} to ."
    return Moved(0, (*ready.log, told, _completed()), chosen)


def choose(snapshots: list[StoredSnapshot], as_of: str, previous: int) -> StoredSnapshot | None:
    """The script's choice: by whole seconds, whoever wrote them, complete or not, of each that has /data in its path.

    Of several in one second it knows the last alone, and counts it as often as there are.
    """
    eligible = sorted((s for s in snapshots if _ROOT in s.root), key=lambda s: s.time)
    last = {snapshot.pin: snapshot for snapshot in eligible}
    fitting = [s for s in reversed(eligible) if not as_of or s.pin <= as_of]
    return last[fitting[previous].pin] if previous < len(fitting) else None


def back_up(store: Store, address: str, entries: tuple[FileEntry, ...], at: float, keep_last: int) -> Moved:
    """Save a volume, begun at `at` (seconds since the epoch), then forget all but `keep_last`. An empty one is not saved."""
    if all(entry.path.split("/")[0] == "lost+found" for entry in entries):
        return Moved(0, ("== Directory is empty skipping backup ===",))
    ready = _ensure(store, address)
    if ready.code:
        return ready
    repository = store.repositories[address]
    parent = next((s for s in reversed(repository.snapshots) if (s.host, s.root) == (_MOVER, _ROOT)), None)
    inner = tuple(entry for entry in entries if "lost+found" not in entry.path.split("/"))
    saved = store.back_up(address, inner, at)
    forget(repository.snapshots, keep_last)
    files = [entry for entry in inner if entry.kind == "file"]
    size = sum(entry.size for entry in files)
    begun = f"using parent snapshot {parent.snapshot_id[:8]}" if parent else "no parent snapshot found, will read all files"
    log = (
        begun,
        f"Added to the repository: {size} B ({size} B stored)",
        f"processed {len(files)} files, {size} B in 0:00",
        f"snapshot {saved.snapshot_id[:8]} saved",
        _completed(),
    )
    return Moved(0, (*ready.log, *log), saved)


def forget(snapshots: list[StoredSnapshot], keep_last: int) -> None:
    """Retention looks at the mover's own host alone, and counts each path by itself; partial snapshots count as any."""
    own = [snapshot for snapshot in snapshots if snapshot.host == _MOVER]
    for root in {snapshot.root for snapshot in own}:
        group = sorted((s for s in own if s.root == root), key=lambda s: s.time)
        for old in group[: max(0, len(group) - keep_last)]:
            snapshots.remove(old)


def _ensure(store: Store, address: str) -> Moved:
    found = store.repositories.get(address)
    if store.down:
        return Moved(CANNOT_OPEN, _CANNOT_CHECK)
    if found is None or found.trouble is Trouble.FOREIGN:  # another tool's files are in nobody's way
        made = store.make(address)
        return Moved(0, ("=== Initialize Dir ===", f"created restic repository {made.repository_id[:10]} at {address}"))
    if found.trouble is not None:
        return Moved(CANNOT_OPEN, _FAILED[found.trouble])
    return Moved(0, ())


def _completed() -> str:
    return "Restic completed in 4s"
