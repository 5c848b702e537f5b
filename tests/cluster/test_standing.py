"""Where a claim is on its way through the hold, by its entry and by the claim as it is now."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.hold.results import HeldClaim, HoldState
from adapters.volsync.results import ClaimPhase, ClaimState
from cluster.hold.standing import Way, let_go, way

HELD = HeldClaim("apps", "notes", HoldState.HELD, "notes-bootstrap", "notes", since=500.0)
ABSENT = ClaimState("apps", "notes", ClaimPhase.ABSENT, "", "", "")
PENDING = ClaimState("apps", "notes", ClaimPhase.PENDING, "first", "", "", created=900.0)
BOUND = replace(PENDING, phase=ClaimPhase.BOUND)
LATER = replace(BOUND, uid="second", created=9e6)
AT = 1000.0


@pytest.mark.parametrize("state", [HoldState.RELEASED, HoldState.ACCEPTED_EMPTY])
@pytest.mark.parametrize("phase", [ClaimPhase.PENDING, ClaimPhase.BOUND])
def test_what_was_let_go_while_it_was_not_there_is_no_later_claim(state: HoldState, phase: ClaimPhase) -> None:
    entry = let_go(HELD, state, ABSENT, AT)
    for uid, created in (("first", 1001.0), ("second", 9e6)):
        assert way(entry, replace(BOUND, phase=phase, uid=uid, created=created)) is Way.LOST
    assert way(entry, ABSENT) is Way.LOST


@pytest.mark.parametrize("phase", [ClaimPhase.PENDING, ClaimPhase.BOUND])
def test_an_entry_that_an_older_version_let_go_while_absent_is_no_later_claim_either(phase: ClaimPhase) -> None:
    entry = replace(HELD, state=HoldState.RELEASED, released=AT, uid="", filling=True)
    assert way(entry, replace(LATER, phase=phase)) is Way.LOST


@pytest.mark.parametrize(("created", "expected"), [(AT, Way.THROUGH), (AT + 1, Way.LOST), (0.0, Way.LOST)])
def test_an_entry_without_a_uid_is_of_a_living_claim_that_is_known_to_be_older(created: float, expected: Way) -> None:
    entry = replace(HELD, state=HoldState.RELEASED, released=AT, uid="")
    assert way(entry, replace(BOUND, created=created)) is expected


@pytest.mark.parametrize("state", [HoldState.RELEASED, HoldState.ACCEPTED_EMPTY])
def test_what_was_let_go_while_it_waited_is_through_by_its_uid(state: HoldState) -> None:
    entry = let_go(HELD, state, PENDING, AT)
    assert (entry.uid, entry.filling) == ("first", True)
    assert [way(entry, now) for now in (PENDING, BOUND)] == [Way.THROUGH, Way.THROUGH]
    assert [way(entry, now) for now in (LATER, replace(LATER, phase=ClaimPhase.PENDING), ABSENT)] == [Way.LOST] * 3


def test_what_was_let_go_with_its_volume_and_has_none_now_is_lost() -> None:
    entry = let_go(HELD, HoldState.RELEASED, BOUND, AT)
    assert (way(entry, BOUND), way(entry, PENDING), way(entry, replace(BOUND, deleting=True))) == (Way.THROUGH, Way.LOST, Way.LOST)
