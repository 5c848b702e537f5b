"""Looks into a repository as deep as is asked, one depth after the other, and stops at the first that finds something wrong.

Indexes are read by ourselves: `restic cat index` derives the key anew for each, and an hourly backup leaves hundreds of them.
Trees, checks and data are restic's own work: it is what will restore. Chooses no snapshot, judges no age.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from adapters.backups.indexes import Index, read_index
from adapters.backups.locks import read_lock
from adapters.backups.opening import Opened
from adapters.backups.places import Packs, PlaceLacks
from adapters.backups.results import WHOLE, Depth, Examination, Part, RepositoryLock, Verdict
from adapters.backups.sayings import words
from adapters.backups.sealed import Broken, MasterKey, NoKeyFits, master_key
from adapters.process.results import Finished
from engine.secrets import Secret
from engine.words import number

_TRIES = 3
_NAMED = 3
Ask = Callable[..., Finished]
"""Runs restic with these words on the repository; raises the Runner's errors."""


@dataclass(frozen=True)
class Examiner:
    """One repository, ready to be looked into. `ask` runs restic there."""

    opened: Opened
    ask: Ask

    def examine(self, snapshot_id: str, depth: Depth, part: Part = WHOLE) -> Examination:
        """As deep as `depth`; `part` is what to read at *read*. Raises the Runner's and the place's errors."""
        try:
            locks = self._locks()
            found = replace(self._listed() if depth is Depth.LISTED else self._indexed(), locks=locks)
        except NoKeyFits as error:
            return Examination(Verdict.REFUSED, None, str(error))
        except Broken as error:
            return Examination(Verdict.UNREADABLE, None, str(error))
        if found.verdict is not Verdict.OK or depth in (Depth.LISTED, Depth.INDEXED):
            return found
        found = self._tree(found, snapshot_id)
        if depth is Depth.CHECKED:
            self.ask("check")
        elif depth is Depth.READ:
            self.ask("check", *(("--read-data",) if part == WHOLE else (f"--read-data-subset={part}",)))
        return replace(found, depth=depth, part=part if depth is Depth.READ else None)

    def _listed(self) -> Examination:
        """Nothing is known of which packs are needed: one of no bytes is damage until an index says otherwise."""
        packs = self.opened.place.packs()
        hollow = sorted(pack for pack, size in packs.sizes.items() if not size)
        stored = sum(packs.sizes.values())
        if hollow:
            told = f"{_counted(hollow, 'pack')} of no bytes: {_some(hollow)}"
            return Examination(Verdict.UNREADABLE, None, told, stored=stored)
        return Examination(Verdict.OK, Depth.LISTED, stored=stored)

    def _indexed(self) -> Examination:
        """Read every index, then list the packs. A prune in between takes packs away whose index we read: then once more."""
        for _ in range(_TRIES):
            names = self.opened.place.names("index")
            try:
                index = self._index(names)
            except PlaceLacks:
                continue
            found = _compared(index, self.opened.place.packs())
            if found.verdict is Verdict.OK or self.opened.place.names("index") == names:
                return found
        return Examination(Verdict.UNKNOWN, None, "its indexes change faster than they can be read: is a prune at work?")

    def _index(self, names: tuple[str, ...]) -> Index:
        files = self.opened.place.read(f"index/{name}" for name in names)
        return read_index(self.key, ((name.partition("/")[2], content) for name, content in files))

    @cached_property
    def key(self) -> MasterKey:
        """The repository's key. Raises NoKeyFits, Broken and the place's errors."""
        place, password = self.opened.place, self.opened.env["RESTIC_PASSWORD"]
        assert isinstance(password, Secret)
        return master_key([content for _, content in place.read(f"keys/{name}" for name in place.names("keys"))], password)

    def _locks(self) -> tuple[RepositoryLock, ...]:
        """Those that keep a mover out: exclusive ones, of whatever age, and files that are no lock at all."""
        found = []
        for name in self.opened.place.names("locks"):
            try:
                ((_, content),) = self.opened.place.read((f"locks/{name}",))
            except PlaceLacks:
                continue  # its owner has ended meanwhile
            # restic passes over a lock file of no bytes.
            if content and (lock := read_lock(self.key, name, content)) is not None:
                found.append(lock)
        return tuple(found)

    def _tree(self, found: Examination, snapshot_id: str) -> Examination:
        """Walk the snapshot with restic: each of its trees is read, each piece of its files looked up in the index."""
        walked = json.loads(self.ask("stats", "--mode", "raw-data", snapshot_id).stdout)
        if not walked["total_blob_count"]:
            raise ValueError(f"restic counts nothing in snapshot {snapshot_id[:8]}")
        return replace(found, depth=Depth.TREE)


def _compared(index: Index, packs: Packs) -> Examination:
    """What the indexes expect, held against what is there."""
    sizes = packs.sizes
    missing = sorted(index.packs.keys() - sizes.keys())
    short = sorted(pack for pack, size in index.packs.items() if pack in sizes and sizes[pack] < size)
    closed = sorted(packs.closed & index.packs.keys())
    stored = sum(sizes.values())
    told = [
        *([f"{_counted(missing, 'pack')} of {len(index.packs)} not there: {_some(missing)}"] if missing else []),
        *([f"{_counted(short, 'pack')} shorter than the index says: {_some(short)}"] if short else []),
    ]
    if told:
        return Examination(Verdict.UNREADABLE, None, "; ".join(told), stored=stored)
    if closed:
        told = [f"{_counted(closed, 'pack')} that this user may not read: {_some(closed)}"]
        hint = "the files' owner or mode, not the repository's password: run as a user who may read them"
        return Examination(Verdict.REFUSED, None, told[0], stored=stored, hint=hint)
    long = [pack for pack, size in index.packs.items() if sizes[pack] > size]
    extra = len(sizes.keys() - index.packs.keys())
    remarks = (
        *((f"{_counted(long, 'pack')} longer than the index says",) if long else ()),
        *((f"{extra} packs that no index knows: a backup at work, or one that broke off",) if extra else ()),
    )
    return Examination(Verdict.OK, Depth.INDEXED, stored=stored, remarks=remarks)


def complaints(finished: Finished) -> str:
    """What restic's check found, in a line: how many errors, and the first of them."""
    first = (words(finished) or ("it does not say what",))[0]
    try:
        told = json.loads(finished.stdout.splitlines()[-1])
        count, broken = int(told["num_errors"]), len(told.get("broken_packs") or ())
    except (ValueError, KeyError, TypeError, IndexError):
        return f"restic check ends with code {finished.code}: {first}"
    packs = f", {number(broken, 'pack')} broken" if broken else ""
    return f"restic check finds {number(count, 'error')}{packs}, such as: {first}"


def _counted(names: list[str], what: str) -> str:
    return number(len(names), what)


def _some(names: list[str]) -> str:
    shown = ", ".join(name[:8] for name in names[:_NAMED])
    return shown + (" …" if len(names) > _NAMED else "")
