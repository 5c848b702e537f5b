"""Choose the restore point of one claim, as a restore would: the newest complete snapshot, looked into down to its trees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.backups.results import Verdict as Look
from adapters.context import ActContext, LookContext
from cluster.backups.audit import TRUSTED
from cluster.backups.sources import audit_sources
from engine.probe import Probe, missing, satisfied
from engine.step import BaseStep, Notes, StepId
from house.model import BackedUpClaim
from recovery.points.choice import asked_for, candidates
from rehearsal.drill import Drill
from rehearsal.judging import failing, refused
from rehearsal.record import Pin, demanded, put_done, put_pin, record_of
from rehearsal.steps.raise_fence import FENCE


@dataclass(frozen=True)
class PinScratch(BaseStep):
    """What is to be restored is written down, or why there is nothing that could be."""

    drill: Drill
    claim: BackedUpClaim
    system = "backups"

    @property
    def id(self) -> StepId:
        return StepId(f"rehearsal.pin/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"restore point of {self.claim.key} chosen"

    @property
    def needs(self) -> tuple[str, ...]:
        return (FENCE,)

    @property
    def inputs(self) -> str:
        return f"{self.drill.run} {self.claim.key}"

    def probe(self, look: LookContext) -> Probe:
        record = record_of(look.drills, self.drill.run)
        done, pin = (record.done(self.claim), record.pin(self.claim)) if record is not None else (None, None)
        if pin is not None:
            return satisfied(f"snapshot {pin.snapshot_id[:8]}")
        return satisfied(f"{done.verdict.value}: {done.reason}") if done is not None else missing("none is chosen yet")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        demanded(act.drills, self.drill.run)
        asked = asked_for(self.claim, self.drill.known, 0.0)
        audit = audit_sources(act.backups, act.clock, self.drill.house, self.claim, asked)
        failed = refused(audit)
        if failed is not None:
            put_done(act.drills, self.claim, failed)
            return
        now = act.clock.now()
        point = candidates(audit, 0.0, now)[0]
        sick = audit.verdict is Look.DAMAGED or any(one.verdict not in TRUSTED for one in audit.passed)
        remark = audit.detail if sick else ""
        size = point.size or 0
        origin = audit.claim.origin
        pin = Pin(audit.repository_id, point.snapshot_id, point.time, size, now, failing(audit), remark, origin)
        put_pin(act.drills, self.claim, pin)

    def by_hand(self) -> str:
        return f"invoke dr.plan --claims {self.claim.key}"


def steps(drill: Drill) -> Iterator[PinScratch]:
    """One for every claim of the drill."""
    for claim in drill.claims:
        yield PinScratch(drill, claim)
