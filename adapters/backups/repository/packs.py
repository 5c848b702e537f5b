"""Every pack that the indexes name, held against what is there: its size, and where that is more, its content. Asks no restic."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

from adapters.backups.repository.indexes import Index
from adapters.backups.repository.losses import Lost
from adapters.backups.results import Depth, Examination, Verdict
from adapters.backups.stores.places import Place
from engine.text.words import number

_NAMED = 3
_AT_ONCE = 8 << 20
"""A pack is read so many bytes at a time: nothing bounds how long a foreign one is."""


def compared(place: Place, index: Index, over: Callable[[], bool]) -> Examination:
    """What the indexes expect, held against what is there. A longer pack is read, unless `over` says that no time is left.

    Raises Lost, and the place's errors.
    """
    packs = place.packs()
    sizes, stored = packs.sizes, sum(packs.sizes.values())
    missing = sorted(index.packs.keys() - sizes.keys())
    short = sorted(pack for pack, size in index.packs.items() if pack in sizes and sizes[pack] < size)
    long = sorted(pack for pack, size in index.packs.items() if sizes.get(pack, 0) > size)
    closed = sorted(packs.closed & index.packs.keys())
    others, unread = [], []
    for pack in long:
        if pack not in closed and over():
            unread.append(pack)
        elif pack not in closed and not _is_itself(place, pack, index.packs[pack], sizes[pack]):
            others.append(pack)
    told = (
        *_told(missing, f"of {len(index.packs)} not there"),
        *_told(short, "shorter than the index says"),
        *_told(others, "longer than the index says and of other content"),
    )
    if told:
        raise Lost("; ".join(told), (*missing, *short, *others, *unread), stored)
    if closed:
        (detail,) = _told(closed, "that this user may not read")
        hint = "the files' owner or mode, not the repository's password: run as a user who may read them"
        return Examination(Verdict.REFUSED, None, detail, stored=stored, hint=hint)
    if unread:
        (detail,) = _told(unread, "longer than the index says, and no time was left to read them")
        return Examination(Verdict.UNKNOWN, None, detail, stored=stored, hint="give it more time: limits.look")
    extra = len(sizes.keys() - index.packs.keys())
    remarks = (
        *((f"{number(len(long), 'pack')} longer than the index says: what it tells of is whole",) if long else ()),
        *((f"{extra} packs that no index knows: a backup at work, or one that broke off",) if extra else ()),
    )
    return Examination(Verdict.OK, Depth.INDEXED, stored=stored, remarks=remarks)


def some(names: list[str]) -> str:
    """The first of these ids, short."""
    shown = ", ".join(name[:8] for name in names[:_NAMED])
    return shown + (" …" if len(names) > _NAMED else "")


def _told(packs: list[str], what: str) -> Iterable[str]:
    return (f"{number(len(packs), 'pack')} {what}: {some(packs)}",) if packs else ()


def _is_itself(place: Place, pack: str, size: int, there: int) -> bool:
    """Whether the file begins with the pack, whose id is its checksum: restic reads each blob at its offset, and nothing behind.

    The whole file may be the pack too, where the index knows less of it than it holds.
    """
    seen = hashlib.sha256()
    for begin, end in ((0, size), (size, there)):
        for at in range(begin, end, _AT_ONCE):
            seen.update(place.read_part(f"data/{pack[:2]}/{pack}", at, min(_AT_ONCE, end - at)))
        if seen.hexdigest() == pack:
            return True
    return False
