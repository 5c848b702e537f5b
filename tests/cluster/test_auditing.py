"""All claims side by side: one that hangs costs its own verdict alone, and what is told adds up."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.backups.results import Part, RestorePoint, Verdict
from cluster.backups.audit import ClaimAudit
from cluster.backups.auditing import Audited, by_identity, side_by_side
from cluster.backups.reading import Coverage, keep_coverage, parts_for, read_coverage, turns
from engine.errors import PermanentError, SettingsInvalid
from engine.waiting import SystemClock
from engine.workers import Threads
from house.model import BackedUpClaim
from tests.builders import a_claim

NOW = 1_750_000_000.0

CLAIMS = tuple(a_claim(name) for name in ("notes", "photos", "mail", "wiki"))


def ok(claim: BackedUpClaim, identity: str = "") -> ClaimAudit:
    """A good one."""
    point = RestorePoint(identity, "5" * 64, 1.0, "1970-01-01T00:00:01Z", "volsync", ("/data",), (), 1, 1)
    return ClaimAudit(claim, Verdict.OK, identity, point, 1.0, (point,), "fine")


def test_one_that_hangs_is_unreachable_and_holds_up_nobody() -> None:
    never = threading.Event()
    told: list[Audited] = []

    def look(claim: BackedUpClaim) -> ClaimAudit:
        if claim.claim == "photos":
            never.wait(30)
        return ok(claim)

    found = side_by_side(look, CLAIMS, SystemClock(), Threads(), told.append, at_once=2, limit_s=0.2)
    never.set()
    assert [audit.verdict for audit in found] == [Verdict.OK, Verdict.UNREACHABLE, Verdict.OK, Verdict.OK]
    assert "did not answer within 0 s" in found[1].detail
    assert [one.done for one in told] == [1, 2, 3, 4] and {one.of for one in told} == {4} and told[-1].left_s == 0.0


def test_an_error_of_ours_is_unknown_and_a_bug_is_raised() -> None:
    def look(claim: BackedUpClaim) -> ClaimAudit:
        raise PermanentError("the helper is gone") if claim.claim == "notes" else ValueError("a bug")

    told: list[Audited] = []
    found = side_by_side(look, CLAIMS[:1], SystemClock(), Threads(), told.append, at_once=8, limit_s=9)
    assert (found[0].verdict, found[0].detail) == (Verdict.UNKNOWN, "the helper is gone")
    with pytest.raises(ValueError, match="a bug"):
        side_by_side(look, CLAIMS[1:], SystemClock(), Threads(), told.append, at_once=8, limit_s=9)
    assert side_by_side(look, (), SystemClock(), Threads(), told.append, at_once=8, limit_s=9) == []


def test_one_repository_behind_several_claims_is_none_of_theirs_at_whatever_addresses() -> None:
    notes, photos, mail, wiki = CLAIMS
    found = by_identity([ok(notes, "a" * 64), ok(photos, "b" * 64), ok(mail, "a" * 64), ok(wiki)])
    assert [audit.verdict for audit in found] == [Verdict.FOREIGN, Verdict.OK, Verdict.FOREIGN, Verdict.OK]
    assert "apps/mail" in found[0].detail and "apps/notes" in found[2].detail and found[0].told == "foreign"


class TestReadingInTurn:
    def test_every_part_is_read_before_one_is_read_again(self) -> None:
        covered, read = Coverage(), []
        for day in range(8):
            part = covered.next(4)
            covered = covered.with_read(part, 1000.0 + day)
            read.append(part.number)
        assert read == [1, 2, 3, 4, 1, 2, 3, 4]
        assert str(covered) == "all of its data was read since 1970-01-01T00:16:44Z"

    def test_a_part_in_which_something_is_wrong_is_first_the_next_time(self) -> None:
        covered = Coverage(3, {1: 5.0, 3: 7.0})
        assert covered.next(3) == Part(2, 3)
        assert str(covered) == "2 of 3 parts of its data were read since 1970-01-01T00:00:05Z"

    def test_another_division_begins_anew(self) -> None:
        covered = Coverage(3, {1: 5.0, 2: 6.0, 3: 7.0})
        assert covered.next(4) == Part(1, 4)
        assert covered.with_read(Part(1, 4), 9.0) == Coverage(4, {1: 9.0})

    @pytest.mark.parametrize(("stored", "budget", "parts"), [(0, 5, 1), (5, 5, 1), (6, 5, 2), (10**15, 1, 256)])
    def test_parts_fit_the_budget_as_far_as_restic_can_divide(self, stored: int, budget: int, parts: int) -> None:
        assert parts_for(stored, budget) == parts

    @pytest.mark.parametrize("budget", [1, 7, 64, 400, 5000])
    def test_a_budget_is_never_exceeded_and_in_turn_all_is_read(self, budget: int) -> None:
        stored = {"a": 256 * 1, "b": 256 * 6, "c": 256 * 7, "d": 0}
        covered: dict[str, Coverage] = {}
        for day in range(1, 4 * 256):
            now = turns(stored, covered, budget)
            assert now and sum(stored[name] / part.of for name, part in now.items()) <= budget
            for name, part in now.items():
                covered[name] = covered.get(name, Coverage()).with_read(part, float(day))
        fit = {name for name, size in stored.items() if size / 256 <= budget}
        assert {name for name, one in covered.items() if len(one.read) == one.of} == fit

    def test_a_budget_in_which_no_part_fits_is_refused_with_what_would_do(self) -> None:
        with pytest.raises(SettingsInvalid, match="the smallest part of any repository has 4 bytes"):
            turns({"a": 1024, "b": 4096}, {}, 3)

    def test_the_file_only_shortens_and_what_is_no_such_file_is_nothing(self, tmp_path: Path) -> None:
        state = tmp_path / "state"
        assert read_coverage(state, NOW) == {}
        kept = {"a" * 64: Coverage(2, {1: 5.0})}
        keep_coverage(state, kept)
        assert read_coverage(state, NOW) == kept
        large = '{"a": {"of": 2, "read": {"1": 1' + "0" * 400 + "}}}"
        no_numbers = tuple(f'{{"a": {{"of": 2, "read": {{"1": {at}, "2": 5}}}}}}' for at in ("1e999", "NaN", "-1e999"))
        for text in ("", "[]", "{", '{"a": 1}', '{"a": {"of": "x", "read": {}}}', "[" * 100_000, large, *no_numbers):
            (state / "read-coverage.json").write_text(text)
            assert read_coverage(state, NOW) == {}
        (state / "read-coverage.json").write_text('{"a": {"of": 2, "read": {"9": 1, "1": 2}}}')
        assert read_coverage(state, NOW) == {"a": Coverage(2, {1: 2.0})}

    @pytest.mark.parametrize("at", [f"{NOW + 400 * 86400}", "-5"])
    def test_a_part_that_nobody_can_have_read_yet_comes_first(self, tmp_path: Path, at: str) -> None:
        (tmp_path / "read-coverage.json").write_text(f'{{"a": {{"of": 2, "read": {{"1": {at}, "2": 5}}}}}}')
        found = read_coverage(tmp_path, NOW)["a"]
        assert found == Coverage(2, {2: 5.0}) and found.next(2).number == 1


def test_answers_stand_in_the_order_of_the_claims_whatever_ends_first() -> None:
    order = threading.Event()

    def look(claim: BackedUpClaim) -> ClaimAudit:
        if claim.claim == "notes":
            order.wait(5)
        if claim.claim == "wiki":
            order.set()
        return replace(ok(claim), detail=claim.claim)

    found = side_by_side(look, CLAIMS, SystemClock(), Threads(), lambda _: None, at_once=2, limit_s=9)
    assert [audit.detail for audit in found] == ["notes", "photos", "mail", "wiki"]
