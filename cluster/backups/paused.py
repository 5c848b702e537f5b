"""What gets no new backup because somebody has paused what makes it, with the age of the newest one that there is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cluster.backups.audit import ClaimAudit
from cluster.databases import ArchiveAudit
from house.data.nouns import Paused
from house.model import House


@dataclass(frozen=True)
class PausedAudit:
    """One that is paused; `age` is its newest backup's in seconds, None where none was seen, or nobody looks at its engine."""

    paused: Paused
    age: float | None

    @property
    def fault(self) -> bool:
        """Whether the settings give no reason for it."""
        return not self.paused.reason


def audit_paused(house: House, claims: Iterable[ClaimAudit], databases: Iterable[ArchiveAudit]) -> tuple[PausedAudit, ...]:
    """Everything of the house that is paused, beside what an audit has found."""
    ages: dict[str, float | None] = {}
    for each in claims:  # of several places the one with the newest
        known = [age for age in (ages.get(each.claim.key), each.age) if age is not None]
        ages[each.claim.key] = min(known, default=None)
    bases = {one.archive.key: one.base_age for one in databases}
    return tuple(
        PausedAudit(one, bases.get(one.key) if "ScheduledBackup" in one.by else ages.get(one.key)) for one in house.data.paused
    )
