"""Take a claim that is alive back under the hold, with the restore point that is to replace its data: by approval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from adapters.context import ActContext, LookContext
from cluster.backups.audit import ClaimAudit
from cluster.backups.sources import audit_sources
from cluster.hold.holding import demand_hold, until_no_mover
from cluster.hold.standing import Way, held_anew, standing
from cluster.hold.suspension import demand_maker
from cluster.machines.absent import silent_servers
from engine.errors import PermanentError
from engine.probe import Identity, Probe, missing, satisfied, unknown
from engine.step import BaseStep, Hazard, Notes, StepId, if_any
from house.model import BackedUpClaim, House
from recovery.movers import on_nas
from recovery.points.choice import Choice, asked_for, at_point, candidates, chosen, preflight_of, weighed
from recovery.points.kept import refuse_undoing


@dataclass(frozen=True)
class Replacement(Identity):
    """The claim whose data are given up, by its uid, and the restore point that takes their place."""

    uid: str
    choice: Choice

    @property
    def words(self) -> tuple[str, ...]:
        """For a person, one line a thing."""
        point, *given_up = self.choice.words
        return f"claim {self.choice.claim} uid {self.uid}", f"replaced by {point}", *given_up

    def __str__(self) -> str:
        return " ".join(self.words)


@dataclass(frozen=True)
class HoldAgain(BaseStep):
    """The consent to everything that follows: it names the claim's uid and the restore point, and the record keeps both.

    Held first, then looked at: a backup that is at work meanwhile runs retention, and may forget what the consent named.
    """

    house: House
    claim: BackedUpClaim
    as_of: float = 0.0
    known: Mapping[str, str] = field(default_factory=dict)
    system = "kubernetes"

    @property
    def needs(self) -> tuple[str, ...]:
        return (*preflight_of(self.claim), "hold.in-place", if_any(f"hold.declare/{self.claim.key}"))

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

    def probe(self, look: LookContext) -> Probe:
        there = standing(look.hold, look.claims, self.claim)
        if there.entry is not None and there.way in (Way.HELD, Way.PROVEN):
            refuse_undoing(there.entry)
            return satisfied(f"{there.told}, to replace claim {there.entry.replaces or 'none'}")
        if there.way in (Way.OPEN, Way.LOST):
            return unknown(f"nothing is alive that could be replaced: {there.told}")
        demand_maker(look.flux, self.claim)
        audit = self.audit(look)
        newest = candidates(audit, self.as_of, look.clock.now())[0]
        named = Replacement(there.now.uid, chosen(audit, newest))
        told = weighed(look.backups, look.claims, self.house, audit, newest)
        lost = "bound and alive: what is in it goes out of use, and its volume is kept until it is let go"
        return missing("; ".join(filter(None, (lost, told))), *named.words, identity=named)

    def audit(self, doors: LookContext | ActContext) -> ClaimAudit:
        """The claim's backup as it is now."""
        asked = asked_for(self.claim, self.known, self.as_of)
        return audit_sources(doors.backups, doors.clock, self.house, self.claim, asked, on_nas(doors, self.house, self.claim))

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        there = standing(act.hold, act.claims, self.claim)
        uid, named = there.now.uid, seen.identity
        if not isinstance(named, Replacement) or named.uid != uid:
            raise PermanentError(
                f"{self.claim.key} is not what the consent named any more",
                evidence=(*seen.evidence, f"there now: claim uid {uid or 'none'}"),
                hint="another claim stands in its place",
                next_command="invoke dr.plan",
            )
        if not there.held:
            act.hold.put(held_anew(there, self.claim, act.clock.now()))
        demand_hold(act.hold, f"{self.claim.key} is not held", silent_servers(act.proxmox, act.cluster, self.house))
        until_no_mover(act.claims, act.clock, self.claim, self.house.limits.restore_s)
        # Backups go on while a person reads the plan: what was consented to counts, not what is newest by now.
        audit = self.audit(act)
        points = candidates(audit, self.as_of, act.clock.now())
        point = next((p for p in points if named.choice.is_of(p)), None)
        held = standing(act.hold, act.claims, self.claim).entry
        if point is None or held is None:
            raise PermanentError(
                f"the snapshot of {self.claim.key} that the consent named is gone",
                evidence=(*seen.evidence, *(f"there now: {chosen(audit, p).words[0]}" for p in points[:1])),
                hint="the claim is held and nothing in it was touched: a new plan names the newest snapshot that is left",
                next_command="invoke dr.plan",
            )
        notes.put("snapshot", point.snapshot_id)
        act.hold.put(replace(at_point(held, audit, point), replaces=uid))

    def by_hand(self) -> str:
        return f"kubectl -n {self.claim.namespace} get pvc {self.claim.claim} -o yaml   # its uid; then hold it"


def steps(house: House, claims: tuple[BackedUpClaim, ...], as_of: float, known: Mapping[str, str]) -> Iterator[HoldAgain]:
    """One for every claim that is bound and was named to be restored all the same."""
    for claim in claims:
        yield HoldAgain(house, claim, as_of, known)
