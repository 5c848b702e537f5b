"""A drill passes where everything is there: each wall of the fence, each claim, and a planted fault that was caught."""

from __future__ import annotations

import pytest

from adapters.drills.results import FenceWall
from rehearsal.conclusion import judged
from rehearsal.controls import Kind
from rehearsal.drill import Drill
from rehearsal.outcome import CanaryOutcome, ClaimOutcome, Control, DrillVerdict, FencePart
from tests.builders import a_house

CLAIMS = (ClaimOutcome("apps/notes", DrillVerdict.PASS, ""),)
FENCE = tuple(FencePart(wall.value, True, "") for wall in FenceWall)
BACK = CanaryOutcome(DrillVerdict.PASS, "exactly what was written came back", 12.0)
CAUGHT = Control("byte flipped", True, "one file differs")


def a_drill() -> Drill:
    return Drill(a_house(), "run-1", 0.0, (), Kind.BYTE_FLIPPED)


def test_all_of_it_passes() -> None:
    assert judged(a_drill(), CLAIMS, FENCE, CAUGHT, 1.0, BACK).verdict is DrillVerdict.PASS


@pytest.mark.parametrize("control", [
    Control(), Control(came_out="there was nothing to plant into"), Control("byte flipped", False, "nothing differs"),
])  # fmt: skip
def test_without_a_fault_that_was_caught_nothing_has_passed_and_it_says_why(control: Control) -> None:
    outcome = judged(a_drill(), CLAIMS, FENCE, control, 1.0, BACK)
    assert outcome.verdict is DrillVerdict.UNVERIFIED
    assert outcome.reasons and (control.came_out or "no control was planted") in outcome.reasons[0]


@pytest.mark.parametrize("missing", range(len(FENCE)))
def test_without_one_wall_nothing_has_passed(missing: int) -> None:
    outcome = judged(a_drill(), CLAIMS, FENCE[:missing] + FENCE[missing + 1 :], CAUGHT, 1.0, BACK)
    assert outcome.verdict is DrillVerdict.UNVERIFIED and FENCE[missing].name in outcome.reasons[0]


@pytest.mark.parametrize("verdict", [DrillVerdict.FAIL, DrillVerdict.UNVERIFIED])
def test_a_canary_that_did_not_come_back_is_the_drills_verdict(verdict: DrillVerdict) -> None:
    outcome = judged(a_drill(), CLAIMS, FENCE, CAUGHT, 1.0, CanaryOutcome(verdict, "stale"))
    assert (outcome.verdict, outcome.reasons) == (verdict, ("the canary: stale",))


def test_a_stale_canary_says_nothing_where_the_control_slipped_through() -> None:
    slipped = Control("byte flipped", False, "nothing differs")
    outcome = judged(a_drill(), CLAIMS, FENCE, slipped, 1.0, CanaryOutcome(DrillVerdict.FAIL, "stale"))
    assert outcome.verdict is DrillVerdict.UNVERIFIED


def test_no_claim_at_all_is_no_success() -> None:
    assert judged(a_drill(), (), FENCE, CAUGHT, 1.0, BACK).verdict is DrillVerdict.UNVERIFIED
