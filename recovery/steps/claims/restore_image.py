"""Let VolSync restore exactly the pinned snapshot into an image, and believe only what its log says it restored."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from adapters.hold.results import HeldClaim
from adapters.volsync.results import DestinationState
from cluster.backups.sources import named, place_of
from cluster.by_hand import json_by_hand
from cluster.hold.holding import demand_hold
from cluster.hold.standing import Way, standing
from cluster.machines.absent import silent_servers
from engine.errors import PermanentError, WaitedTooLong
from engine.probe import Condition, Probe, changing, missing, satisfied, unknown
from engine.step import BaseStep, Notes, StepId
from engine.waiting import wait_until
from house.model import BackedUpClaim, House
from recovery.destination import SNAPSHOT, no_image, refuse_never
from recovery.movers import SAME, other_repository
from recovery.record import pinned

RESTORING = re.compile(r"restoring snapshot ([0-9a-f]{8,64})\b")
NOTHING = ("No eligible snapshots found", "No data will be restored")
LAST_LINES = 6
ROUND_S = 2700.0
"""Longer than VolSync takes to call a mover failed: eight pods with their back-off, about 28 minutes."""
RESTORES = "restores"
"""Movers that restore, which `limits.restore_parallel` counts."""
MADE = ("Initialize Dir", "created restic repository")


@dataclass(frozen=True)
class RestoreImage(BaseStep):
    """The destination's newest image is a restore of the pin, by VolSync's own account."""

    house: House
    claim: BackedUpClaim
    system = RESTORES

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
        there = standing(look.hold, look.claims, self.claim)
        entry = there.entry
        if there.through:
            return satisfied(there.told)
        if entry is None or not there.held:
            return unknown(f"not held: {there.told}")
        if there.way is Way.PROVEN:
            return satisfied(f"proven image {entry.image}")
        if not entry.pin:
            return unknown("no restore point is pinned")
        state = look.claims.destination(self.claim.namespace, self.claim.destination)
        if not state.present:
            refuse_never(look.flux.state(), self.claim)
            return changing(f"ReplicationDestination {self.claim.destination} is not there yet: Flux has not applied it")
        if state.copy_method != SNAPSHOT:
            raise no_image(self.claim, state.copy_method)
        if state.restore_as_of != entry.pin or not state.ours:
            if state.restore_as_of and not state.ours and state.restore_as_of != entry.pin:
                raise PermanentError(
                    f"Git sets restoreAsOf of {self.claim.destination}, and not to the pin",
                    evidence=(f"Git: {state.restore_as_of}", f"pin: {entry.pin}"),
                    hint="take restoreAsOf out of the ReplicationDestination in Git, or restore with --as-of at that time",
                )
            return missing("the destination does not carry the pin yet")
        place = place_of(self.claim, entry.origin)
        if state.repository not in ("", place.repository_secret):
            return missing(f"the destination restores from Secret {state.repository}, the pin is of {named(place)}")
        try:
            return image_probe(state, entry)
        except NotRestored as failed:
            # It was told when it happened: that somebody runs it again says that its cause is mended.
            return missing(f"the last restore is done again: {failed.what}", *failed.evidence, hint=failed.hint)
        except MoverFailed as failed:
            return missing(f"VolSync tries again by itself: {failed.what}", *failed.evidence, hint=failed.hint)

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        demand_hold(act.hold, f"{self.claim.key} is not restored", silent_servers(act.proxmox, act.cluster, self.house))
        entry = pinned(act.hold, self.claim)
        place = place_of(self.claim, entry.origin)
        if entry.repository_id and (why := other_repository(act, self.house, place, entry.repository_id)):
            raise PermanentError(f"{self.claim.key} is not restored: {why}", evidence=(named(place),), hint=SAME)
        namespace, destination = self.claim.namespace, self.claim.destination
        before = act.claims.destination(namespace, destination)
        act.claims.pin(namespace, destination, entry.pin, trigger_of(entry), place.repository_secret)
        began = act.clock.monotonic()

        def ended() -> bool | None:
            state = act.claims.destination(namespace, destination)
            try:
                return (state.present and image_probe(state, entry).condition is Condition.SATISFIED) or None
            except MoverFailed:
                # VolSync keeps a mover's last word until the next one ends: what stood there before may not be about this one.
                # A mover that fails with the very same words is told from it by the time that VolSync's tries take.
                old = (state.result, state.log) == (before.result, before.log)
                if old and act.clock.monotonic() - began < ROUND_S:
                    return None
                raise

        # Waited for here: only who has begun a restore can tell its failure from one that an earlier run has told.
        limit_s = self.house.limits.restore_s
        try:
            wait_until(act.clock, ended, limit_s=limit_s, what=f"the restore of {self.claim.key}")
        except WaitedTooLong as error:
            told = act.claims.destination(namespace, destination).condition
            raise PermanentError(
                f"VolSync has not restored {self.claim.key} within {limit_s:.0f} s",
                evidence=(told,) if told else (),
                hint="it goes on: a later run waits for the same restore",
            ) from error

    def by_hand(self) -> str:
        claim = self.claim
        key = f"rd.{claim.namespace}.{claim.destination}".replace(".", "\\.")
        pin = f"kubectl -n blackstart get configmap hold -o jsonpath='{{.data.{key}}}'"
        wanted = {"spec": {"trigger": {"manual": "restore-by-hand"}, "restic": {"restoreAsOf": "$PIN", "previous": 0}}}
        patched = f"kubectl -n {claim.namespace} patch replicationdestination {claim.destination} --type merge"
        return f'PIN="$({pin})" && {patched} --field-manager=blackstart -p {json_by_hand(wanted)}'


class MoverFailed(PermanentError):
    """VolSync's mover has used up its tries; VolSync begins anew by itself."""


