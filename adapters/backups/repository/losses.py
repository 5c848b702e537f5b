"""Which snapshots need what is lost: all their folders are read, and every piece of their files is looked up.

A pack that is gone leaves those snapshots whole that do not need it, and nothing but this tells them from the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from adapters.backups.repository.nodes import needed
from adapters.backups.repository.sealed import Broken
from adapters.backups.repository.trees import Trees


class Lost(Exception):
    """Something that a repository must have is not there, or not as it was. `packs`: which, where that is known."""

    def __init__(self, told: str, packs: Collection[str] = (), stored: int | None = None, hint: str = "") -> None:
        super().__init__(told)
        self.packs, self.stored, self.hint = frozenset(packs), stored, hint


@dataclass(frozen=True)
class Harm:
    """Snapshot ids: `damaged` cannot be restored whole, `whole` can; those in neither were not looked at to their end."""

    damaged: tuple[str, ...]
    whole: tuple[str, ...]


def harm(trees: Trees, tops: Mapping[str, str], first: str, packs: Collection[str], over: Callable[[], bool]) -> Harm:
    """Of the snapshots in `tops` (id → its top tree) who needs something that is in these packs, or in no index at all.

    Snapshot `first` is looked at before the others; nothing more is begun when `over` says so. Raises the place's errors.
    """
    search = _Search(trees, trees.index.within(packs), over)
    if first in tops:
        search.go({tops[first]})
    search.go(set(tops.values()))
    damaged, unknown = search.above(search.bad), search.above(search.left)
    return Harm(
        tuple(sorted(name for name, top in tops.items() if top in damaged)),
        tuple(sorted(name for name, top in tops.items() if top not in damaged and top not in unknown)),
    )


class _Search:
    """Goes down level by level; a tree that several snapshots share is read once."""

    def __init__(self, trees: Trees, lost: Collection[tuple[str, str]], over: Callable[[], bool]) -> None:
        self._trees, self._lost, self._over = trees, lost, over
        self._parents: defaultdict[str, set[str]] = defaultdict(set)
        self._seen: set[str] = set()
        self.bad: set[str] = set()
        self.left: set[str] = set()

    def go(self, tops: set[str]) -> None:
        """All that is below these trees and was not seen yet. What there was no time for is in `left`."""
        level = tops - self._seen
        while level:
            if self._over():
                self.left |= level
                return
            self._seen |= level
            gone = {tree for tree in level if self._is_gone("tree", tree)}
            self.bad |= gone
            level = self._read(sorted(level - gone)) - self._seen

    def above(self, trees: set[str]) -> set[str]:
        """These trees and all that hold them."""
        found, following = set(trees), list(trees)
        while following:
            more = self._parents[following.pop()] - found
            found |= more
            following += more
        return found

    def _read(self, level: list[str]) -> set[str]:
        below: set[str] = set()
        for tree, content in self._trees.read(level).items():
            try:
                if isinstance(content, Broken):
                    raise content
                data, trees = needed(content)
            except Broken:
                self.bad.add(tree)
                continue
            if any(self._is_gone("data", blob) for blob in data):
                self.bad.add(tree)
            for one in trees:
                self._parents[one].add(tree)
            below |= trees
        return below

    def _is_gone(self, kind: str, blob: str) -> bool:
        return (kind, blob) in self._lost or self._trees.index.blob(kind, blob) is None
