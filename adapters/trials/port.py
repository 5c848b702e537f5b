"""The port of trials of storage: signatures only (the others are in adapters/ports.py)."""

from __future__ import annotations

from typing import Protocol

from adapters.trials.results import TrialsLook


class TrialsView(Protocol):
    """What was tried on storage classes, and when."""

    def look(self) -> TrialsLook: ...


class Trials(TrialsView, Protocol):
    """Adds the trials themselves. What one makes is gone when it ends, and what a dead one left goes first; one that passed leaves
    a dated marker. PermanentError, with what the storage says, for one that failed or took more than `limit_s` seconds a step."""

    def write(self, storage_class: str, limit_s: float) -> None:
        """A pod writes to a fresh volume of this class, and syncs."""

    def snapshot(self, storage_class: str, limit_s: float) -> None:
        """The same; then a snapshot of that volume is restored into another one, and compared."""
