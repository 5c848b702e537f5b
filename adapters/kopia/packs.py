"""Every pack that kopia's indexes name, held against what is in the store. Asks nobody."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.kopia.reading import Blob, Content
from engine.text.words import number

_NAMED = 3


class Packs:
    """Takes the pieces one by one, and keeps of them what is wrong and which packs they lie in."""

    def __init__(self, blobs: Mapping[str, Blob]) -> None:
        self._packs = {name: blob for name, blob in blobs.items() if blob.is_pack}
        self._writing = {blob.name for blob in blobs.values() if blob.name.startswith("s")}
        self._known: set[str] = set()
        self._missing: set[str] = set()
        self._short: set[str] = set()
        self._hollow = {name for name, blob in self._packs.items() if not blob.length}

    def take(self, content: Content) -> None:
        """One piece of the indexes. What is deleted is needed by nobody, and may be gone."""
        self._known.add(content.pack)
        if content.deleted:
            return
        there = self._packs.get(content.pack)
        if there is None:
            self._missing.add(content.pack)
        elif there.length < content.end:
            self._short.add(content.pack)

    @property
    def stored(self) -> int:
        """What all packs take, in bytes."""
        return sum(blob.length for blob in self._packs.values())

    @property
    def lost(self) -> str:
        """What indexes need and the store has not, in words; "" when all is there."""
        told = (
            *_told(self._missing, f"of {len(self._known)} not there"),
            *_told(self._short, "shorter than the index says"),
        )
        return "; ".join(told)

    @property
    def hollow(self) -> str:
        """Packs of no bytes, in words: of those nothing is needed to know that they are damaged."""
        return "; ".join(_told(self._hollow, "of no bytes"))

    @property
    def forgotten(self) -> str:
        """What was written last and stands in no index, though its writer has ended: an index is lost, and snapshots with it.

        What is older than something that an index knows may be what kopia's own maintenance has moved elsewhere; a writer that
        is at work, or that broke off, has left its session.
        """
        last = max((self._packs[name].written for name in self._known & self._packs.keys()), default=0.0)
        found = {name for name in self._strangers() if self._packs[name].written > last and not self._is_written(name)}
        return "; ".join(_told(found, "written last and in no index: an index is lost, and newer snapshots may be lost with it"))

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is odd and stands in nobody's way."""
        count = sum(self._is_written(name) for name in self._strangers())
        return (f"{number(count, 'pack')} that no index knows: a backup at work, or one that broke off",) if count else ()

    def _strangers(self) -> set[str]:
        return self._packs.keys() - self._known

    def _is_written(self, name: str) -> bool:
        session = self._packs[name].session
        return bool(session) and any(session in one for one in self._writing)


def _told(packs: set[str], what: str) -> tuple[str, ...]:
    if not packs:
        return ()
    shown = ", ".join(name[:9] for name in sorted(packs)[:_NAMED])
    return (f"{number(len(packs), 'pack')} {what}: {shown}{' …' if len(packs) > _NAMED else ''}",)
