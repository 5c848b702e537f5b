"""Hold one claim now, whatever it is and before anybody reads plans: the record first, then the wait for a backup at work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from adapters.context import ActContext, LookContext
from adapters.hold.results import HeldClaim
from cluster.backups.sources import audit_sources
from cluster.by_hand import record_by_hand
from cluster.hold.holding import sources_of, until_no_mover
from cluster.hold.standing import Way, held_anew, standing
from engine.errors import BlackstartError
from engine.probe import Probe, changing, missing, satisfied
from engine.step import BaseStep, Notes, StepId
from house.model import BackedUpClaim, House
from house.values.sources import RESTIC
from recovery.points.choice import asked_for, at_point, candidates, chosen


@dataclass(frozen=True)
class HoldNow(BaseStep):
    """No backup of the claim is admitted from now on, and none that had begun before is at work any more.

    Nothing is stopped, and what Flux does is not touched: it works as well where somebody has suspended a Kustomization.
    """

    house: House
    claim: BackedUpClaim | HeldClaim
    known: Mapping[str, str] = field(default_factory=dict)
    system = "kubernetes"

    @property
    def id(self) -> StepId:
        return StepId(f"hold.now/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"{self.claim.key} held, and no backup of it at work"

    @property
    def sight_s(self) -> float:
        return self.house.limits.restore_s

    @property
    def inputs(self) -> str:
        return f"{self.claim.key} {self.claim.destination} {self.claim.source}"

    def probe(self, look: LookContext) -> Probe:
        there = standing(look.hold, look.claims, self.claim)
        if not there.held or there.entry is None:
            return missing(f"not held: {there.told}")
        if any(look.claims.source(self.claim.namespace, source).running for source in sources_of(self.claim)):
            return changing("held; a backup that had begun before is still at work")
        pin = f"; restore point {there.entry.snapshot_id[:8]} of {there.entry.pin}" if there.entry.pin else ""
        return satisfied(f"{there.told}{pin}; to lift it: {lift_by_hand(self.claim)}")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        there = standing(act.hold, act.claims, self.claim)
        if not there.held:
            act.hold.put(held_anew(there, self.claim, act.clock.now()))
        until_no_mover(act.claims, act.clock, self.claim, self.house.limits.restore_s)
        if isinstance(self.claim, BackedUpClaim) and self.claim.engine == RESTIC:  # no run goes back to another engine's
            self._pin(act, self.claim, notes)

    def _pin(self, act: ActContext, claim: BackedUpClaim, notes: Notes) -> None:
        """Write down what there is to go back to now that no retention runs any more. A claim is held without that as well.

        Only for data that are alive: a restore of those asks for consent, which names the restore point anew.
        """
        there = standing(act.hold, act.claims, claim)
        if there.entry is None or there.way is not Way.HELD_ALIVE or there.entry.pin:
            return
        try:
            audit = audit_sources(act.backups, act.clock, self.house, claim, asked_for(claim, self.known, 0.0))
            point = candidates(audit, 0.0, act.clock.now())[0]
        except BlackstartError as error:
            notes.put("no restore point", error.what)
            return
        if not chosen(audit, point).needs_consent:  # else something newer is left behind, which only a consent may do
            act.hold.put(at_point(there.entry, audit, point))

    def by_hand(self) -> str:
        return record_by_hand({f"state.{self.claim.namespace}.{self.claim.claim}": "held"})


def lift_by_hand(claim: BackedUpClaim | HeldClaim) -> str:
    """The verb that lifts it where nothing has to be restored."""
    return f"invoke dr.release {claim.key} --unproven --reason TEXT"


def steps(house: House, claims: Iterable[BackedUpClaim | HeldClaim], known: Mapping[str, str]) -> Iterator[HoldNow]:
    """One for every claim that was named; `known` maps claims (`source_key`) to the repository ids of the lock file."""
    for claim in claims:
        yield HoldNow(house, claim, known)
