"""See one backup of the real data made and complete after the release: only then is the house as safe as before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.backups.results import RepositoryLook, RestorePoint
from adapters.context import ActContext, LookContext
from cluster.audit import repository_of
from engine.probe import Probe, changing, missing, satisfied, unknown
from engine.step import BaseStep, Notes, StepId
from engine.waiting import pause
from house.model import BackedUpClaim, House
from recovery.record import entry_of

NUDGES = 30
NUDGE_S = 2.0


@dataclass(frozen=True)
class FirstBackup(BaseStep):
    """A complete snapshot in the same repository, newer than the pin's restore, with as many files as came back."""

    house: House
    claim: BackedUpClaim
    system = "volsync"

    @property
    def id(self) -> StepId:
        return StepId(f"recovery.first-backup/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"{self.claim.key} backed up again"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"recovery.release/{self.claim.key}",)

    @property
    def ready_s(self) -> float:
        return self.house.limits.restore_s

    @property
    def inputs(self) -> str:
        return self.claim.key

    def probe(self, look: LookContext) -> Probe:
        entry = entry_of(look.hold, self.claim)
        if entry is None:
            return unknown("not in the hold's record")
        source = look.claims.source(self.claim.namespace, self.claim.source)
        if not source.present:
            return changing(f"ReplicationSource {self.claim.source} is not there")
        seen = look.backups.look(repository_of(self.house, self.claim))
        if entry.repository_id and seen.repository_id != entry.repository_id:
            return unknown(f"the repository could not be seen: {seen.verdict.value}", seen.detail)
        point = after_pin(seen, entry.snapshot_id, entry.since)
        if point is not None:
            return satisfied(f"snapshot {point.snapshot_id[:8]} of {point.pin}, {point.files} files")
        if source.running:
            return changing("VolSync is backing up")
        return missing("no backup since the restore", source.condition)

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        for _ in range(NUDGES):
            act.claims.nudge("ReplicationSource", self.claim.namespace, self.claim.source)
            pause(act.clock, NUDGE_S)
            state = act.claims.source(self.claim.namespace, self.claim.source)
            if state.running or state.result:
                return

    def by_hand(self) -> str:
        return f"kubectl -n {self.claim.namespace} get replicationsource {self.claim.source} -o yaml   # lastSyncTime, result"


def after_pin(seen: RepositoryLook, snapshot_id: str, since: float) -> RestorePoint | None:
    """The newest complete snapshot made after the claim was held and other than the pinned one, with some file in it."""
    for point in seen.points:
        if point.complete and point.snapshot_id != snapshot_id and point.time >= since and point.files != 0:
            return point
    return None


def steps(house: House, claims: tuple[BackedUpClaim, ...]) -> Iterator[FirstBackup]:
    """One for every claim to restore."""
    for claim in claims:
        yield FirstBackup(house, claim)
