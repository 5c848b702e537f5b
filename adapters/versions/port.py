"""The port of what a store keeps of former states: signatures only (the others are in adapters/ports.py)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from adapters.backups.results import Repository
from adapters.versions.results import StoreGuard, Undoing, Version


class VersionsView(Protocol):
    """Versions, locks and who may undo them, from here."""

    def guard(self, repository: Repository) -> StoreGuard:
        """What the bucket of this repository keeps, and for how long. TransientError where the store is silent, PermanentError
        where the repository lies in no bucket."""

    def undoing(self, repository: Repository, namespace: str, secret: str) -> tuple[Undoing, ...]:
        """Whether our credentials, and those of the movers' Secret in the cluster (none is asked for with ""), may take versions
        away. It is asked with a version that cannot be there: nothing goes by it."""

    def history(self, repository: Repository) -> tuple[Version, ...]:
        """Every version of every file, of one file the newest first. TransientError or PermanentError where it is not known."""


class Versions(VersionsView, Protocol):
    """Adds bringing a former state to a place of its own. Nothing is taken away or overwritten."""

    def bring(self, repository: Repository, into: str, versions: Sequence[Version]) -> None:
        """Copy these versions within the store to the address `into`, config last. What is there with its size stays as it is;
        PermanentError where a file of another size has its name."""
