"""What a server of names answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """Where a name leads: addresses in their usual spelling, and names that are only passed through. Both empty: nowhere."""

    addresses: tuple[str, ...] = ()
    through: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """In words."""
        return ", ".join((*self.through, *self.addresses)) or "nothing"