class NotRestored(PermanentError):
    """VolSync ended a restore, and it is not one of the pin."""


def trigger_of(entry: HeldClaim) -> str:
    """The destination's manual trigger: one of its own for each hold, the same for every resume of it."""
    return f"restore-{entry.snapshot_id[:8]}-{entry.since:.0f}"


def image_probe(state: DestinationState, entry: HeldClaim) -> Probe:
    """Judge a finished restore by its log (facts: VolSync calls an empty restore Successful).

    Raises MoverFailed while the mover's last word is a failure, and once a restore has ended NotRestored with its name: empty
    restore, wrong snapshot, an image that was refuted.
    """
    text = "\n".join(state.log)
    if state.running or state.last_trigger != state.trigger:
        if state.result == "Failed":
            raise MoverFailed(
                "the restore's mover failed",
                evidence=state.log[-LAST_LINES:],
                hint="VolSync tries again by itself: mend the cause and run the same again, which waits for its next try",
            )
        return changing(f"VolSync is restoring snapshot {entry.snapshot_id[:8]}", state.condition)
    if any(line in text for line in MADE):
        raise NotRestored(
            "EMPTY RESTORE: no repository was found, VolSync made a new one and restored nothing",
            evidence=state.log,
            hint="the mover looks elsewhere than the audit: compare RESTIC_REPOSITORY in the Secret, then remove what was made",
        )
    if any(line in text for line in NOTHING):
        raise NotRestored("EMPTY RESTORE: VolSync found no snapshot and called it a success", evidence=state.log)
    if state.result != "Successful":
        raise NotRestored(f"the restore ended {state.result or 'without a result'}", evidence=state.log)
    if entry.image and entry.image == state.image:
        raise NotRestored(
            f"image {state.image} was compared, and is not what was backed up",
            hint="an owner that differs: does the mover run as the one that the backup was made of?",
        )
    found = RESTORING.search(text)
    if found is None:
        # Not yet a failure: the log may be cut. The comparison with the snapshot's own list decides.
        return _ready(state, "its log does not name the snapshot; the comparison decides")
    if not entry.snapshot_id.startswith(found.group(1)[:8]):
        raise NotRestored(
            "WRONG SNAPSHOT restored",
            evidence=(f"pinned {entry.snapshot_id[:8]}", f"restored {found.group(1)[:8]}"),
            hint="is the pinned one gone? invoke dr.plan looks for it, and names another to consent to",
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
