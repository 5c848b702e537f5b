"""hold.declare: a claim without a volume is written down as held; one whose data are alive is left alone."""

from __future__ import annotations

from dataclasses import replace

from adapters.hold.results import HoldState
from engine.probe import Condition
from tests.hands import do, see
from tests.scenario.running import Running

STEP = "hold.declare/apps/notes"


def test_a_claim_that_is_not_there_yet_is_held(built: Running) -> None:
    objects = built.home.kube.objects()
    objects.record = None
    objects.claims.clear()
    assert see(built, built.bootstrap, STEP).condition is Condition.MISSING
    do(built, built.bootstrap, STEP)
    assert see(built, built.bootstrap, STEP).condition is Condition.SATISFIED
    (entry,) = built.home.look().hold.record().claims
    assert (entry.state, entry.destination, entry.source) == (HoldState.HELD, "notes-bootstrap", "notes")
    assert entry.since == built.clock.now()


def test_a_claim_that_waits_for_its_volume_is_held_too(built: Running) -> None:
    built.home.kube.objects().record = {}
    assert see(built, built.bootstrap, STEP).condition is Condition.MISSING


def test_a_bound_claim_is_left_alone(built: Running) -> None:
    built.home.kube.objects().record = {}
    built.home.kube.objects().claims[("apps", "notes")].bound = True
    assert see(built, built.bootstrap, STEP).condition is Condition.SATISFIED


def test_what_the_record_says_stays(built: Running) -> None:
    record = built.home.kube.objects().record
    assert record is not None
    record[("apps", "notes")] = replace(record[("apps", "notes")], state=HoldState.RELEASED)
    seen = see(built, built.bootstrap, STEP)
    assert (seen.condition, seen.detail) == (Condition.SATISFIED, "released")
