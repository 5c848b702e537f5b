"""The verdict on one claim's backup: what is seen, what the claim requires, and what the lock file knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from adapters.backups.results import Repository, RepositoryLook, RestorePoint, Verdict
from adapters.volsync.results import Listing
from cluster.audit import ClaimAudit, audit_claim, repository_of
from engine.probe import Condition
from house.model import BackedUpClaim, Requirement
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

    def look(self, repository: Repository) -> RepositoryLook:
        """See ports.BackupsView."""
        return RepositoryLook(repository, self.verdict, ID if self.points else "", self.points, self.detail)

    def listing(self, repository: Repository, snapshot_id: str) -> Listing:
        """Not asked by an audit."""
        raise AssertionError

    def hashes(self, repository: Repository, snapshot_id: str, paths: Sequence[str]) -> tuple[tuple[str, str], ...]:
        """Not asked by an audit."""
        raise AssertionError


def audited(seen: Seen, claim: BackedUpClaim | None = None, known: str = "") -> ClaimAudit:
    """The verdict."""
    return audit_claim(seen, VirtualClock(), a_house(), claim or a_claim(), known)


def test_the_newest_complete_one_is_what_counts() -> None:
    found = audited(Seen(Verdict.OK, (point(60.0, complete=False), point(3600.0), point(7200.0))))
    assert found.verdict is Verdict.OK
    assert found.newest == point(3600.0)
    assert found.age == 3600.0
    newest = point(3600.0).snapshot_id[:8]
    assert found.detail == f"2 complete snapshots, newest {newest} of 2026-01-01T00:00:00Z, 3 files, 1000 bytes"


def test_what_the_look_remarks_stays_when_all_is_well() -> None:
    found = audited(Seen(Verdict.OK, (point(),), "2 stale locks"))
    assert found.verdict is Verdict.OK
    assert found.detail.endswith("1000 bytes; 2 stale locks")
    assert found.probe().detail == found.detail
    assert found.detail.count("complete snapshots") == 1


def test_a_size_that_nobody_wrote_is_unknown_and_satisfies_no_minimum() -> None:
    assert "unknown bytes" in audited(Seen(Verdict.OK, (point(size=None),))).detail
    claim = a_claim(requirement=Requirement(True, 0.0, 1))
    found = audited(Seen(Verdict.OK, (point(size=None),)), claim)
    assert (found.verdict, found.probe().condition) == (Verdict.UNKNOWN, Condition.UNKNOWN)


def test_a_newest_one_without_any_file_is_empty_unless_that_may_be() -> None:
    empty = replace(point(), files=0)
    assert audited(Seen(Verdict.OK, (empty,)), a_claim(requirement=Requirement(True, 0.0, 0))).verdict is Verdict.EMPTY
    assert audited(Seen(Verdict.OK, (empty,)), a_claim(requirement=Requirement(False, 0.0, 0))).verdict is Verdict.OK


def test_as_of_judges_the_one_of_that_time_and_not_its_age() -> None:
    claim = a_claim(requirement=Requirement(True, 100.0, 500))
    poisoned, good = point(60.0, size=8), point(7200.0)
    seen = Seen(Verdict.OK, (poisoned, good))
    assert audited(seen, claim).verdict is Verdict.EMPTY
    found = audit_claim(seen, VirtualClock(), a_house(), claim, as_of=NOW - 3600.0)
    assert (found.verdict, found.newest) == (Verdict.OK, good)


def test_none_complete_is_empty() -> None:
    assert audited(Seen(Verdict.OK, (point(complete=False),))).verdict is Verdict.EMPTY


def test_too_old_is_expired() -> None:
    claim = a_claim(requirement=Requirement(True, 3599.0, 0))
    found = audited(Seen(Verdict.OK, (point(),)), claim)
    assert (found.verdict, found.probe().condition) == (Verdict.EXPIRED, Condition.DRIFTED)


def test_what_is_too_old_and_too_little_is_too_little() -> None:
    claim = a_claim(requirement=Requirement(True, 3599.0, 500))
    assert audited(Seen(Verdict.OK, (point(size=8),)), claim).verdict is Verdict.EMPTY
    assert audited(Seen(Verdict.OK, (replace(point(), files=0),)), claim).verdict is Verdict.EMPTY
    assert audited(Seen(Verdict.OK, (point(size=None),)), claim).verdict is Verdict.UNKNOWN


def test_another_repository_than_the_lock_knows_is_foreign_however_good_it_looks() -> None:
    assert audited(Seen(Verdict.OK, (point(),)), known=ID).verdict is Verdict.OK
    found = audited(Seen(Verdict.OK, (point(),)), known="cd" * 32)
    assert found.verdict is Verdict.FOREIGN
    assert "known so far as cdcdcdcd" in found.detail


def test_a_repository_of_two_claims_is_neither_s_however_good_it_looks() -> None:
    notes, photos = a_claim(), replace(a_claim("photos"), open_as=f"{a_claim().open_as}/")
    house = replace(a_house(), claims=(notes, photos))
    for claim, other in ((notes, "apps/photos"), (photos, "apps/notes")):
        found = audit_claim(Seen(Verdict.OK, (point(),)), VirtualClock(), house, claim)
        assert (found.verdict, other in found.detail) == (Verdict.FOREIGN, True)
        assert audit_claim(Seen(Verdict.MISSING), VirtualClock(), house, claim).verdict is Verdict.MISSING


def test_what_the_mover_would_pass_over_is_no_restore_point() -> None:
    stray = replace(point(60.0), paths=("/home/me",))
    found = audited(Seen(Verdict.OK, (stray, point())))
    assert (found.verdict, found.newest, found.points) == (Verdict.OK, point(), (point(),))
    assert found.remarks == "1 snapshots besides, not of /data: VolSync passes over them"
    none = audited(Seen(Verdict.OK, (stray,)))
    assert (none.verdict, none.points) == (Verdict.EMPTY, ())
    assert "1 snapshots besides, not of /data" in none.detail


def test_missing_where_the_lock_knows_something_says_so() -> None:
    found = audited(Seen(Verdict.MISSING, detail="nothing is there"), known=ID)
    assert found.verdict is Verdict.MISSING
    assert "the lock file knows repository abababab here" in found.detail


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_has_its_own_answer_and_only_ok_is_yes(verdict: Verdict) -> None:
    answer = audited(Seen(verdict, (point(),) if verdict is Verdict.OK else (), "what was seen")).probe()
    unseen = (Verdict.UNKNOWN, Verdict.UNREACHABLE)
    assert (answer.condition is Condition.SATISFIED) == (verdict is Verdict.OK)
    assert (answer.condition is Condition.UNKNOWN) == (verdict in unseen)
    named = verdict in (Verdict.MISSING, Verdict.UNKNOWN) or answer.detail.startswith(f"{verdict.value}: ")
    assert verdict is Verdict.OK or named, "a condition alone does not tell which verdict it was"


def test_a_place_that_no_rule_opens_was_not_looked_at() -> None:
    claim = a_claim(open_as="")
    found = audited(Seen(Verdict.OK, (point(),)), claim)
    assert (found.verdict, found.probe().condition) == (Verdict.UNKNOWN, Condition.UNKNOWN)
    assert claim.mover_repository in found.detail


def test_the_repository_is_opened_as_the_settings_say() -> None:
    claim = replace(a_claim(), open_as="/mnt/backups/notes")
    assert repository_of(a_house(), claim).address == "/mnt/backups/notes"


@pytest.mark.parametrize("verdict", [v for v in Verdict if v not in (Verdict.OK, Verdict.UNKNOWN)])
def test_what_helps_is_the_hint_and_what_was_seen_is_the_evidence(verdict: Verdict) -> None:
    probe = ClaimAudit(a_claim(), verdict, "", None, None, (), "as seen").probe()
    assert probe.hint
    assert probe.evidence == (a_claim().open_as,)
