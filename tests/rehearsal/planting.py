"""What goes wrong in a house between two drills: each kind of fault, planted in bytes and objects behind the doors.

Nothing of `rehearsal/` can import this, and this imports nothing of it but the word for what must come out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from adapters.backups.results import RepositoryLock
from adapters.drills.results import Examination, Examined, FenceWall, Found, Health, Phase
from adapters.drills.results import Trouble as Lost
from adapters.hold.results import HoldState
from adapters.kubernetes.results import LeaseHolder
from adapters.volsync.results import FileEntry
from lab.modelled.house import ModelledHome
from lab.world.store import StoredRepository, Trouble, a_file
from rehearsal.outcome import DrillVerdict

Entries = tuple[FileEntry, ...]
FAIL, UNVERIFIED = frozenset({DrillVerdict.FAIL}), frozenset({DrillVerdict.UNVERIFIED})
NO_PASS = FAIL | UNVERIFIED
DAY_S = 86400.0


@dataclass(frozen=True)
class Planted:
    """One kind of fault: what a drill may come out as, and how it is planted into the repository of `address` (claim `name`)."""

    wanted: frozenset[DrillVerdict]
    plant: Callable[[ModelledHome, str, str], object]


def _of(home: ModelledHome, address: str) -> StoredRepository:
    return home.store.repositories[address]


def _store(change: Callable[[StoredRepository], object], wanted: frozenset[DrillVerdict] = FAIL) -> Planted:
    return Planted(wanted, lambda home, address, name: change(_of(home, address)))


def _newest(**changes: object) -> Callable[[StoredRepository], object]:
    """All snapshots changed so: a fault that lasts as long as there are backups."""
    return lambda repository: repository.snapshots.__setitem__(
        slice(None), [replace(one, **changes) for one in repository.snapshots]  # type: ignore[arg-type]  # by name
    )


def _back(change: Callable[[Entries], Entries]) -> Planted:
    """What comes back is not what was restored, for the claim itself and never for the control's."""

    def plant(home: ModelledHome, address: str, name: str) -> None:
        mark = f"{name}-back-"
        home.kube.objects().rigged.spoil = lambda into, entries: change(entries) if into.startswith(mark) else entries

    return Planted(FAIL, plant)


def _each(kind: str, /, **changes: object) -> Callable[[Entries], Entries]:
    """The first entry of this kind changed so."""

    def change(entries: Entries) -> Entries:
        hit = next(e for e in entries if e.kind == kind)
        return tuple(replace(e, **changes) if e is hit else e for e in entries)  # type: ignore[arg-type]  # by name

    return change


def _without(kind: str) -> Callable[[Entries], Entries]:
    return lambda entries: tuple(e for e in entries if e is not next(x for x in entries if x.kind == kind))


def _swapped(entries: Entries) -> Entries:
    first, second, *_ = [e for e in entries if e.kind == "file"]
    other = {first.path: replace(first, sha256=second.sha256), second.path: replace(second, sha256=first.sha256)}
    return tuple(other.get(e.path, e) for e in entries)


def _renamed(entries: Entries) -> Entries:
    return (replace(entries[0], path=entries[0].path.upper()), *entries[1:])


def _rigged(wanted: frozenset[DrillVerdict] = UNVERIFIED, /, **changes: object) -> Planted:
    def plant(home: ModelledHome, address: str, name: str) -> None:
        for key, value in changes.items():
            setattr(home.kube.objects().rigged, key, value)

    return Planted(wanted, plant)


def _wall(wall: FenceWall) -> Planted:
    return Planted(UNVERIFIED, lambda home, address, name: home.kube.objects().rigged.open_walls.add(wall))


def _held(home: ModelledHome, address: str, name: str) -> None:
    record = home.kube.objects().record
    assert record is not None
    record[("apps", name)] = replace(record[("apps", name)], state=HoldState.HELD)


def _run_meanwhile(home: ModelledHome, address: str, name: str) -> None:
    objects = home.kube.objects()
    objects.rigged.slow_s = 60.0
    home.world.after(20.0, "a run begins", lambda: setattr(objects, "lease", LeaseHolder("another machine", "1")))


