"""Let VolSync restore exactly the pinned snapshot into an image, and believe only what its log says it restored."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from adapters.hold.results import HeldClaim, HoldState
from adapters.volsync.results import DestinationState
from cluster.by_hand import json_by_hand
from engine.errors import PermanentError
from engine.probe import Probe, changing, missing, satisfied, unknown
from engine.step import BaseStep, Notes, StepId
from house.model import BackedUpClaim, House
from recovery.record import entry_of, is_through, pinned

RESTORING = re.compile(r"restoring snapshot ([0-9a-f]{8,64})\b")
NOTHING = ("No eligible snapshots found", "No data will be restored")
LAST_LINES = 6
MADE = ("Initialize Dir", "created restic repository")


@dataclass(frozen=True)
class RestoreImage(BaseStep):
    """The destination's newest image is a restore of the pin, by VolSync's own account."""

    house: House
    claim: BackedUpClaim
    system = "volsync"

    @property
    def id(self) -> StepId:
        return StepId(f"recovery.restore/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"{self.claim.key} restored to an image"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"recovery.pin/{self.claim.key}",)

    @property
    def ready_s(self) -> float:
        return self.house.limits.restore_s

    @property
    def inputs(self) -> str:
        return f"{self.claim.key} {self.claim.destination}"

    def probe(self, look: LookContext) -> Probe:
        entry = entry_of(look.hold, self.claim)
        if is_through(entry):
            return satisfied("released")
        if entry is not None and entry.state is HoldState.PROVEN:
            return satisfied(f"proven image {entry.image}")
        if entry is None or not entry.pin:
            return unknown("no restore point is pinned")
        state = look.claims.destination(self.claim.namespace, self.claim.destination)
        if not state.present:
            return changing(f"ReplicationDestination {self.claim.destination} is not there yet: Flux has not applied it")
        if state.restore_as_of != entry.pin or not state.ours:
            if state.restore_as_of and not state.ours and state.restore_as_of != entry.pin:
                raise PermanentError(
                    f"Git sets restoreAsOf of {self.claim.destination}, and not to the pin",
                    evidence=(f"Git: {state.restore_as_of}", f"pin: {entry.pin}"),
                    hint="take restoreAsOf out of the ReplicationDestination in Git, or restore with --as-of at that time",
                )
            return missing("the destination does not carry the pin yet")
        return image_probe(state, entry)

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        entry = pinned(act.hold, self.claim)
        act.claims.pin(self.claim.namespace, self.claim.destination, entry.pin, trigger_of(entry))

    def by_hand(self) -> str:
        claim = self.claim
        key = f"rd.{claim.namespace}.{claim.destination}".replace(".", "\\.")
        pin = f"kubectl -n blackstart get configmap hold -o jsonpath='{{.data.{key}}}'"
        wanted = {"spec": {"trigger": {"manual": "restore-by-hand"}, "restic": {"restoreAsOf": "$PIN", "previous": 0}}}
        patched = f"kubectl -n {claim.namespace} patch replicationdestination {claim.destination} --type merge"
        return f'PIN="$({pin})" && {patched} --field-manager=blackstart -p {json_by_hand(wanted)}'


def trigger_of(entry: HeldClaim) -> str:
    """The destination's manual trigger: one of its own for each hold, the same for every resume of it."""
    return f"restore-{entry.snapshot_id[:8]}-{entry.since:.0f}"


def image_probe(state: DestinationState, entry: HeldClaim) -> Probe:
    """Judge a finished restore by its log (facts: VolSync calls an empty restore Successful).

    Raises PermanentError with the failure's name: empty restore, wrong snapshot, failed mover.
    """
    text = "\n".join(state.log)
    if state.running or state.last_trigger != state.trigger:
        if state.result == "Failed":
            raise PermanentError(
                "the restore's mover failed",
                evidence=state.log[-LAST_LINES:],
                hint="VolSync tries again by itself: mend the cause, wait for its next try, and run the same again",
            )
        return changing(f"VolSync is restoring snapshot {entry.snapshot_id[:8]}", state.condition)
    if any(line in text for line in MADE):
        raise PermanentError(
            "EMPTY RESTORE: no repository was found, VolSync made a new one and restored nothing",
            evidence=state.log,
            hint="the mover looks elsewhere than the audit: compare RESTIC_REPOSITORY in the Secret, then remove what was made",
        )
    if any(line in text for line in NOTHING):
        raise PermanentError("EMPTY RESTORE: VolSync found no snapshot and called it a success", evidence=state.log)
    if state.result != "Successful":
        raise PermanentError(f"the restore ended {state.result or 'without a result'}", evidence=state.log)
    found = RESTORING.search(text)
    if found is None:
        # Not yet a failure: the log may be cut. The comparison with the snapshot's own list decides.
        return _ready(state, "its log does not name the snapshot; the comparison decides")
    if not entry.snapshot_id.startswith(found.group(1)[:8]):
        raise PermanentError(
            "WRONG SNAPSHOT restored", evidence=(f"pinned {entry.snapshot_id[:8]}", f"restored {found.group(1)[:8]}")
        )
    return _ready(state, f"its log names snapshot {entry.snapshot_id[:8]}")


def _ready(state: DestinationState, told: str) -> Probe:
    if not state.image or not state.image_ready:
        return changing("the image is not ready to use yet")
    return satisfied(f"image {state.image}: {told}")


def steps(house: House, claims: tuple[BackedUpClaim, ...]) -> Iterator[RestoreImage]:
    """One for every claim to restore."""
    for claim in claims:
        yield RestoreImage(house, claim)
