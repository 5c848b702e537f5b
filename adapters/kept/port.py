"""The port of kept volumes: signatures only (the others are in adapters/ports.py)."""

from __future__ import annotations

from typing import Protocol

from adapters.kept.results import Found, KeptVolume
from house.known.inventory import VolumeRecord


class KeptView(Protocol):
    """Volumes that stay when their claim goes, because a person may want them back."""

    def volumes(self) -> tuple[KeptVolume, ...]:
        """Every one that we keep, the one that was kept last first."""


class Kept(KeptView, Protocol):
    """Adds keeping one, writing one of a lost cluster again, giving it back, letting it go. No data are copied, none are read."""

    def keep(self, namespace: str, claim: str, uid: str) -> None:
        """The volume of this claim stays when the claim goes. PermanentError where another claim stands there, or it has none."""

    def bring(self, volume: VolumeRecord, since: float) -> None:
        """Write a PersistentVolume of a lost cluster again, as its inventory of `since` (epoch seconds) has it: it stays, for
        no claim but one of ours (`aside_of`). PermanentError where its name or its handle is another volume's by now."""

    def open_aside(self, volume: str) -> None:
        """Make the claim of ours that has it. PermanentError for one that is not aside."""

    def note(self, volume: str, found: Found) -> None:
        """Write down what was found on it, and take the claim of ours away."""

    def put_back(self, volume: str) -> None:
        """Promise it to the claim of the name that it was kept of. PermanentError while another claim has it."""

    def let_go(self, volume: str) -> None:
        """Its own policy again, and our mark off: one that no claim has is deleted by its storage then, if that is its policy."""
