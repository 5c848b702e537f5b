"""Let backups be written again for a claim whose data are proven back and whose application runs on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from adapters.context import ActContext, LookContext
from adapters.hold.results import HoldState
from cluster.by_hand import record_by_hand
from cluster.hold.holding import demand_hold
from cluster.hold.standing import let_go, standing
from cluster.machines.absent import silent_servers
from engine.probe import Probe, missing, satisfied, unknown
from engine.step import BaseStep, Notes, StepId
from house.model import BackedUpClaim, House
from recovery.compared.arrival import look_at


@dataclass(frozen=True)
class ReleaseClaim(BaseStep):
    """The claim itself holds what was proven, the record says released, and our pin is off the destination, which is Git's again.

    (Left on, the next restore silently takes the old one.)
    """

    house: House
    claim: BackedUpClaim
    system = "kubernetes"

    @property
    def id(self) -> StepId:
        return StepId(f"recovery.release/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"{self.claim.key} released"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"recovery.running/{self.claim.key}",)

    @property
    def inputs(self) -> str:
        return self.claim.key

    def probe(self, look: LookContext) -> Probe:
        there = standing(look.hold, look.claims, self.claim)
        if there.held:
            return missing(f"still {there.told}")
        if not there.through:
            return unknown(f"not held: {there.told}")
        state = look.claims.destination(self.claim.namespace, self.claim.destination)
        if state.present and state.ours and state.restore_as_of:
            return missing("released, but the destination still carries our pin")
        if state.instead_of:
            return missing(f"released, but the destination is still turned from {state.instead_of} to {state.repository}")
        entry = there.entry
        return satisfied((entry.depth if entry is not None else "") or there.told)

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        there = standing(act.hold, act.claims, self.claim)
        if there.entry is not None and there.held:
            claim, lost = look_at(act, self.house, self.claim, there.entry)
            notes.put("claim", f"uid {claim.uid}, volume {claim.volume}: {lost.words}")
            # Looked at last: reading the claim may take long.
            demand_hold(act.hold, f"{self.claim.key} is not released", silent_servers(act.proxmox, act.cluster, self.house))
            entry = let_go(there.entry, HoldState.RELEASED, claim, act.clock.now())
            told = f"{entry.depth}; in the claim itself since: {lost.words}"
            act.hold.put(replace(entry, volume=claim.volume, depth=told))
        act.claims.unpin(self.claim.namespace, self.claim.destination)
        for source in dict.fromkeys(place.source for place in self.claim.sources):
            if act.claims.source(self.claim.namespace, source).present:
                act.claims.nudge("ReplicationSource", self.claim.namespace, source)

    def by_hand(self) -> str:
        claim = self.claim
        place = f"{claim.namespace}.{claim.claim}"
        return record_by_hand({f"state.{place}": "released", f"rd.{claim.namespace}.{claim.destination}": None})


def steps(house: House, claims: tuple[BackedUpClaim, ...]) -> Iterator[ReleaseClaim]:
    """One for every claim to restore."""
    for claim in claims:
        yield ReleaseClaim(house, claim)
