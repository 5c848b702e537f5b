"""What going back to a restore point leaves behind is named, readable or not, and what changed since the one before it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.backups.results import RestorePoint, Verdict
from cluster.backups.audit import ClaimAudit, repository_of
from cluster.backups.counting import LeftBehind
from engine.errors import PermanentError
from recovery.course import course
from recovery.points.choice import candidates, chosen, compared, newer, preflight_of
from tests.builders import a_claim, a_house
from tests.recovery.conftest import Restoring
from tests.scenario.running import DATA

NOW = 1_800_000_000.0


def point(age_s: float, *, complete: bool = True) -> RestorePoint:
    """One snapshot of this age."""
    return RestorePoint("ab" * 32, f"{int(age_s):064d}"[::-1], NOW - age_s, "then", "volsync", ("/data",), (), 3, 9, complete)


def audit(*points: RestorePoint, left: tuple[LeftBehind, ...] = ()) -> ClaimAudit:
    """A trusted one."""
    newest = next((p for p in points if p.complete), None)
    return ClaimAudit(a_claim(), Verdict.OK, "ab" * 32, newest, 1.0, points, "fine", left=left)


def test_partial_unreadable_foreign_and_future_ones_are_left_behind_by_name() -> None:
    left = (
        LeftBehind("a1" * 32, NOW - 50, "cannot be read"),
        LeftBehind("b2" * 32, NOW + 9e8, "dated 2038-01-01T00:00:00Z, which is yet to come"),
        LeftBehind("c3" * 32, NOW - 40, "made by host neighbour, not by volsync"),
        LeftBehind("d4" * 32, NOW - 30, "not of /data"),
        LeftBehind("e5" * 32, NOW - 900, "cannot be read"),
    )
    found = audit(point(100, complete=False), point(500), left=left)
    told = chosen(found, point(500)).words
    assert told[0] == f"snapshot {point(500).snapshot_id[:8]} of then"
    assert "newer snapshots may be forgotten by the first backup" in told[1]
    for one in (left[0], left[1], left[2]):
        assert str(one) in told[1]
    assert "far smaller than those before it" in told[1]
    assert "d4d4d4d4" not in told[1] and "e5e5e5e5" not in told[1]
    assert newer(found, point(500))[0].why.startswith("dated")


def test_nothing_newer_is_one_line_and_needs_no_consent() -> None:
    assert not chosen(audit(point(100), point(500)), point(100)).needs_consent


def test_one_whose_time_nobody_knows_may_be_newer() -> None:
    assert newer(audit(point(100), left=(LeftBehind("a1" * 32, 0.0, "cannot be read"),)), point(100))


def test_a_time_to_come_chooses_nothing_of_the_future() -> None:
    ahead = replace(point(100), time=NOW + 9e8)
    assert candidates(audit(ahead, point(500)), NOW + 1e9, NOW) == (point(500),)
    with pytest.raises(PermanentError):
        candidates(audit(ahead), 0.0, NOW)


def test_what_vanished_and_changed_is_told_against_the_complete_one_before(held: Restoring) -> None:
    (address,) = held.home.store.repositories
    held.home.store.back_up(address, DATA[:1], held.clock.now() - 60)
    seen = held.home.look().backups.look(repository_of(held.house, held.house.claims[0]))
    made = audit(*seen.points)
    told = compared(held.home.look().backups, held.house, made, seen.points[0])
    assert f"1 vanished ({DATA[1].path}), 0 changed, 0 added" in told
    assert compared(held.home.look().backups, held.house, made, seen.points[-1]) == ""


def test_a_damaged_backup_stops_its_own_claim_alone() -> None:
    notes, photos = a_claim(), a_claim("photos")
    graph = course(replace(a_house(), claims=(notes, photos)), (notes, photos)).graph()
    needed = set(graph.needs(next(item.id for item in graph if item.id == "recovery.pin/apps/notes")))
    assert "preflight.backup/apps/notes" in needed and "preflight.backup/apps/photos" not in needed
    mine = (
        "preflight.backup", "preflight.destination", "preflight.snapshot-class", "preflight.mount", "storage.source",
        "storage.under", "recovery.survivor",
    )  # fmt: skip
    assert set(preflight_of(notes)) == {f"if-any:{check}/apps/notes" for check in mine}
