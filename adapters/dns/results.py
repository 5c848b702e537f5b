"""What a server of names answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """Where a name leads: addresses in their usual spelling, and names that are only passed through. Both empty: nowhere.

    `nowhere`: the server itself says that the names which it is passed through end at one that is not there, or in a circle.
    """

    addresses: tuple[str, ...] = ()
    through: tuple[str, ...] = ()
    nowhere: bool = False

    @property
    def told(self) -> str:
        """In words."""
        return ", ".join((*self.through, *self.addresses)) or "nothing"
