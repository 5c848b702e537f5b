"""Reads a bbolt file: its pages, its buckets, their keys in order. Knows nothing of what etcd keeps in it.

The format (bbolt 1.3 to 1.4): pages of one size; two meta pages, of which the valid one with the higher transaction counts; a
tree of branch and leaf pages, and buckets as values of leaves, small ones inline.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass

_MAGIC, _VERSION = 0xED0CDAED, 2
_BRANCH, _LEAF = 0x01, 0x02
_BUCKET = 0x01
_PAGE = struct.Struct("<QHHI")
_META = struct.Struct("<IIIIQQQQQQ")
_BRANCH_ITEM = struct.Struct("<IIQ")
_LEAF_ITEM = struct.Struct("<IIII")
_ROOT = struct.Struct("<QQ")
_DEEPEST = 32


class NotBolt(Exception):
    """The file is no bbolt database, or one that is broken: why, in words."""


@dataclass(frozen=True)
class _Meta:
    page_size: int
    root: int
    pages: int
    transaction: int


class Bolt:
    """One database in memory-mapped bytes. NotBolt at the first thing that cannot be."""

    def __init__(self, data: mmap.mmap | bytes, length: int) -> None:
        self._data = data
        self._length = length
        self._seen: set[int] = set()
        self._meta = self._newest()
        if self._meta.pages * self._meta.page_size > length:
            raise NotBolt(f"it ends after {length} bytes of {self._meta.pages * self._meta.page_size}: it is cut off")

    def bucket(self, name: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The keys and values of one bucket at the top, in order. NotBolt where there is none, or a page is not what it must be."""
        self._seen.clear()
        for key, value, flags in self._items(self._meta.root, 0):
            if key == name and flags & _BUCKET:
                yield from self._within(value)
                return
        raise NotBolt(f"it has no bucket {name.decode(errors='replace')}")

    def _within(self, value: bytes) -> Iterator[tuple[bytes, bytes]]:
        if len(value) < _ROOT.size:
            raise NotBolt("a bucket without a root")
        root, _ = _ROOT.unpack_from(value)
        # A small bucket has no page of its own: its leaf lies behind its root, which is 0.
        found = self._items(root, 0) if root else self._leaf(value, _ROOT.size, len(value))
        for key, inner, _ in found:
            yield key, inner

    def _newest(self) -> _Meta:
        sizes = (4096, 8192, 16384, 32768, 65536)
        found = [self._meta_at(0), *(self._meta_at(size) for size in sizes)]
        valid = [one for one in found if one is not None]
        if not valid:
            raise NotBolt("it has no valid meta page: it is no etcd database, or its beginning is damaged")
        size = valid[0].page_size
        other = self._meta_at(size)
        return max([valid[0], *([other] if other is not None else [])], key=lambda one: one.transaction)

    def _meta_at(self, offset: int) -> _Meta | None:
        start = offset + _PAGE.size
        if start + _META.size > self._length:
            return None
        magic, version, page_size, _, root, _, _, pages, transaction, checksum = _META.unpack_from(self._data, start)
        if (magic, version) != (_MAGIC, _VERSION) or page_size < 1024:
            return None
        if checksum and checksum != _fnv(bytes(self._data[start : start + _META.size - 8])):
            return None
        return _Meta(page_size, root, pages, transaction)

    def _items(self, page: int, depth: int) -> Iterator[tuple[bytes, bytes, int]]:
        if depth > _DEEPEST:
            raise NotBolt("its tree has no end")
        offset = page * self._meta.page_size
        if page < 2 or page >= self._meta.pages or page in self._seen:
            raise NotBolt(f"it names page {page}, which it has not, or not twice")
        self._seen.add(page)
        number, flags, count, overflow = _PAGE.unpack_from(self._data, offset)
        end = offset + (overflow + 1) * self._meta.page_size
        if number != page or end > self._length or not flags & (_BRANCH | _LEAF):
            raise NotBolt(f"page {page} is not what it must be: it was overwritten, or copied while it changed")
        if flags & _LEAF:
            yield from self._leaf(self._data, offset, end)
            return
        for at in range(count):
            position = offset + _PAGE.size + at * _BRANCH_ITEM.size
            if position + _BRANCH_ITEM.size > end:
                raise NotBolt("a branch is shorter than its list")
            _, _, child = _BRANCH_ITEM.unpack_from(self._data, position)
            yield from self._items(child, depth + 1)

    def _leaf(self, data: mmap.mmap | bytes, offset: int, end: int) -> Iterator[tuple[bytes, bytes, int]]:
        _, _, count, _ = _PAGE.unpack_from(data, offset)
        for at in range(count):
            position = offset + _PAGE.size + at * _LEAF_ITEM.size
            if position + _LEAF_ITEM.size > end:
                raise NotBolt("a leaf is shorter than its list")
            flags, where, key_size, value_size = _LEAF_ITEM.unpack_from(data, position)
            start = position + where
            if start + key_size + value_size > end:
                raise NotBolt("a value reaches out of its page")
            yield bytes(data[start : start + key_size]), bytes(data[start + key_size : start + key_size + value_size]), flags


def _fnv(data: bytes) -> int:
    """FNV-1a of 64 bits, which is a meta page's checksum."""
    summed = 0xCBF29CE484222325
    for byte in data:
        summed = ((summed ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return summed
