"""An audit of one claim over a backups port that answers what a test says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from adapters.backups.results import (
    WHOLE,
    Changes,
    Depth,
    Examination,
    Part,
    Repository,
    RepositoryLook,
    RestorePoint,
    Verdict,
)
from adapters.volsync.results import Listing
from cluster.backups.audit import Asked, ClaimAudit, audit_claim
from house.model import BackedUpClaim
from lab.world.clock import VirtualClock
from tests.builders import a_claim, a_house

ID = "ab" * 32
NOW = VirtualClock().now()


def point(age_s: float = 3600.0, *, complete: bool = True, size: int | None = 1000) -> RestorePoint:
    """One snapshot of this age."""
    when = NOW - age_s
    return RestorePoint(ID, f"{int(age_s):064x}", when, "2026-01-01T00:00:00Z", "volsync", ("/data",), (), 3, size, complete)


@dataclass
class Seen:
    """A backups port that answers one look."""

    verdict: Verdict
    points: tuple[RestorePoint, ...] = ()
    detail: str = ""
    deep: Examination | None = None
    listed: Listing | None = None
    unread: tuple[tuple[str, float], ...] = ()
    others: dict[str, str] = field(default_factory=dict)

    def look(self, repository: Repository) -> RepositoryLook:
        """See ports.BackupsView."""
        identity = ID if self.points else ""
        return RepositoryLook(repository, self.verdict, identity, self.points, self.detail, unread=self.unread)

    def examine(
        self, repository: Repository, snapshot_id: str, depth: Depth, *, limit_s: float, part: Part = WHOLE
    ) -> Examination:
        """What the test says of this depth, else nothing wrong."""
        found = self.deep or Examination(Verdict.OK, depth)
        return found if found.verdict is not Verdict.OK else replace(found, depth=depth)

    def identity(self, repository: Repository) -> str:
        """Of the repositories at other addresses."""
        return self.others.get(repository.address, "")

    def changes(self, repository: Repository, older: str, newer: str) -> Changes:
        """Not asked by an audit."""
        raise AssertionError

    def listing(self, repository: Repository, snapshot_id: str) -> Listing:
        """Asked where a snapshot does not tell how many files it holds."""
        assert self.listed is not None
        return self.listed

    def hashes(self, repository: Repository, snapshot_id: str, paths: Sequence[str]) -> tuple[tuple[str, str], ...]:
        """Not asked by an audit."""
        raise AssertionError


def audited(seen: Seen, claim: BackedUpClaim | None = None, known: str = "") -> ClaimAudit:
    """The verdict."""
    claim = claim or a_claim()
    return audit_claim(seen, VirtualClock(), a_house(), claim, Asked({claim.key: known} if known else {}))
