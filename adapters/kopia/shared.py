"""What the indexes of a repository tell, read once for all claims that share it, for as long as its store holds the same files.

An audit asks for each claim, and a list of the indexes' pieces may have millions. Judges nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from adapters.kopia.client import Client
from adapters.kopia.packs import Packs
from adapters.kopia.reading import Blob


class SharedPacks:
    """Safe for several threads: one reads, and the others wait for it, none longer than its own limit."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reading: dict[str, threading.Lock] = {}
        self._kept: dict[str, tuple[Mapping[str, Blob], Packs]] = {}

    def of(self, address: str, client: Client, blobs: Mapping[str, Blob]) -> Packs:
        """The packs of the repository at `address`, whose store has just been listed as `blobs`: indexes are files of it, so the
        same list has the same indexes. Raises the Runner's errors, and keeps nothing then."""
        with self._lock:
            reading = self._reading.setdefault(address, threading.Lock())
        waited = reading.acquire(timeout=client.limit_s)
        try:
            known = self._kept.get(address)
            if known is not None and known[0] == blobs:
                return known[1]
            packs = Packs(blobs)
            client.contents(packs.take)
            self._kept[address] = (blobs, packs)
            return packs
        finally:
            if waited:
                reading.release()
