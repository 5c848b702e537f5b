"""Looks into a repository as deep as is asked, one depth after the other, and stops at the first that finds something wrong.

Indexes are read by ourselves: `restic cat index` derives the key anew for each, and an hourly backup leaves hundreds of them.
Trees, checks and data are restic's own work: it is what will restore. Chooses no snapshot, judges no age.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from adapters.backups.opening import Opened
from adapters.backups.repository.heads import Restless, read_snapshots
from adapters.backups.repository.indexes import Index, read_index
from adapters.backups.repository.locks import read_lock
from adapters.backups.repository.losses import Lost, harm
from adapters.backups.repository.packs import compared, some
from adapters.backups.repository.sealed import Broken, MasterKey
from adapters.backups.repository.trees import Trees
from adapters.backups.results import WHOLE, Depth, Examination, Part, RepositoryLock, Verdict
from adapters.backups.sayings import Saying, meaning, words
from adapters.backups.stores.places import PlaceLacks
from adapters.process.results import Finished, ProgramFailed
from engine.text.jsontext import Malformed, read
from engine.text.words import number
from engine.workers import Threads

_TRIES = 3
Ask = Callable[..., Finished]
"""Runs restic with these words on the repository; raises the Runner's errors."""


@dataclass(frozen=True)
class Examiner:
    """One repository, ready to be looked into. `ask` runs restic there; `over`: no time is left to look who needs what is lost."""

    opened: Opened
    key: MasterKey
    ask: Ask
    over: Callable[[], bool] = lambda: False

    def examine(self, snapshot_id: str, depth: Depth, part: Part = WHOLE) -> Examination:
        """As deep as `depth`; `part` is what to read at *read*. Raises the Runner's and the place's errors."""
        locks: tuple[RepositoryLock, ...] = ()
        try:
            locks = self._locks()
            found = self._listed() if depth is Depth.LISTED else self._indexed()
            if found.verdict is Verdict.OK and depth.holds(Depth.TREE):
                self._tree(snapshot_id)
                found = replace(found, depth=Depth.TREE)
                self._check(depth, part)
                found = replace(found, depth=depth, part=part if depth is Depth.READ else None)
        except Broken as error:
            return Examination(Verdict.UNREADABLE, None, str(error))
        except Lost as lost:
            found = self._who_needs(lost, snapshot_id, depth)
        return replace(found, locks=locks)

    def _listed(self) -> Examination:
        """Nothing is known of which packs are needed: one of no bytes is damage."""
        packs = self.opened.place.packs()
        hollow = sorted(pack for pack, size in packs.sizes.items() if not size)
        stored = sum(packs.sizes.values())
        if hollow:
            raise Lost(f"{number(len(hollow), 'pack')} of no bytes: {some(hollow)}", hollow, stored)
        return Examination(Verdict.OK, Depth.LISTED, stored=stored)

    def _indexed(self) -> Examination:
        """Read every index, then list the packs. A prune in between takes packs away whose index we read: then once more."""
        for _ in range(_TRIES):
            names = self.opened.place.names("index")
            try:
                return compared(self.opened.place, self._index(names), self.over)
            except PlaceLacks:
                continue
            except Lost:
                if self.opened.place.names("index") == names:
                    raise
        return Examination(Verdict.UNKNOWN, None, "its indexes change faster than they can be read: is a prune at work?")

    def _index(self, names: tuple[str, ...]) -> Index:
        files = self.opened.place.read(f"index/{name}" for name in names)
        return read_index(self.key, ((name.partition("/")[2], content) for name, content in files))

    def _locks(self) -> tuple[RepositoryLock, ...]:
        """Those that keep a mover out: exclusive ones, of whatever age, and files that are no lock at all.

        restic does not pass over an exclusive lock because it is old: that is what `unlock` is for.
        """
        found = []
        for name in self.opened.place.names("locks"):
            try:
                ((_, content),) = self.opened.place.read((f"locks/{name}",))
            except PlaceLacks:
                continue  # its owner has ended meanwhile
            # restic passes over a lock file of no bytes.
            if content and (lock := read_lock(self.key, name, content)).exclusive:
                found.append(lock)
        return tuple(found)

    def _tree(self, snapshot_id: str) -> None:
        """Walk the snapshot with restic: each of its trees is read, each piece of its files looked up in the index."""
        told = self._asked("stats", "--mode", "raw-data", snapshot_id).stdout
        if not read(told, lambda walked: walked["total_blob_count"]):
            raise Malformed(f"restic counts nothing in snapshot {snapshot_id[:8]}")

    def _check(self, depth: Depth, part: Part) -> None:
        if depth is Depth.CHECKED:
            self._asked("check")
        elif depth is Depth.READ:
            self._asked("check", *(("--read-data",) if part == WHOLE else (f"--read-data-subset={part}",)))

    def _asked(self, *argv: str) -> Finished:
        """What restic answers. Raises Lost when it says that something is damaged."""
        try:
            return self.ask(*argv)
        except ProgramFailed as error:
            if meaning(error.finished) not in (Saying.DAMAGED, Saying.NO_SNAPSHOT):
                raise
            raise Lost(complaints(error.finished), _broken_packs(error.finished), hint=hint_of(error.finished)) from error

    def _who_needs(self, lost: Lost, snapshot_id: str, depth: Depth) -> Examination:
        """Damage with what it means: whether this snapshot needs what is lost, and which others do."""
        place, told = self.opened.place, Examination(Verdict.UNREADABLE, None, str(lost), stored=lost.stored, hint=lost.hint)
        try:
            snapshots = read_snapshots(place, self.key).told
            trees = Trees(place, self.key, self._index(place.names("index")), Threads())
            tops = {str(one["id"]): str(one["tree"]) for one in snapshots}
            seen = harm(trees, tops, snapshot_id, lost.packs, self.over)
            # Without packs restic found it: where it does not show here nobody knows what it is, and nothing is called whole.
            if not (lost.packs or seen.damaged):
                return told
            if snapshot_id not in seen.whole:
                return replace(told, damaged=seen.damaged, whole=seen.whole)
            if depth.holds(Depth.TREE):
                self._tree(snapshot_id)  # what restic cannot walk although it seems whole to us speaks against all that does
            told = replace(told, damaged=seen.damaged, whole=seen.whole)
        except (Broken, Lost, Restless, PlaceLacks, KeyError):
            return told
        held = depth if not depth.holds(Depth.TREE) else Depth.TREE
        return replace(told, verdict=Verdict.DAMAGED, depth=held, detail=f"{told.detail}; this one does not need it")


def complaints(finished: Finished) -> str:
    """What restic's check found, in a line: how many errors, and the first of them."""
    first = (words(finished) or ("it does not say what",))[0]
    try:
        count, broken = read(_last(finished), lambda told: (int(told["num_errors"]), len(told.get("broken_packs") or ())))
    except Malformed:
        return f"restic check ends with code {finished.code}: {first}"
    packs = f", {number(broken, 'pack')} broken" if broken else ""
    return f"restic check finds {number(count, 'error')}{packs}, such as: {first}"


def _broken_packs(finished: Finished) -> tuple[str, ...]:
    try:
        return read(_last(finished), lambda told: tuple(str(pack) for pack in told.get("broken_packs") or ()))
    except Malformed:
        return ()


def _last(finished: Finished) -> bytes:
    """The last line of what it printed, b"" for nothing."""
    return (finished.stdout.splitlines() or [b""])[-1]


def hint_of(finished: Finished) -> str:
    """Where restic's own words say that it is not the usual thing."""
    if any("permission denied" in line.lower() for line in finished.stderr_tail):
        return "a file's owner or mode, not the repository's password: run as a user who may read all of it"
    return ""