def _others(home: ModelledHome, address: str, name: str) -> None:
    """The mover's store holds the repository of another claim now."""
    others = [at for at in home.store.repositories if at != address]
    home.store.repositories[address] = home.store.repositories[others[0]]


def _moved(home: ModelledHome, address: str, name: str) -> None:
    """The mover in the cluster looks elsewhere than the settings: nothing is there."""
    home.kube.objects().destinations[("apps", f"{name}-bootstrap")].address = f"{address}-elsewhere"


def _foreign_id(home: ModelledHome, address: str, name: str) -> None:
    """The mover in the cluster opens another repository than the one that is looked at from here."""
    there = home.store.make(f"{address}-elsewhere")
    there.snapshots.extend(_of(home, address).snapshots)
    _moved(home, address, name)


def _previous(home: ModelledHome, address: str, name: str) -> None:
    """Restores bring the snapshot before the one that was asked for."""
    older, mark = _of(home, address).snapshots[0].entries, f"{name}-back-"
    home.kube.objects().rigged.spoil = lambda into, entries: older if into.startswith(mark) else entries


def _vanishes(home: ModelledHome, address: str, name: str) -> None:
    """Retention takes the pinned snapshot between its choice and its restore: nobody's failure, and no proof."""
    home.kube.objects().rigged.slow_s = 30.0
    home.world.after(10.0, "forgotten", lambda: _of(home, address).snapshots.pop())


def locked(home: ModelledHome, address: str) -> None:
    """Somebody holds it for himself, since just now."""
    lock = RepositoryLock("1" * 64, home.world.clock.now(), "somebody")
    _of(home, address).locks[lock.lock_id] = lock


def _silent_later(home: ModelledHome, address: str, name: str) -> None:
    home.kube.objects().rigged.slow_s = 30.0
    home.world.after(10.0, "the store goes", lambda: setattr(home.store, "down", True))


def _aged(repository: StoredRepository) -> None:
    repository.snapshots[:] = [replace(one, time=one.time - 20 * DAY_S) for one in repository.snapshots]


def _strangers(repository: StoredRepository) -> None:
    _aged(repository)
    repository.snapshots[-1] = replace(repository.snapshots[-1], host="laptop", time=repository.snapshots[-1].time + 20 * DAY_S)


def _wiped(repository: StoredRepository) -> None:
    last = repository.snapshots[-1]
    repository.snapshots[:] = [replace(one, time=one.time - 20 * DAY_S) for one in repository.snapshots[:-1]]
    repository.snapshots.append(replace(last, entries=(a_file("settings.ini", "x"),)))


def _seen(health: Health, wanted: frozenset[DrillVerdict]) -> Planted:
    """The claim's own probe says so of its data, which came back as they were backed up."""

    def plant(home: ModelledHome, address: str, name: str) -> None:
        mark = f"{name}-back-"

        def ails(of: Examination, entries: Entries) -> Examined | None:
            return Examined(Phase.DONE, health, "as planted") if of.order.into.startswith(mark) else None

        home.kube.objects().rigged.ails = ails

    return Planted(wanted, plant)


def _probe_hangs(home: ModelledHome, address: str, name: str) -> None:
    home.kube.objects().rigged.ails = lambda of, entries: Examined(Phase.RUNNING) if of.order.into.startswith(name) else None


