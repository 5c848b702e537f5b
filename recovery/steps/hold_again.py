"""Take a claim that is bound and alive back under the hold, with the restore point that is to replace its data: by approval."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.backups.results import RestorePoint
from adapters.context import ActContext, LookContext
from adapters.hold.results import HeldClaim, HoldState
from adapters.ports import BackupsView
from adapters.volsync.results import ClaimPhase
from cluster.audit import ClaimAudit, audit_claim
from engine.errors import PermanentError
from engine.probe import Probe, missing, satisfied, unknown
from engine.step import BaseStep, Hazard, Notes, StepId
from engine.waiting import Clock
from house.model import BackedUpClaim, House
from recovery.choice import asked_for, candidates, named
from recovery.record import entry_of, is_through
from recovery.suspension import kustomization_of, refuse_foreign


@dataclass(frozen=True)
class HoldAgain(BaseStep):
    """The consent to everything that follows: it names the claim's uid and the restore point, and the record keeps both."""

    house: House
    claim: BackedUpClaim
    as_of: float = 0.0
    known_id: str = ""
    system = "kubernetes"
    needs = ("preflight.*", "hold.in-place")

    @property
    def id(self) -> StepId:
        return StepId(f"recovery.hold-again/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"{self.claim.key} held again, to be replaced"

    @property
    def inputs(self) -> str:
        return f"{self.claim.key} {self.as_of:.0f}"

    def hazard(self, seen: Probe) -> Hazard:
        return Hazard.DESTROYS

    def identity(self, seen: Probe) -> str:
        return " ".join(seen.evidence)

    def probe(self, look: LookContext) -> Probe:
        entry = entry_of(look.hold, self.claim)
        if entry is not None and not is_through(entry):
            return satisfied(f"{entry.state.value}, to replace claim {entry.replaces or 'none'}")
        state = look.claims.claim(self.claim.namespace, self.claim.claim)
        if state.phase is not ClaimPhase.BOUND:
            return unknown(f"the claim is {state.phase.value}, and the record calls it released")
        refuse_foreign(kustomization_of(look.flux, self.claim), self.claim)
        audit = self.audit(look.backups, look.clock)
        newest = candidates(audit, self.as_of, look.clock.now())[0]
        return missing("bound and alive: what is in it will be lost", *self.named(state.uid, audit, newest))

    def named(self, uid: str, audit: ClaimAudit, point: RestorePoint) -> tuple[str, ...]:
        """What the consent is to: this claim, and this restore point in its place."""
        replaced_by, *given_up = named(audit, point)
        return f"claim {self.claim.key} uid {uid}", f"replaced by {replaced_by}", *given_up

    def audit(self, backups: BackupsView, clock: Clock) -> ClaimAudit:
        """The claim's backup as it is now."""
        return audit_claim(backups, clock, self.house, self.claim, asked_for(self.claim, self.known_id, self.as_of))

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        claim = self.claim
        state = act.claims.claim(claim.namespace, claim.claim)
        # Backups go on while a person reads the plan: what was consented to counts, not what is newest by now.
        audit = self.audit(act.backups, act.clock)
        points = candidates(audit, self.as_of, act.clock.now())
        point = next((p for p in points if self.named(state.uid, audit, p)[:2] == seen.evidence[:2]), None)
        if point is None:
            raise PermanentError(
                f"{self.claim.key} is not what the consent named any more",
                evidence=seen.evidence,
                hint="another claim stands in its place, or the snapshot is gone",
                next_command="invoke dr.plan",
            )
        notes.put("snapshot", point.snapshot_id)
        act.hold.put(
            HeldClaim(
                claim.namespace, claim.claim, HoldState.HELD, claim.destination, claim.source, point.repository_id,
                point.snapshot_id, point.pin, since=act.clock.now(), replaces=state.uid,
            )
        )  # fmt: skip

    def by_hand(self) -> str:
        return f"kubectl -n {self.claim.namespace} get pvc {self.claim.claim} -o yaml   # its uid; then hold it"


def steps(house: House, claims: tuple[BackedUpClaim, ...], as_of: float, known: dict[str, str]) -> Iterator[HoldAgain]:
    """One for every claim that is bound and was named to be restored all the same."""
    for claim in claims:
        yield HoldAgain(house, claim, as_of, known.get(claim.key, ""))
