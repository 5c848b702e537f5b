"""Whether every required claim's backup opens and holds what it must, before anything is made or destroyed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from adapters.context import LookContext
from cluster.audit import audit_claim
from cluster.by_hand import restic_by_hand
from engine.probe import Probe
from engine.step import BaseCheck, Severity, StepId
from house.model import BackedUpClaim, House


@dataclass(frozen=True)
class Backup(BaseCheck):
    """One claim's repository; blocking when the claim is required or the lock file knows a repository for it."""

    house: House
    claim: BackedUpClaim
    known_id: str = ""

    @property
    def id(self) -> StepId:
        return StepId(f"preflight.backup/{self.claim.key}")

    @property
    def title(self) -> str:
        return f"backup of {self.claim.key}"

    @property
    def severity(self) -> Severity:
        known = self.claim.requirement.required or self.known_id
        return Severity.BLOCKING if known else Severity.ADVISORY

    def probe(self, look: LookContext) -> Probe:
        return audit_claim(look.backups, look.clock, self.house, self.claim, self.known_id).probe()

    def by_hand(self) -> str:
        return f"{restic_by_hand(self.claim, 'snapshots')}   # the newest is as young as it should be"


def checks(house: House, claims: tuple[BackedUpClaim, ...], known: Mapping[str, str]) -> Iterator[Backup]:
    """One for every claim; `known` maps claim keys to the repository ids of the lock file."""
    for claim in claims:
        yield Backup(house, claim, known.get(claim.key, ""))
