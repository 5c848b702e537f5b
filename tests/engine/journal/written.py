"""A short journal as tests write it, and every way to turn one of its bits over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine.journal import Journal, open_journal
from engine.sealed.entries import Begin, End, Note

ENTRIES = (
    Note("", "run", "run-1"),
    Begin("toy.put/a", "v1"),
    Note("toy.put/a", "task", "UPID:pve-1"),
    End("toy.put/a", "changed", "on the shelf"),
    Begin("toy.put/b", "v1"),
)


def at_noon() -> float:
    return 1_750_000_000.0


def opened(folder: Path, run: str = "run-1", lineage: str = "house-1") -> Journal:
    return open_journal(folder, lineage=lineage, run=run, now=at_noon)


def every_flip(raw: bytes) -> Iterator[bytes]:
    """The bytes with one bit turned over, for each bit."""
    for place in range(len(raw)):
        for bit in range(8):
            yield raw[:place] + bytes([raw[place] ^ (1 << bit)]) + raw[place + 1 :]
