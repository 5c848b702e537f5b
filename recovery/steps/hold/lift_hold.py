"""Lift the hold of one claim by hand: what a replacement has stopped first, then the record, then our pin off."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from adapters.hold.results import HeldClaim
from cluster.by_hand import record_by_hand
from cluster.hold.holding import still_held
from cluster.hold.lifted import admitted_everywhere
from cluster.machines.absent import silent_servers
from engine.probe import Condition, Probe, missing, satisfied, unknown
from engine.secrets import told
from engine.step import BaseStep, Notes, StepId
from house.model import BackedUpClaim, House
from recovery.lifting import entry_of, lift, refuse_absent, suspended


@dataclass(frozen=True)
class LiftHold(BaseStep):
    """The record lets the claim go, for the reason that a person gave, and nothing of a replacement is left.

    Without a proof: whoever types the verb says so (`--unproven`), and that is the consent.
    """

    house: House
    claim: BackedUpClaim | HeldClaim
    reason: str
    system = "kubernetes"

    @property
    def id(self) -> StepId:
        return StepId(f"hold.release/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"{self.claim.key} let go without a proof"

    @property
    def inputs(self) -> str:
        return f"{self.claim.key} {self.claim.destination} {self.claim.source}"

    def probe(self, look: LookContext) -> Probe:
        entry = entry_of(look.hold, look.claims, self.claim)
        if entry is None:
            return missing("nobody declared it, and the record does not know it")
        if still_held((entry,)):
            refuse_absent(look.cluster, look.flux, look.claims, self.claim)
            return missing(f"it is {entry.state.value}")
        # The pin goes last of all: as long as it is on, a release that was cut off is not over.
        if look.claims.destination(self.claim.namespace, self.claim.destination).ours:
            return missing(f"it is {entry.state.value}, and our pin is on {self.claim.destination} still")
        because = f": {entry.reason}" if entry.reason else ""
        tried = admitted_everywhere(look.hold, self.claim, silent_servers(look.proxmox, look.cluster, self.house))
        if tried.condition is not Condition.SATISFIED:
            return unknown(f"the record says {entry.state.value}, but {tried.detail}", *tried.evidence, hint=tried.hint)
        return satisfied("; ".join((f"it is {entry.state.value}{because}", *suspended(look.flux, self.claim))))

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        notes.put("lifted", told("; ".join(lift(act, self.claim, self.reason))))

    def by_hand(self) -> str:
        place = f"{self.claim.namespace}.{self.claim.claim}"
        return record_by_hand({f"state.{place}": "released", f"rd.{self.claim.namespace}.{self.claim.destination}": None})
