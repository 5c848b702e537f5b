"""Walks a snapshot's folders: keys, indexes and trees are fetched, a file's content never is. One pass, one key derivation.

Every tree is checked twice, by its seal and by the SHA-256 that is its name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from adapters.backups.repository.heads import FORMATS, FormatUnknown, document
from adapters.backups.repository.indexes import Blob, Index, read_index
from adapters.backups.repository.nodes import children
from adapters.backups.repository.sealed import Broken, MasterKey, decompressed, master_key
from adapters.backups.stores.places import Place, PlaceLacks
from adapters.volsync.results import FileEntry
from engine.secrets import Secret
from engine.workers import Workers, each

_AT_ONCE = 4
_GAP = 64 << 10
"""Two trees of one pack that lie no further apart than so many bytes are fetched by one question."""

_Run = list[tuple[str, Blob]]


class SnapshotAbsent(Exception):
    """The repository has no such snapshot."""


@dataclass(frozen=True)
class Walked:
    """Every entry below a snapshot's top. `broken` not "": why the list is not whole. `read_bytes`: what was fetched for it."""

    entries: tuple[FileEntry, ...]
    broken: str
    read_bytes: int


def walk(place: Place, password: Secret, snapshot_id: str, workers: Workers) -> Walked:
    """The snapshot's entries, sorted by path. Damage is told in `broken`.

    Raises NoKeyFits, FormatUnknown, SnapshotAbsent, and the place's errors but PlaceLacks.
    """
    walking = _Walk(place, workers)
    broken = ""
    try:
        walking.walk(password, snapshot_id)
    except Broken as error:
        broken = str(error)
    except PlaceLacks as error:
        broken = f"a file is not there: {error}"
    return Walked(tuple(sorted(walking.entries, key=lambda entry: entry.path)), broken, walking.read_bytes)


class _Walk:
    """Goes down level by level, so that one level's trees are fetched together."""

    def __init__(self, place: Place, workers: Workers) -> None:
        self._place, self._workers = place, workers
        self.entries: list[FileEntry] = []
        self.read_bytes = 0

    def walk(self, password: Secret, snapshot_id: str) -> None:
        """Fill `entries`; what was found before an error stays."""
        keys = [f"keys/{name}" for name in self._place.names("keys")]
        key = master_key([content for _, content in self._whole(keys)], password)
        told = document(key, "its config", self._one("config"))
        if told.get("version") not in FORMATS:
            raise FormatUnknown(f"format {told.get('version')}")
        try:
            sealed = self._one(f"snapshots/{snapshot_id}")
        except PlaceLacks as error:
            raise SnapshotAbsent(snapshot_id) from error
        top = str(document(key, "the snapshot", sealed).get("tree"))
        indexes = self._whole([f"index/{name}" for name in self._place.names("index")])
        self._below(top, key, read_index(key, ((name.partition("/")[2], content) for name, content in indexes)))

    def _below(self, top: str, key: MasterKey, index: Index) -> None:
        trees = Trees(self._place, key, index, self._workers)
        level = [("", top)]
        while level:
            contents = trees.read(tuple(dict.fromkeys(tree for _, tree in level)))
            self.read_bytes += trees.read_bytes
            trees.read_bytes = 0
            found = [child for folder, tree in level for child in children(_or_raise(contents[tree]), folder)]
            self.entries += [child.entry for child in found]
            level = [(child.entry.path, child.tree) for child in found if child.entry.kind == "dir"]

    def _whole(self, names: Iterable[str]) -> list[tuple[str, bytes]]:
        found = list(self._place.read(names))
        self.read_bytes += sum(len(content) for _, content in found)
        return found

    def _one(self, name: str) -> bytes:
        ((_, content),) = self._whole((name,))
        return content


class Trees:
    """Fetches folders' lists by their ids, several by one question where they lie together. `read_bytes`: what that took."""

    def __init__(self, place: Place, key: MasterKey, index: Index, workers: Workers) -> None:
        self._place, self._key, self._workers = place, key, workers
        self.index = index
        self.read_bytes = 0

    def read(self, trees: Sequence[str]) -> dict[str, bytes | Broken]:
        """Each tree's content; what is wrong with it where it cannot be had. Raises the place's errors but PlaceLacks."""
        found: dict[str, bytes | Broken] = {}
        by_pack: dict[str, _Run] = {}
        for tree in trees:
            if (blob := self.index.blob("tree", tree)) is None:
                found[tree] = Broken(f"tree {tree[:8]} is in no index")
            else:
                by_pack.setdefault(blob.pack, []).append((tree, blob))
        runs = [run for blobs in by_pack.values() for run in _runs(blobs)]
        for run, raw in zip(runs, each(self._workers, self._part, runs, at_once=_AT_ONCE), strict=True):
            self.read_bytes += 0 if isinstance(raw, Broken) else len(raw)
            for tree, blob in run:
                at = blob.offset - run[0][1].offset
                found[tree] = raw if isinstance(raw, Broken) else _opened(self._key, tree, blob, raw[at : at + blob.length])
        return found

    def _part(self, run: _Run) -> bytes | Broken:
        first = run[0][1]
        length = max(blob.offset + blob.length for _, blob in run) - first.offset
        try:
            return self._place.read_part(f"data/{first.pack[:2]}/{first.pack}", first.offset, length)
        except PlaceLacks as error:
            return Broken(f"a file is not there: {error}")


def _or_raise(content: bytes | Broken) -> bytes:
    if isinstance(content, Broken):
        raise content
    return content


def _opened(key: MasterKey, tree: str, blob: Blob, sealed: bytes) -> bytes | Broken:
    try:
        if len(sealed) != blob.length:
            raise Broken(f"{len(sealed)} of {blob.length} bytes are there")
        content = key.open(sealed)
        if blob.whole:
            content = decompressed(content)
        if hashlib.sha256(content).hexdigest() != tree:
            raise Broken("its content does not fit its name")
    except Broken as error:
        return Broken(f"tree {tree[:8]} in pack {blob.pack[:8]}: {error}")
    return content


def _runs(blobs: _Run) -> list[_Run]:
    """The trees of one pack in its order, those together that are fetched by one question."""
    ordered = sorted(blobs, key=lambda one: one[1].offset)
    runs = [[ordered[0]]]
    for one in ordered[1:]:
        last = runs[-1][-1][1]
        if one[1].offset - (last.offset + last.length) <= _GAP:
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs
