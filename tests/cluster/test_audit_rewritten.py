"""The verdict on a backup whose snapshots were made from others: mended, rewritten, tagged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.backups.results import (
    Depth,
    RestorePoint,
    Verdict,
)
from adapters.volsync.results import FileEntry, Listing
from cluster.backups.audit import Asked, audit_claim
from lab.world.clock import VirtualClock
from recovery.points.choice import newer
from tests.builders import a_claim, a_house
from tests.cluster.audits import NOW, Seen, point


def _mended(age_s: float = 3600.0, size: int | None = 1000) -> RestorePoint:
    return replace(point(age_s, size=size), original="c6c339f1" * 8)


def _list(*sizes: int) -> Listing:
    return Listing(tuple(FileEntry(f"f{n}", "file", size, 0o644, 0, 0) for n, size in enumerate(sizes)), complete=True)


@pytest.mark.parametrize(
    ("sizes", "gone"), [((500, 400, 0), "100 bytes"), ((500, 500), "1 file"), ((), "3 files and 1,000 bytes")]
)
def test_a_snapshot_that_was_mended_and_holds_less_than_was_backed_up_is_partial(sizes: tuple[int, ...], gone: str) -> None:
    mended, older = _mended(), point(7200.0)
    found = audit_claim(Seen(Verdict.OK, (mended, older), listed=_list(*sizes)), VirtualClock(), a_house(), a_claim())
    assert (found.verdict, found.newest, [p.complete for p in found.points]) == (Verdict.OK, older, [False, True])
    assert f"{mended.snapshot_id[:8]} is mended from c6c339f1, {gone} gone" in found.remarks
    assert "c6c339f1" in newer(found, older)[0].why
    alone = audit_claim(Seen(Verdict.OK, (mended,), listed=_list(*sizes)), VirtualClock(), a_house(), a_claim())
    assert (alone.verdict, alone.newest) == (Verdict.EMPTY, None) and "none complete" in alone.detail and gone in alone.detail


def test_all_that_were_mended_are_passed_over_also_where_a_time_is_asked_for() -> None:
    points = (point(60.0), _mended(3600.0), _mended(7200.0), point(9000.0))
    found = audit_claim(Seen(Verdict.OK, points, listed=_list(1)), VirtualClock(), a_house(), a_claim(), Asked(as_of=NOW - 3000))
    assert (found.newest, [p.complete for p in found.points]) == (points[3], [True, False, False, True])


def test_one_that_was_rewritten_and_holds_what_its_summary_says_is_a_remark() -> None:
    rewritten = _mended()
    found = audit_claim(Seen(Verdict.OK, (rewritten,), listed=_list(500, 400, 100)), VirtualClock(), a_house(), a_claim())
    assert (found.verdict, found.newest) == (Verdict.OK, rewritten)
    assert "rewritten from c6c339f1" in found.remarks


def test_one_that_was_rewritten_without_a_summary_is_said_to_be_unknown_in_that() -> None:
    bare = replace(_mended(size=None), files=None)
    found = audit_claim(Seen(Verdict.OK, (bare,), listed=_list(500)), VirtualClock(), a_house(), a_claim())
    assert found.verdict is Verdict.OK and "nothing tells how much that held" in found.remarks


def test_where_no_folder_is_read_a_rewritten_one_is_said_to_be_unweighed() -> None:
    found = audit_claim(Seen(Verdict.OK, (_mended(),)), VirtualClock(), a_house(), a_claim(), Asked(depth=Depth.LISTED))
    assert found.verdict is Verdict.OK and "not compared with what was backed up" in found.remarks


def test_a_rewritten_one_whose_list_breaks_off_is_not_ok() -> None:
    listed = Listing((), complete=False, detail="tree 12 is in no index")
    found = audit_claim(Seen(Verdict.OK, (_mended(),), listed=listed), VirtualClock(), a_house(), a_claim())
    assert found.verdict is Verdict.UNREADABLE
