"""Whether every required claim's backup opens and holds what it must, before anything is made or destroyed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from adapters.backups.results import Depth, Verdict
from adapters.context import LookContext
from cluster.backups.audit import Asked
from cluster.backups.sources import audit_sources
from cluster.by_hand import restic_by_hand
from cluster.storage.nas.uses import started
from engine.probe import Probe, satisfied
from engine.step import BaseCheck, Severity, StepId
from engine.text.lengths import duration, span
from house.model import BackedUpClaim, House


@dataclass(frozen=True)
class Backup(BaseCheck):
    """One claim's repository, looked into down to the trees of what would be restored.

    Blocking when the claim is required or the lock file knows a repository for it, unless `stops` is False: where the hold
    keeps the claim safe, a damaged backup is told, and what does not need it goes on.
    """

    house: House
    claim: BackedUpClaim
    known: Mapping[str, str] = field(default_factory=dict)
    as_of: float = 0.0
    stops: bool = True

    @property
    def id(self) -> StepId:
        return StepId(f"preflight.backup/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"backup of {self.claim.key}"

    @property
    def needs(self) -> tuple[str, ...]:
        return started(self.house, self.claim)

    @property
    def severity(self) -> Severity:
        known = self.claim.requirement.required or any(place.source_key in self.known for place in self.claim.sources)
        return Severity.BLOCKING if known and self.stops else Severity.ADVISORY

    def probe(self, look: LookContext) -> Probe:
        audit = audit_sources(look.backups, look.clock, self.house, self.claim, Asked(self.known, self.as_of))
        if audit.verdict in (Verdict.EXPIRED, Verdict.DAMAGED):
            # A house that was down for two days has no backup of yesterday. That must not keep it down: see BackupAge.
            # Nor must a lost pack that what is restored does not need: it is said here, and is red in an audit.
            return satisfied(f"{audit.told}: {audit.detail}")
        return audit.probe()

    def by_hand(self) -> str:
        return f"{restic_by_hand(self.claim, 'snapshots')} && {restic_by_hand(self.claim, 'check')}   # the newest, and no errors"


@dataclass(frozen=True)
class BackupAge(BaseCheck):
    """The newest snapshot is as young as the claim wants it; stops nothing."""

    house: House
    claim: BackedUpClaim
    severity = Severity.ADVISORY

    @property
    def id(self) -> StepId:
        return StepId(f"preflight.backup-age/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"backup of {self.claim.key} is young enough"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"preflight.backup/{self.claim.key}",)

    def probe(self, look: LookContext) -> Probe:
        audit = audit_sources(look.backups, look.clock, self.house, self.claim, Asked(depth=Depth.LISTED, alone=True))
        if audit.verdict in (Verdict.EXPIRED, Verdict.UNREACHABLE, Verdict.UNKNOWN):
            return audit.probe()
        if audit.verdict is Verdict.DAMAGED and audit.age is not None and audit.age > self.claim.requirement.max_age:
            return audit.probe()
        if audit.age is None:
            return satisfied(f"there is none whose age could be told: {audit.verdict.value}")
        return satisfied(f"{span(audit.age)} old")

    def by_hand(self) -> str:
        return f"{restic_by_hand(self.claim, 'snapshots --latest 1')}   # not older than {duration(self.claim.requirement.max_age)}"


def checks(
    house: House, claims: tuple[BackedUpClaim, ...], known: Mapping[str, str], as_of: float = 0.0, *, stops: bool = True
) -> Iterator[Backup | BackupAge]:
    """For every claim its repository, and where the claim says how old the newest may be, its age.

    `known` maps claim keys to the repository ids of the lock file. With `as_of` (seconds since the epoch) the snapshot of that
    time is judged, and its age is what somebody wants. `stops` False: none of them blocks (see Backup).
    """
    for claim in claims:
        yield Backup(house, claim, known, as_of, stops)
        if claim.requirement.max_age and not as_of:
            yield BackupAge(house, claim)
