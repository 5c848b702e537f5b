"""recovery.populate: VolSync fills the claim from the proven image, and from no other."""

from __future__ import annotations

import pytest

from adapters.hold.results import HoldState
from engine.errors import PermanentError
from engine.probe import Condition, missing
from lab.world.cluster.volumes import Image
from lab.world.store import a_file
from tests.hands import Notebook, do, see, step
from tests.recovery.conftest import Restoring
from tests.scenario.running import DATA

STEP = "recovery.populate/apps/notes"


@pytest.fixture
def proven(held: Restoring) -> Restoring:
    """Compared and proven; the claim waits."""
    held.up_to("pin", "restore", "prove")
    return held


def test_a_claim_that_waits_is_nudged_until_it_is_filled(proven: Restoring) -> None:
    claim = proven.home.kube.objects().claims[("apps", "notes")]
    claim.bound = claim.binding = claim.app_ready = False
    claim.populated_from, claim.entries = "", ()
    assert see(proven, proven.restore, STEP).condition is Condition.MISSING
    do(proven, proven.restore, STEP)
    seen = see(proven, proven.restore, STEP)
    assert (seen.condition, seen.detail) == (Condition.SATISFIED, f"bound, made from {proven.entry.image}")
    assert claim.entries == DATA


def test_a_claim_filled_from_another_image_fails_and_stays_held(proven: Restoring) -> None:
    claim = proven.home.kube.objects().claims[("apps", "notes")]
    claim.bound, claim.populated_from = True, "volsync-another-image"
    with pytest.raises(PermanentError, match="was filled from volsync-another-image"):
        see(proven, proven.restore, STEP)


def test_a_claim_that_somebody_else_bound_is_not_taken_for_filled(proven: Restoring) -> None:
    claim = proven.home.kube.objects().claims[("apps", "notes")]
    claim.bound, claim.populated_from = True, ""
    with pytest.raises(PermanentError, match="bound to a volume that VolSync has not filled") as failed:
        see(proven, proven.restore, STEP)
    assert "kubectl -n apps delete pvc notes" in failed.value.hint


def test_before_the_proof_and_before_flux_it_waits(held: Restoring) -> None:
    assert see(held, held.restore, STEP).condition is Condition.UNKNOWN
    held.entry_says(state=HoldState.PROVEN, image="volsync-proven")
    held.home.kube.objects().claims.clear()
    assert see(held, held.restore, STEP).condition is Condition.CHANGING


def test_another_image_of_the_proven_one_s_name_fills_nothing(proven: Restoring) -> None:
    claim = proven.home.kube.objects().claims[("apps", "notes")]
    claim.bound = claim.binding = claim.app_ready = False
    claim.populated_from, claim.entries = "", ()
    assert proven.destination.image is not None
    proven.destination.image = Image(proven.destination.image.name, (a_file("settings.ini", "of somebody else"),))
    with pytest.raises(PermanentError, match="another one of its name"):
        see(proven, proven.restore, STEP)
    with pytest.raises(PermanentError, match="another one of its name"):
        step(proven.restore, STEP).apply(proven.home.act("by-hand"), missing("as it was seen before"), Notebook())
    assert not claim.bound
    seen = see(proven, proven.restore, "recovery.prove/apps/notes")
    assert (seen.condition, "made anew under its name" in seen.detail) == (Condition.DRIFTED, True)


def test_a_record_that_does_not_know_the_image_s_uid_goes_by_its_name(proven: Restoring) -> None:
    proven.entry_says(image_uid="")
    assert see(proven, proven.restore, "recovery.prove/apps/notes").condition is Condition.SATISFIED
