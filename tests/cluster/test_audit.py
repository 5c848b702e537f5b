"""The verdict on one claim's backup: what is seen, what the claim requires, and what the lock file knows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.backups.results import (
    Depth,
    Examination,
    Part,
    RepositoryLock,
    Verdict,
)
from adapters.volsync.results import FileEntry, Listing
from cluster.backups.audit import TRUSTED, Asked, ClaimAudit, audit_claim, repository_of
from engine.probe import Condition
from house.model import Requirement
from lab.world.clock import VirtualClock
from tests.builders import a_claim, a_house
from tests.cluster.audits import ID, NOW, Seen, audited, point


def test_the_newest_complete_one_is_what_counts() -> None:
    found = audited(Seen(Verdict.OK, (point(60.0, complete=False), point(3600.0), point(7200.0))))
    assert found.verdict is Verdict.OK
    assert found.newest == point(3600.0)
    assert found.age == 3600.0
    newest = point(3600.0).snapshot_id[:8]
    assert found.detail == f"2 complete snapshots, newest {newest} of 2026-01-01T00:00:00Z, 3 files, 1,000 bytes"


def test_what_the_look_remarks_stays_when_all_is_well() -> None:
    found = audited(Seen(Verdict.OK, (point(),), "2 stale locks"))
    assert found.verdict is Verdict.OK
    assert found.detail.endswith("1,000 bytes; 2 stale locks")
    assert found.probe().detail == f"ok (tree): {found.detail}"
    assert found.detail.count("complete snapshot") == 1


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
    found = audit_claim(seen, VirtualClock(), a_house(), claim, Asked(as_of=NOW - 3600.0))
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
    assert found.remarks == "1 snapshot besides, not of /data: VolSync passes over them"
    none = audited(Seen(Verdict.OK, (stray,)))
    assert (none.verdict, none.points) == (Verdict.EMPTY, ())
    assert "1 snapshot besides, not of /data" in none.detail


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


def test_the_verdict_says_how_deep_it_goes() -> None:
    found = audit_claim(Seen(Verdict.OK, (point(),)), VirtualClock(), a_house(), a_claim(), Asked(depth=Depth.LISTED))
    assert (found.depth, found.told) == (Depth.LISTED, "ok (listed)")
    seen = Seen(Verdict.OK, (point(),), deep=Examination(Verdict.OK, Depth.READ, part=Part(3, 8)))
    part = audit_claim(seen, VirtualClock(), a_house(), a_claim(), Asked(depth=Depth.READ, part=Part(3, 8)))
    assert part.told == "ok (read 3/8)"


def test_damage_that_the_newest_does_not_need_is_red_and_no_obstacle_to_its_restore() -> None:
    points = (point(3600.0), point(7200.0), point(10800.0))
    new, middle, old = (one.snapshot_id for one in points)
    deep = Examination(Verdict.DAMAGED, Depth.TREE, "1 pack of 9 not there: abcd", damaged=(old,), whole=(middle, new))
    found = audited(Seen(Verdict.OK, points, deep=deep))
    assert (found.told, found.damaged, found.verdict in TRUSTED) == ("damaged (tree)", (old,), True)
    assert f"damaged: {old[:8]}; whole: 2 of 3 snapshots" in found.detail and "3 files" in found.detail
    assert found.probe().condition is Condition.DRIFTED and "copy the repository" in found.probe().hint


def test_damage_that_the_newest_needs_names_the_newest_that_is_whole() -> None:
    points = (point(3600.0), point(7200.0), point(10800.0))
    new, middle, old = (one.snapshot_id for one in points)
    deep = Examination(Verdict.UNREADABLE, None, "1 pack of 9 not there: abcd", damaged=(middle, new), whole=(old,))
    found = audited(Seen(Verdict.OK, points, deep=deep))
    assert (found.verdict, found.probe().condition) == (Verdict.UNREADABLE, Condition.MISSING)
    assert found.hint.startswith(f"snapshot {old[:8]} is whole: --as-of {points[2].pin}")
    assert f"damaged: {new[:8]}, {middle[:8]}; whole: 1 of 3 snapshots" in found.detail


def test_an_older_one_is_spoken_of_only_where_there_is_one_that_may_do() -> None:
    alone, two, three = (tuple(point(hour * 3600.0) for hour in range(1, count + 1)) for count in (1, 2, 3))
    broken = Examination(Verdict.UNREADABLE, None, "index 12 is gone")
    spoken = "older snapshots may be whole (--as-of)"
    for points, deep, said in (
        (alone, broken, False),
        (alone, replace(broken, damaged=(alone[0].snapshot_id,)), False),
        (two, broken, True),
        (two, replace(broken, damaged=tuple(one.snapshot_id for one in two)), False),
        (three, replace(broken, damaged=tuple(one.snapshot_id for one in two)), True),  # nobody looked at the third
        ((*alone, replace(two[1], complete=False)), broken, False),
    ):
        assert (spoken in audited(Seen(Verdict.OK, points, deep=deep)).helps) is said, (points, deep)
    claim = replace(a_claim(), requirement=Requirement(True, 0.0, 10))
    for points, said in (
        ((point(size=5),), ""),
        ((point(size=5), point(7200.0, size=5)), ""),
        ((replace(point(), files=0), replace(point(7200.0), files=0)), ""),
        ((point(size=5), replace(point(7200.0), complete=False)), ""),
        ((point(size=5), point(7200.0, size=5), replace(point(10800.0), pin="2026-01-01T03:00:00Z")), "2026-01-01T03:00:00Z"),
    ):
        found = audited(Seen(Verdict.OK, points), claim)
        assert found.verdict is Verdict.EMPTY
        assert ("--as-of" in found.probe().hint) is bool(said) and found.helps.endswith(said and f"--as-of {said}")
    assert "--as-of" not in audited(Seen(Verdict.EMPTY, detail="no snapshots")).helps


def test_what_is_damaged_and_empty_is_empty_and_what_is_damaged_and_old_says_both() -> None:
    deep = Examination(Verdict.DAMAGED, Depth.TREE, "1 pack of 9 not there", whole=("1" * 64,))
    claim = replace(a_claim(), requirement=Requirement(True, 60.0, 10))
    assert audited(Seen(Verdict.OK, (point(size=5),), deep=deep), claim).verdict is Verdict.EMPTY
    found = audited(Seen(Verdict.OK, (point(),), deep=deep), claim)
    assert found.verdict is Verdict.DAMAGED and "no snapshot needs it" in found.detail and "older than 60 s" in found.detail


@pytest.mark.parametrize("verdict", [Verdict.UNREADABLE, Verdict.UNREACHABLE, Verdict.REFUSED, Verdict.UNKNOWN])
def test_what_a_deeper_look_finds_is_the_verdict_however_good_the_list_is(verdict: Verdict) -> None:
    found = audited(Seen(Verdict.OK, (point(),), deep=Examination(verdict, None, "2 packs of 7 not there")))
    assert (found.verdict, found.depth, found.told) == (verdict, None, verdict.value)
    assert "2 packs of 7 not there" in found.detail


@pytest.mark.parametrize(("age_s", "condition"), [(60.0, Condition.CHANGING), (3600.0, Condition.MISSING)])
def test_a_lock_that_keeps_every_mover_out_is_waited_for_while_it_is_young(age_s: float, condition: Condition) -> None:
    lock = RepositoryLock("fe" * 32, NOW - age_s, "root on mover-1, process 1")
    found = audited(Seen(Verdict.OK, (point(),), deep=Examination(Verdict.OK, Depth.TREE, locks=(lock,))))
    assert (found.verdict, found.probe().condition) == (Verdict.LOCKED, condition)
    assert "locked exclusively by root on mover-1, process 1 since" in found.detail and "invoke dr.unlock apps/notes" in found.hint


def test_garbage_in_the_place_of_a_lock_is_never_waited_for() -> None:
    lock = RepositoryLock("fe" * 32, 0.0, "", garbage=True)
    found = audited(Seen(Verdict.OK, (point(),), deep=Examination(Verdict.OK, Depth.TREE, locks=(lock,))))
    assert found.probe().condition is Condition.MISSING and "invoke dr.unlock" in found.hint


def test_what_is_dated_in_the_future_never_counts_loudly() -> None:
    ahead = point(-400.0)
    found = audited(Seen(Verdict.OK, (ahead, point(30 * 86400.0))), a_claim(requirement=Requirement(True, 3600.0, 0)))
    assert (found.verdict, found.newest) == (Verdict.EXPIRED, point(30 * 86400.0))
    assert "1 snapshot dated in the future" in found.detail and found.left[0].snapshot_id == ahead.snapshot_id
    assert audited(Seen(Verdict.OK, (ahead,))).verdict is Verdict.EMPTY
    skewed = audited(Seen(Verdict.OK, (point(-200.0),)))
    assert (skewed.verdict, skewed.age) == (Verdict.OK, 0.0), "a clock may be a few minutes ahead"


def test_another_host_s_newest_is_remarked_on_and_not_chosen() -> None:
    stranger = replace(point(60.0), hostname="neighbour")
    found = audited(Seen(Verdict.OK, (stranger, point())))
    assert (found.verdict, found.newest) == (Verdict.OK, point())
    assert "1 snapshot of another host (neighbour), the newest of all among them" in found.remarks
    alone = audited(Seen(Verdict.OK, (stranger,)))
    assert (alone.verdict, alone.newest) == (Verdict.OK, stranger), "where VolSync made none, whoever did is at home"


def test_of_two_in_one_second_only_the_later_counts_for_no_mover_can_take_the_other() -> None:
    later, earlier = replace(point(), time=NOW - 3600.2, complete=False), replace(point(), snapshot_id="9" * 64, time=NOW - 3600.8)
    found = audited(Seen(Verdict.OK, (later, earlier, point(7200.0))))
    assert found.newest == point(7200.0)
    assert "1 seconds with more than one snapshot" in found.remarks


def test_a_path_that_the_mover_s_pattern_would_match_is_remarked_on() -> None:
    found = audited(Seen(Verdict.OK, (replace(point(60.0), paths=("/data2",)), point())))
    assert found.newest == point() and "1 of those have /data in their path" in found.remarks


def test_folders_only_and_no_summary_is_empty_when_data_are_required() -> None:
    bare = replace(point(), files=None, size=None)
    listed = Listing((FileEntry("a", "dir", 0, 0o755, 0, 0),), complete=True)
    assert audited(Seen(Verdict.OK, (bare,), listed=listed)).verdict is Verdict.EMPTY
    filled = Listing((*listed.entries, FileEntry("a/b", "file", 7, 0o644, 0, 0)), complete=True)
    found = audited(Seen(Verdict.OK, (bare,), listed=filled))
    assert found.newest is not None and (found.verdict, found.newest.files, found.newest.size) == (Verdict.OK, 1, 7)
    assert audited(Seen(Verdict.OK, (bare,), listed=Listing((), complete=False, detail="broke off"))).verdict is Verdict.UNREADABLE


def test_one_repository_at_two_addresses_is_known_by_its_id() -> None:
    notes, photos = a_claim(), replace(a_claim("photos"), open_as="/mnt/link-to-notes")
    house = replace(a_house(), claims=(notes, photos))
    seen = Seen(Verdict.OK, (point(),), others={photos.open_as: ID})
    assert audit_claim(seen, VirtualClock(), house, notes).verdict is Verdict.FOREIGN
    assert audit_claim(seen, VirtualClock(), house, notes, Asked({photos.key: "cd" * 32})).verdict is Verdict.OK, "the lock knows"
    locked = Asked({photos.key: ID})
    assert audit_claim(Seen(Verdict.OK, (point(),)), VirtualClock(), house, notes, locked).verdict is Verdict.FOREIGN


def test_a_snapshot_larger_than_the_volume_that_it_would_be_restored_into_is_said_before() -> None:
    small = replace(a_claim(), capacity=999)
    found = audited(Seen(Verdict.OK, (point(),)), small)
    assert (found.verdict, found.probe().condition) == (Verdict.TOO_BIG, Condition.MISSING)
    assert "has 999 bytes" in found.detail
    assert audited(Seen(Verdict.OK, (point(),)), replace(small, capacity=1000)).verdict is Verdict.OK


def test_a_place_s_own_advice_comes_before_the_usual_one() -> None:
    made = ClaimAudit(a_claim(), Verdict.REFUSED, "", None, None, (), "permission denied", hint="the file's owner")
    assert made.probe().hint == "the file's owner"
