"""recovery.running and hold.in-place: the two checks of a restore."""

from __future__ import annotations

from dataclasses import replace

from engine.probe import Condition
from tests.hands import see
from tests.recovery.conftest import Restoring

CHECK = "recovery.running/apps/notes"


def test_an_application_that_is_not_ready_is_waited_for(alive: Restoring) -> None:
    assert see(alive, alive.restore, CHECK).condition is Condition.SATISFIED
    alive.home.kube.objects().claims[("apps", "notes")].app_ready = False
    seen = see(alive, alive.restore, CHECK)
    assert (seen.condition, seen.evidence) == (Condition.CHANGING, ("Deployment notes: 0 of 1 ready",))


def test_a_claim_that_nothing_mounts_starts_nothing_and_says_so(alive: Restoring) -> None:
    alive.home.kube.objects().claims.clear()
    assert "nothing to start" in see(alive, alive.restore, CHECK).detail


def test_nothing_mounts_it_yet_says_nothing_while_flux_is_not_done(alive: Restoring) -> None:
    objects = alive.home.kube.objects()
    objects.claims.clear()
    objects.kustomizations["apps/notes"] = replace(objects.kustomizations["apps/notes"], ready=False, message="at it")
    seen = see(alive, alive.restore, CHECK)
    assert (seen.condition, seen.evidence) == (Condition.CHANGING, ("at it",))


def test_a_hold_that_is_not_in_place_stops_a_restore(held: Restoring) -> None:
    assert see(held, held.restore, "hold.in-place").condition is Condition.SATISFIED
    held.home.kube.objects().policies_bite_at = None
    report = held.apply(held.restore)
    assert [step.id for step in report.root_causes] == ["hold.in-place"]
    assert held.entry.pin == ""
