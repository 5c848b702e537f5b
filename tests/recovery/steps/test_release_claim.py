"""recovery.release: backups may be written again, and our pin is off the destination."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.hold.results import HoldState
from adapters.volsync.results import FileEntry, Listing
from engine.errors import PermanentError, TransientError
from engine.probe import Condition
from lab.ports.volumes.claims import ModelledClaims
from lab.world.cluster.volsync import DEFAULT_FILE
from lab.world.store import a_file
from tests.hands import Notebook, do, see, step
from tests.recovery.conftest import Restoring
from tests.scenario.running import DATA

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


class TestTheClaimItself:
    """VolSync says from what a volume was made, and a storage may have made it empty all the same."""

    @pytest.fixture
    def filled(self, held: Restoring) -> Restoring:
        """Filled from the proven image, by VolSync's word; the application runs."""
        held.up_to("pin", "restore", "prove", "populate")
        held.clock.sleep(10)
        return held

    def holds(self, house: Restoring, *entries: FileEntry) -> None:
        """Let the volume hold something else, whatever it was made from."""
        claim = house.home.kube.objects().claims[("apps", "notes")]
        assert claim.populated_from == house.entry.image
        claim.entries = entries

    @pytest.mark.parametrize(
        "entries",
        [(), (DEFAULT_FILE,), DATA[:1], tuple(replace(e, size=0) for e in DATA), tuple(replace(e, kind="dir") for e in DATA)],
        ids=["nothing", "what the application writes at its first start", "half of it", "names alone", "folders"],
    )
    def test_without_what_was_pinned_it_stays_held_and_no_backup_is_written(
        self, filled: Restoring, entries: tuple[FileEntry, ...]
    ) -> None:
        self.holds(filled, *entries)
        before = list(filled.home.store.repositories[filled.address].snapshots)
        report = filled.apply(filled.restore)
        assert [cause.id for cause in report.root_causes] == [STEP]
        error = report.root_causes[0].error
        assert error is not None
        assert "are not in the claim" in error.what
        assert any(DATA[1].path in line for line in error.evidence)
        assert "max_loss" in error.hint
        assert (filled.entry.state, filled.entry.released) == (HoldState.PROVEN, 0.0)
        filled.clock.sleep(7200)
        assert filled.home.store.repositories[filled.address].snapshots == before

    def test_what_the_application_has_done_since_is_told_and_released(self, filled: Restoring) -> None:
        grown = replace(DATA[0], size=9_000)
        self.holds(filled, grown, *DATA[1:], a_file("log/today", "started"))
        notes = do(filled, filled.restore, STEP)
        assert filled.entry.state is HoldState.RELEASED
        told = f"1 of another size ({DATA[0].path}), 1 new (log/today)"
        assert filled.entry.depth.endswith(f"in the claim itself since: {told}")
        claim = filled.home.look().claims.claim("apps", "notes")
        assert (filled.entry.volume, claim.volume != "") == (claim.volume, True)
        assert notes.written["claim"] == f"uid {claim.uid}, volume {claim.volume}: {told}"
        assert told in see(filled, filled.restore, STEP).detail

    def test_how_much_may_be_gone_is_the_settings_to_say(self, filled: Restoring) -> None:
        self.holds(filled, DATA[1])
        lenient = replace(filled.house.claims[0], requirement=replace(filled.house.claims[0].requirement, max_loss=0.5))
        filled.house = replace(filled.house, claims=(lenient,))
        do(filled, filled.restore, STEP)
        assert f"1 gone ({DATA[0].path})" in filled.entry.depth

    def test_what_one_look_has_missed_and_another_has_seen_is_there(self, filled: Restoring) -> None:
        act = replace(filled.home.act("by-hand"), claims=Busy(filled.home.kube, filled.home.volsync))
        step(filled.restore, STEP).apply(act, see(filled, filled.restore, STEP), Notebook())
        assert filled.entry.state is HoldState.RELEASED

    def test_half_a_list_is_no_loss_and_no_release(self, filled: Restoring) -> None:
        filled.home.store.repositories[filled.address].half_listing = True
        with pytest.raises(TransientError, match="broke off"):
            do(filled, filled.restore, STEP)
        assert filled.entry.state is HoldState.PROVEN

    @pytest.mark.parametrize(
        "changes", [{"bound": False}, {"populated_from": ""}, {"populated_from": "volsync-another"}], ids=str
    )
    def test_another_claim_than_the_one_that_was_filled_is_not_released(
        self, filled: Restoring, changes: dict[str, object]
    ) -> None:
        for name, value in changes.items():
            setattr(filled.home.kube.objects().claims[("apps", "notes")], name, value)
        with pytest.raises(PermanentError, match="not the claim that the proven image has filled"):
            do(filled, filled.restore, STEP)

    def test_what_is_only_held_is_never_released(self, filled: Restoring) -> None:
        filled.entry_says(state=HoldState.HELD)
        with pytest.raises(PermanentError, match="no image of it is proven"):
            do(filled, filled.restore, STEP)


class Busy(ModelledClaims):
    """A volume whose application writes while it is read: each look misses another file."""

    looks = 0

    def contents(self, namespace: str, claim_or_image: str, *, hashed: bool) -> Listing:
        """As ever, but for one entry."""
        self.looks += 1
        seen = super().contents(namespace, claim_or_image, hashed=hashed)
        kept = tuple(e for n, e in enumerate(seen.entries) if n != self.looks % 2)
        return replace(seen, entries=kept, complete=False, detail="a file went while it was read")
