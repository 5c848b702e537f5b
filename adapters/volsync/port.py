"""Claims and what VolSync makes of them, seen and changed: signatures only, as in adapters/ports.py."""

from __future__ import annotations

from typing import Protocol

from adapters.volsync.results import (
    ClaimState,
    Compared,
    DestinationState,
    Listing,
    Meanwhile,
    Sight,
    Snapshot,
    SourceBackups,
    idle,
)


class ClaimsView(Protocol):
    """Claims and what VolSync makes of them."""

    def claim(self, namespace: str, name: str) -> ClaimState: ...
    def destination(self, namespace: str, name: str) -> DestinationState: ...
    def source(self, namespace: str, name: str) -> SourceBackups: ...


class Claims(ClaimsView, Protocol):
    def contents(self, namespace: str, claim_or_image: str, *, hashed: bool) -> Listing:
        """What a claim holds, or a VolumeSnapshot (read through a copy); with `hashed` every file's content too."""

    def compare(
        self, namespace: str, claim_or_image: str, destination: str, against: Snapshot, meanwhile: Meanwhile = idle
    ) -> Compared:
        """Hold it against a snapshot, in a pod like the mover's of this ReplicationDestination; no data is downloaded.
        What `meanwhile` raises ends the comparison.

        Where restic cannot be asked there, every file is hashed instead. PermanentError when the mover's Secret opens another
        repository than the snapshot's.
        """

    def repository_seen(self, namespace: str, destination: str, secret: str) -> Sight:
        """Which repository a pod like this destination's mover opens with that Secret; it makes none and locks none."""

    def pin(self, namespace: str, destination: str, restore_as_of: str, trigger: str, secret: str = "") -> None:
        """Set restoreAsOf (and previous: 0) with our field manager, and what it restores from: left alone by Flux till `unpin`."""
    def unpin(self, namespace: str, destination: str) -> None: ...
    def nudge(self, kind: str, namespace: str, name: str) -> None:
        """Annotate a source, destination or claim so that VolSync looks again now."""

    def delete_claim(self, namespace: str, name: str, uid: str) -> None:
        """Delete the claim with a uid precondition: its data are lost unless proven elsewhere."""

    def back_up_now(self, namespace: str, source: str, trigger: str) -> str:
        """Set the manual trigger, which stops the schedule, and answer it: one that ran already gets a number.

        With "" give the schedule back; where there is none ours stays, for a source without any trigger never stops.
        """
