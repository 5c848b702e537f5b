"""recovery.restore: VolSync restores exactly the pin, and only its log is believed, never its word "Successful"."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.hold.results import HeldClaim, HoldState
from adapters.volsync.results import DestinationState
from engine.errors import PermanentError
from engine.probe import Condition
from recovery.steps.claims.restore_image import ROUND_S, image_probe
from tests.hands import do, see
from tests.recovery.conftest import Restoring

STEP = "recovery.restore/apps/notes"
ENTRY = HeldClaim("apps", "notes", HoldState.HELD, "notes-bootstrap", "notes", "ab" * 32, "919bc6e7" * 8, "2027-01-15T07:00:00Z")
STATE = DestinationState(
    "apps", "notes-bootstrap", True, ENTRY.pin, True, "restore-1", "restore-1", False, "Successful",
    ("restoring snapshot 919bc6e7 of [/data] at 2027-01-15 07:00:00 by volsync@volsync to .",), "image-1", True,
)  # fmt: skip
WRONG_PASSWORD = ("Fatal: wrong password or no key found",)


def test_the_pin_is_set_and_the_restore_waited_for(held: Restoring) -> None:
    held.up_to("pin")
    assert see(held, held.restore, STEP).condition is Condition.MISSING
    do(held, held.restore, STEP)
    assert (held.destination.restore_as_of, held.destination.ours) == (held.entry.pin, True)
    assert see(held, held.restore, STEP).condition is Condition.SATISFIED


def test_without_a_pin_it_neither_looks_nor_acts(held: Restoring) -> None:
    assert see(held, held.restore, STEP).condition is Condition.UNKNOWN
    with pytest.raises(PermanentError, match="no pinned restore point"):
        do(held, held.restore, STEP)
    assert not held.destination.ours


def test_a_destination_that_flux_has_not_made_is_waited_for(held: Restoring) -> None:
    held.up_to("pin")
    objects = held.home.kube.objects()
    objects.destinations.clear()
    objects.kustomizations["apps/notes"] = replace(objects.kustomizations["apps/notes"], ready=False, reconciling=True)
    assert see(held, held.restore, STEP).condition is Condition.CHANGING


def test_a_destination_that_flux_will_not_make_any_more_is_not_waited_for(held: Restoring) -> None:
    held.up_to("pin")
    objects = held.home.kube.objects()
    objects.destinations.clear()
    made = replace(objects.kustomizations["apps/notes"], ready=True, reconciling=False, commit=objects.flux_commit)
    for state, told in (
        (made, "Flux has applied all of Kustomization apps/notes"),
        (replace(made, ready=False, suspended=True), "is suspended by somebody else"),
    ):
        objects.kustomizations["apps/notes"] = state
        with pytest.raises(PermanentError, match=told):
            see(held, held.restore, STEP)
    objects.kustomizations["apps/notes"] = replace(made, commit="an older one")
    assert see(held, held.restore, STEP).condition is Condition.CHANGING


def test_git_that_sets_another_time_is_a_conflict_that_is_shown(held: Restoring) -> None:
    held.up_to("pin")
    held.destination.restore_as_of = "2020-01-01T00:00:00Z"
    with pytest.raises(PermanentError, match="Git sets restoreAsOf") as conflict:
        see(held, held.restore, STEP)
    assert "Git: 2020-01-01T00:00:00Z" in conflict.value.evidence


class TestOnceItFailed:
    """What failed is told by its name when it happens; a later run restores again, since somebody has mended the cause."""

    def test_an_empty_restore_is_done_again_once_the_mover_looks_at_the_right_place(self, held: Restoring) -> None:
        held.up_to("pin")
        address, held.destination.address = held.destination.address, "misspelt"
        with pytest.raises(PermanentError, match="EMPTY RESTORE: no repository"):
            do(held, held.restore, STEP)
        seen = see(held, held.restore, STEP)
        assert (seen.condition, "EMPTY RESTORE" in seen.detail) == (Condition.MISSING, True)
        held.destination.address = address
        do(held, held.restore, STEP)
        assert see(held, held.restore, STEP).condition is Condition.SATISFIED

    def test_an_image_that_was_refuted_is_made_again(self, held: Restoring) -> None:
        held.up_to("pin", "restore")
        image = held.destination.image
        assert image is not None
        held.entry_says(image=image.name)
        seen = see(held, held.restore, STEP)
        assert (seen.condition, "is not what was backed up" in seen.detail) == (Condition.MISSING, True)
        do(held, held.restore, STEP)
        assert held.destination.image is not image
        assert see(held, held.restore, STEP).condition is Condition.SATISFIED

    def test_an_older_failure_of_the_mover_says_nothing_of_the_restore_that_was_just_begun(self, held: Restoring) -> None:
        held.up_to("pin")
        held.destination.result, held.destination.log = "Failed", WRONG_PASSWORD
        do(held, held.restore, STEP)
        assert see(held, held.restore, STEP).condition is Condition.SATISFIED

    def test_a_mover_that_fails_is_told_when_it_happens_and_waited_for_by_the_next_run(self, held: Restoring) -> None:
        held.up_to("pin")
        delays = held.home.kube.delays
        held.home.kube.delays = replace(delays, restore_s=3000.0)
        held.home.world.after(60.0, "the mover fails", lambda: self.mover_fails(held))
        began = held.clock.monotonic()
        with pytest.raises(PermanentError, match="mover failed") as failed:
            do(held, held.restore, STEP)
        assert failed.value.evidence == WRONG_PASSWORD
        assert held.clock.monotonic() - began < 120
        seen = see(held, held.restore, STEP)
        assert (seen.condition, "VolSync tries again by itself" in seen.detail) == (Condition.MISSING, True)
        held.clock.sleep(600)
        do(held, held.restore, STEP)
        assert (held.destination.runs, see(held, held.restore, STEP).condition) == (1, Condition.SATISFIED)

    def test_a_mover_that_fails_again_with_the_same_words_is_told_after_a_round_of_its_tries(self, held: Restoring) -> None:
        held.up_to("pin")
        held.home.kube.delays = replace(held.home.kube.delays, restore_s=1e6)
        self.mover_fails(held)
        began = held.clock.monotonic()
        with pytest.raises(PermanentError, match="mover failed"):
            do(held, held.restore, STEP)
        assert ROUND_S <= held.clock.monotonic() - began < ROUND_S + 600

    def mover_fails(self, house: Restoring) -> None:
        """The mover has used up its tries: VolSync notes it, and goes on trying."""
        house.destination.result, house.destination.log = "Failed", WRONG_PASSWORD

    def test_a_restore_that_does_not_end_is_told_with_what_volsync_says(self, held: Restoring) -> None:
        held.up_to("pin")
        held.home.kube.delays = replace(held.home.kube.delays, restore_s=1e6)
        with pytest.raises(PermanentError, match="within 7200 s") as failed:
            do(held, held.restore, STEP)
        assert failed.value.evidence == ("SyncInProgress",)


class TestWhatTheLogTells:
    def test_the_pinned_snapshot(self) -> None:
        assert image_probe(STATE, ENTRY).condition is Condition.SATISFIED

    @pytest.mark.parametrize(
        ("log", "named"),
        [
            (("=== Initialize Dir ===", "created restic repository 12ab at s3:…"), "EMPTY RESTORE: no repository"),
            (("No eligible snapshots found", "No data will be restored"), "EMPTY RESTORE: VolSync found no snapshot"),
            (("restoring snapshot 00000000 of [/data] at …",), "WRONG SNAPSHOT"),
        ],
    )
    def test_a_success_that_is_none_fails_by_its_name(self, log: tuple[str, ...], named: str) -> None:
        with pytest.raises(PermanentError, match=named) as failed:
            image_probe(replace(STATE, log=log), ENTRY)
        assert failed.value.evidence

    def test_a_failed_mover_and_an_end_without_a_result(self) -> None:
        with pytest.raises(PermanentError, match="mover failed"):
            image_probe(replace(STATE, result="Failed", running=True), ENTRY)
        with pytest.raises(PermanentError, match="without a result"):
            image_probe(replace(STATE, result=""), ENTRY)

    def test_a_trigger_that_it_has_not_reached_yet(self) -> None:
        assert image_probe(replace(STATE, last_trigger="restore-0"), ENTRY).condition is Condition.CHANGING
        assert image_probe(replace(STATE, image_ready=False), ENTRY).condition is Condition.CHANGING

    def test_a_log_that_is_cut_leaves_it_to_the_comparison(self) -> None:
        seen = image_probe(replace(STATE, log=("Restic completed in 2s",)), ENTRY)
        assert seen.condition is Condition.SATISFIED
        assert "the comparison decides" in seen.detail