KINDS: Mapping[str, Planted] = {
    "repository gone": Planted(FAIL, lambda home, address, name: home.store.repositories.pop(address)),
    "no snapshot": _store(lambda r: r.snapshots.clear()),
    "repository damaged": _store(lambda r: setattr(r, "trouble", Trouble.DAMAGED)),
    "password changed": _store(lambda r: setattr(r, "trouble", Trouble.REFUSED)),
    "another tool's files": _store(lambda r: setattr(r, "trouble", Trouble.FOREIGN)),
    "another id than known": _store(lambda r: setattr(r, "repository_id", "f" * 64)),
    "another claim's repository": Planted(FAIL, _others),
    "mover looks elsewhere": Planted(FAIL, _moved),
    "mover opens another id": Planted(FAIL, _foreign_id),
    "a pack gone": _store(lambda r: setattr(r, "sound", "listed")),
    "a tree gone": _store(lambda r: setattr(r, "sound", "indexed")),
    "nothing sound": _store(lambda r: setattr(r, "sound", "")),
    "only partial snapshots": _store(_newest(complete=False)),
    "the newest another host's": _store(_strangers),
    "only another path's": _store(_newest(root="/home")),
    "only from the future": _store(lambda r: _newest(time=r.snapshots[-1].time + 90 * DAY_S)(r)),
    "backups stopped": _store(_aged),
    "application wiped itself": _store(_wiped),
    "snapshots hold nothing": _store(_newest(entries=())),
    "a byte flipped": _back(_each("file", sha256="e" * 64)),
    "every file's bytes": _back(lambda e: tuple(replace(x, sha256="d" * 64) if x.kind == "file" else x for x in e)),
    "two files swapped": _back(_swapped),
    "a file gone": _back(_without("file")),
    "a folder gone": _back(_without("dir")),
    "a symlink gone": _back(_without("symlink")),
    "nothing came back": _back(lambda e: ()),
    "half came back": _back(lambda e: e[: len(e) // 2]),
    "a file more": _back(lambda e: (*e, a_file("stray", "x"))),
    "a file renamed": _back(_renamed),
    "a file cut": _back(_each("file", size=1)),
    "an owner": _back(lambda e: tuple(replace(x, uid=2000 + n) for n, x in enumerate(e))),
    "a group": _back(lambda e: tuple(replace(x, gid=2000 + n, uid=3000 + n) for n, x in enumerate(e))),
    "a mode": _back(_each("file", mode=0o600)),
    "setuid": _back(_each("file", mode=0o4644)),
    "a folder's mode": _back(_each("dir", mode=0o700)),
    "a time": _back(_each("file", mtime_ns=123_456_789)),
    "a symlink's target": _back(_each("symlink", target="elsewhere")),
    "a symlink a file": _back(_each("symlink", kind="file", target=None, xattrs=())),
    "an attribute": _back(_each("file", xattrs=())),
    "the snapshot before": Planted(FAIL, _previous),
    "pin forgotten meanwhile": Planted(NO_PASS, _vanishes),
    "the list breaks off": _store(lambda r: setattr(r, "half_listing", True), NO_PASS),
    "store silent": Planted(UNVERIFIED, lambda home, address, name: setattr(home.store, "down", True)),
    "store silent meanwhile": Planted(UNVERIFIED, _silent_later),
    "repository silent": _store(lambda r: setattr(r, "trouble", Trouble.UNREACHABLE), UNVERIFIED),
    "locked by somebody": Planted(NO_PASS, lambda home, address, name: locked(home, address)),
    "comparison blind": _rigged(blind=True),
    "no room for pods": _rigged(room=False),
    "restore too slow": _rigged(slow_s=1e6),
    "no destination": Planted(UNVERIFIED, lambda h, a, n: h.kube.objects().destinations.pop(("apps", f"{n}-bootstrap"))),
    "canary stale": _rigged(FAIL, canary=Found("0" * 32)),
    "canary gone": _rigged(FAIL, canary=Found(None, Lost.NO_REPOSITORY)),
    "canary unreadable": _rigged(canary=Found(None, Lost.UNREACHABLE)),
    "canary never sent": _rigged(dumb=True),
    "data make no sense": _seen(Health.ILL, FAIL),
    "probe could not see": _seen(Health.UNSEEN, UNVERIFIED),
    "probe never ends": Planted(UNVERIFIED, _probe_hangs),
    "a claim held": Planted(UNVERIFIED, _held),
    "a run begins meanwhile": Planted(UNVERIFIED, _run_meanwhile),
    **{f"fence open: {wall.value}": _wall(wall) for wall in FenceWall},
}
