"""The port of kept volumes: signatures only (the others are in adapters/ports.py)."""

from __future__ import annotations

from typing import Protocol

from adapters.kept.results import KeptVolume


class KeptView(Protocol):
    """Volumes that stay when their claim goes, because a person may want them back."""

    def volumes(self) -> tuple[KeptVolume, ...]:
        """Every one that we keep, the one that was kept last first."""


class Kept(KeptView, Protocol):
    """Adds keeping one, giving it back and letting it go. No data are copied, and none are read."""

    def keep(self, namespace: str, claim: str, uid: str) -> None:
        """The volume of this claim stays when the claim goes. PermanentError where another claim stands there, or it has none."""

    def put_back(self, volume: str) -> None:
        """Promise it to the claim of the name that it was kept of. PermanentError while another claim has it."""

    def let_go(self, volume: str) -> None:
        """Its own policy again, and our mark off: one that no claim has is deleted by its storage then, if that is its policy."""
