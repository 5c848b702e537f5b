"""Accept that a claim was never backed up, by the person's approval, and only while there is no sign of a backup."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from adapters.backups.results import Verdict
from adapters.context import ActContext, LookContext
from adapters.hold.results import HoldState
from adapters.ports import BackupsView
from adapters.volsync.results import ClaimPhase
from cluster.backups.audit import repository_of
from cluster.hold.standing import let_go, standing
from engine.errors import PermanentError
from engine.probe import Identity, Probe, changing, missing, satisfied, unknown
from engine.step import BaseStep, Hazard, Notes, StepId, if_any
from engine.waiting import pause
from house.model import BackedUpClaim, House

NUDGES = 15
NUDGE_S = 2.0
"""Half a minute for the empty claim to be filled: a pod that starts later only leaves the record without that note."""


@dataclass(frozen=True)
class NeverBackedUp(Identity):
    """A claim, by its uid, that may start empty because there is nothing at the place of its backup."""

    claim: str
    uid: str
    place: str

    def __str__(self) -> str:
        return f"{self.claim} was never backed up: nothing is at {self.place}"


@dataclass(frozen=True)
class AcceptEmpty(BaseStep):
    """One claim that starts empty because it never had a backup."""

    house: House
    claim: BackedUpClaim
    system = "kubernetes"

    @property
    def needs(self) -> tuple[str, ...]:
        return ("hold.in-place", if_any(f"hold.declare/{self.claim.key}"))

    @property
    def id(self) -> StepId:
        return StepId(f"recovery.accept-empty/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"{self.claim.key} starts empty"

    @property
    def inputs(self) -> str:
        return self.claim.key

    def hazard(self, seen: Probe) -> Hazard:
        return Hazard.DESTROYS

    def probe(self, look: LookContext) -> Probe:
        there = standing(look.hold, look.claims, self.claim)
        if there.through:
            return satisfied(there.told)
        if not there.held:
            return unknown(f"not held: {there.told}")
        if there.now.phase is ClaimPhase.ABSENT:
            # The consent is to this claim, by its uid: without one it would be a consent to whatever comes.
            return changing("the claim is not there yet: Flux has not applied it")
        named = NeverBackedUp(self.claim.key, there.now.uid, self.claim.open_as or self.claim.mover_repository)
        return missing(f"held, and no backup is known at {self.claim.open_as}", identity=named)

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        _refuse_any_sign(act.backups, self.house, self.claim)
        there = standing(act.hold, act.claims, self.claim)
        if isinstance(seen.identity, NeverBackedUp) and seen.identity.uid != there.now.uid:
            raise PermanentError(
                f"{self.claim.key} is not what the consent named any more",
                evidence=(f"named: claim uid {seen.identity.uid}", f"there now: {there.now.uid or 'none'}"),
                next_command="invoke dr.plan",
            )
        if there.entry is None or not there.held:
            raise PermanentError(f"{self.claim.key} is not held: {there.told}", next_command="invoke dr.plan")
        told = "never backed up, by approval"
        act.hold.put(let_go(there.entry, HoldState.ACCEPTED_EMPTY, there.now, act.clock.now(), told))
        # What was refused tries again by itself, but only after a wait that has grown as long as the hold.
        # What Flux has not made yet was not refused either.
        namespace, claim, destination = self.claim.namespace, self.claim.claim, self.claim.destination
        for _ in range(NUDGES):
            if act.claims.destination(namespace, destination).present:
                act.claims.nudge("ReplicationDestination", namespace, destination)
            if act.claims.claim(namespace, claim).phase is ClaimPhase.PENDING:
                act.claims.nudge("PersistentVolumeClaim", namespace, claim)
            pause(act.clock, NUDGE_S)
            there = standing(act.hold, act.claims, self.claim)
            if there.through and there.now.alive and there.entry is not None:
                # It has its volume: from here on a claim without one is one that was lost.
                act.hold.put(replace(there.entry, filling=False))
                return

    def by_hand(self) -> str:
        return f"invoke dr.release {self.claim.key} --unproven --reason 'never backed up'"


def _refuse_any_sign(backups: BackupsView, house: House, claim: BackedUpClaim) -> None:
    for place in claim.sources:
        seen = backups.look(repository_of(house, place))
        if seen.verdict is not Verdict.MISSING:
            raise PermanentError(
                f"{claim.key} cannot start empty: there is a sign of a backup",
                evidence=(f"{seen.verdict.value}: {seen.detail}",),
                hint="restore it, or lift the hold by hand with a reason",
                next_command=f"invoke dr.release {claim.key} --unproven --reason TEXT",
            )


def steps(house: House, claims: tuple[BackedUpClaim, ...]) -> Iterator[AcceptEmpty]:
    """One for every claim that may be empty and has no repository."""
    for claim in claims:
        yield AcceptEmpty(house, claim)
