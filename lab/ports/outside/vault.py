"""The port of the vault, in process: items by vault and title, with what their fields are called."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from adapters.vault.port import SeenItem, VaultItem
from engine.waiting import Clock


class ModelledVault:
    """Vault port (adapters.vault.port); whoever asks too much is not answered, as the adapter does it."""

    def __init__(self, items: Mapping[tuple[str, str], frozenset[str]], clock: Clock) -> None:
        self._items, self._clock = items, clock

    def look(self, wanted: Mapping[VaultItem, Collection[str]], most: int) -> tuple[SeenItem, ...]:
        """See port.VaultView."""
        now = self._clock.now()
        return tuple(
            SeenItem(one, self._fields(one), now) if place < most else SeenItem(one, None, now, f"{most} reads may be made")
            for place, one in enumerate(wanted)
        )

    def _fields(self, one: VaultItem) -> frozenset[str] | None:
        return next((self._items[vault, one.item] for vault in one.vaults if (vault, one.item) in self._items), None)
