"""What a repository's indexes say must be there: every pack with its size, every blob with its place. Opens no place itself."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from adapters.backups.repository.sealed import OVERHEAD, Broken, MasterKey
from engine.text.jsontext import Malformed, read

_HEADER = OVERHEAD + 4  # a pack ends in its sealed header and that one's length
_ENTRY, _ENTRY_PACKED = 37, 41  # kind, length and id of each blob; for a packed one its whole length too


@dataclass(frozen=True)
class Blob:
    """One blob in a pack: `offset` and `length` there, in bytes; `whole` is its length unpacked, 0 when it is not packed."""

    kind: str
    pack: str
    offset: int
    length: int
    whole: int


@dataclass(frozen=True)
class Index:
    """All of a repository's indexes together. `packs`: pack id → the size in bytes that its file must have.

    `blobs` tells one place of each; `copies` are more places of some, for what was uploaded twice.
    """

    packs: Mapping[str, int]
    blobs: Mapping[tuple[str, str], Blob]
    copies: tuple[tuple[tuple[str, str], Blob], ...] = ()

    def blob(self, kind: str, blob_id: str) -> Blob | None:
        """Where the blob of this kind (`data`, `tree`) is, None when no index knows it."""
        return self.blobs.get((kind, blob_id))

    def within(self, packs: Collection[str]) -> frozenset[tuple[str, str]]:
        """Kind and id of every blob that is in one of these packs, be it elsewhere too: a restore need not look there."""
        told = chain(self.blobs.items(), self.copies)
        return frozenset(name for name, blob in told if blob.pack in packs)


def read_index(key: MasterKey, files: Iterable[tuple[str, bytes]]) -> Index:
    """The indexes (id, sealed content) joined. Raises Broken, naming the file, for one that restic would not load."""
    packs: dict[str, dict[int, int]] = {}
    blobs: dict[tuple[str, str], Blob] = {}
    copies: list[tuple[tuple[str, str], Blob]] = []

    def take(told: Any) -> None:
        for pack in told["packs"] or ():
            for raw in pack["blobs"]:
                blob = Blob(raw["type"], pack["id"], raw["offset"], raw["length"], raw.get("uncompressed_length", 0))
                if blobs.setdefault((blob.kind, raw["id"]), blob).pack != blob.pack:
                    copies.append(((blob.kind, raw["id"]), blob))
                packs.setdefault(blob.pack, {})[blob.offset] = blob.length + (_ENTRY_PACKED if blob.whole else _ENTRY)

    for name, content in files:
        try:
            if hashlib.sha256(content).hexdigest() != name:
                raise Broken("its content does not fit its name")
            read(key.unpacked(content), take)
        except Broken as error:
            raise Broken(f"index {name[:8]}: {error}") from error
        except Malformed as error:
            raise Broken(f"index {name[:8]} is not what restic writes") from error
    return Index({pack: _HEADER + sum(parts.values()) for pack, parts in packs.items()}, blobs, tuple(copies))
