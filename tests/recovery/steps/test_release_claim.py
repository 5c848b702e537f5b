"""recovery.release: backups may be written again, and our pin is off the destination."""

from __future__ import annotations

from adapters.hold.results import HoldState
from engine.probe import Condition
from tests.hands import do, see
from tests.recovery.conftest import Restoring

STEP = "recovery.release/apps/notes"


def test_held_and_proven_are_not_released(held: Restoring) -> None:
    for state in (HoldState.HELD, HoldState.PROVEN):
        held.entry_says(state=state)
        seen = see(held, held.restore, STEP)
        assert (seen.condition, seen.detail) == (Condition.MISSING, f"still {state.value}")


def test_a_release_takes_the_pin_off(held: Restoring) -> None:
    held.up_to("pin", "restore", "prove", "populate")
    do(held, held.restore, STEP)
    assert held.entry.state is HoldState.RELEASED
    assert (held.destination.restore_as_of, held.destination.ours) == ("", False)
    assert see(held, held.restore, STEP).condition is Condition.SATISFIED


def test_a_source_that_flux_has_not_made_yet_is_no_reason_to_fail(held: Restoring) -> None:
    held.up_to("pin", "restore", "prove", "populate")
    held.home.kube.objects().sources.clear()
    do(held, held.restore, STEP)
    assert held.entry.state is HoldState.RELEASED


def test_a_release_that_broke_off_before_the_pin_was_off_is_not_done(held: Restoring) -> None:
    held.up_to("pin", "restore", "prove", "populate")
    held.entry_says(state=HoldState.RELEASED, uid=held.home.kube.objects().claims[("apps", "notes")].uid)
    assert "still carries our pin" in see(held, held.restore, STEP).detail
    do(held, held.restore, STEP)
    assert see(held, held.restore, STEP).condition is Condition.SATISFIED


def test_what_was_accepted_empty_stays_so(held: Restoring) -> None:
    claim = held.home.kube.objects().claims[("apps", "notes")]
    claim.bound = True
    held.entry_says(state=HoldState.ACCEPTED_EMPTY, uid=claim.uid)
    assert see(held, held.restore, STEP).detail == "accepted-empty"


def test_without_an_entry_nothing_can_be_said(held: Restoring) -> None:
    held.home.kube.objects().record = {}
    assert see(held, held.restore, STEP).condition is Condition.UNKNOWN
