"""The port of the vault: signatures only (the others are in adapters/ports.py)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class VaultItem:
    """An item by its title (or id), and the vaults that it is looked for in, the first that has it counts."""

    vaults: tuple[str, ...]
    item: str


@dataclass(frozen=True)
class SeenItem:
    """What is known of one: what its fields are called (`label`, `section.label` and ids too), None where no vault has it; when
    that was looked at (epoch seconds). `why` is why nothing is known, "" else."""

    asked: VaultItem
    fields: frozenset[str] | None
    at: float
    why: str = ""


class VaultView(Protocol):
    """1Password, which counts what it is asked; read-only."""

    def look(self, wanted: Mapping[VaultItem, Collection[str]], most: int) -> tuple[SeenItem, ...]:
        """Each item, in this order, by the fields that it must have. One that was seen with all of them a while ago is not asked
        again: `at` says when that was. At most `most` reads are made in 24 hours, those of earlier runs among them."""
