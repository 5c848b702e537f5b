"""hold.declare: a claim without a volume is written down as held; one whose data are alive is left alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from adapters.hold.results import HeldClaim, HoldState
from engine.probe import Condition
from lab.world.cluster.volumes import Claim
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


class LetGo:
    """A house whose one claim was let go, and whose record says so in different ways."""

    def __init__(self, house: Running) -> None:
        self.house = house
        self.claim = house.home.kube.objects().claims[("apps", "notes")]
        self.claim.bound = True

    def says(self, **changes: object) -> None:
        record = self.house.home.kube.objects().record
        assert record is not None
        record[("apps", "notes")] = replace(record[("apps", "notes")], **changes)  # type: ignore[arg-type]  # fields by name

    def seen(self) -> tuple[Condition, str]:
        seen = see(self.house, self.house.bootstrap, STEP)
        return seen.condition, seen.detail

    @property
    def entry(self) -> HeldClaim:
        (entry,) = self.house.home.look().hold.record().claims
        return entry


@pytest.fixture(params=[HoldState.RELEASED, HoldState.ACCEPTED_EMPTY], ids=lambda state: state.value)
def let_go(request: pytest.FixtureRequest, built: Running) -> LetGo:
    found = LetGo(built)
    found.says(state=request.param, uid=found.claim.uid, released=built.clock.now(), pin="2026-01-02T03:04:05Z", snapshot_id="old")
    built.clock.sleep(60)
    return found


def test_what_was_let_go_and_lives_stays_so(let_go: LetGo) -> None:
    assert let_go.seen() == (Condition.SATISFIED, let_go.entry.state.value)


def gone(claims: dict[tuple[str, str], Claim]) -> None:
    claims.clear()


def another(claims: dict[tuple[str, str], Claim]) -> None:
    claims[("apps", "notes")] = replace(claims[("apps", "notes")], uid="another")


def of(**changes: object) -> Callable[[dict[tuple[str, str], Claim]], None]:
    def change(claims: dict[tuple[str, str], Claim]) -> None:
        for name, value in changes.items():
            setattr(claims[("apps", "notes")], name, value)

    return change


LOSSES = {
    "gone": (gone, "the claim is gone"),
    "pending": (of(bound=False), "the claim has no volume"),
    "lost": (of(lost=True), "its volume is lost"),
    "being deleted": (of(deleting=True), "the claim is being deleted"),
    "another": (another, "another claim stands in its place (uid another"),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_what_was_let_go_and_is_lost_is_red_and_held_anew_unpinned(let_go: LetGo, loss: str) -> None:
    lose, told = LOSSES[loss]
    was = let_go.entry.state.value
    lose(let_go.house.home.kube.objects().claims)
    condition, detail = let_go.seen()
    assert condition is Condition.DRIFTED
    assert detail.startswith(f"{was} once, and {told}")
    report = let_go.house.verify(let_go.house.bootstrap)
    assert "hold.declare/apps/notes" in {step.id for step in report.root_causes}
    do(let_go.house, let_go.house.bootstrap, STEP)
    assert (let_go.entry.state, let_go.entry.pin, let_go.entry.snapshot_id) == (HoldState.HELD, "", "")
    assert let_go.entry.since == let_go.house.clock.now()
    assert let_go.seen()[0] is Condition.SATISFIED


def test_an_entry_without_a_uid_is_adopted_only_for_a_claim_that_is_older_than_its_release(let_go: LetGo) -> None:
    let_go.says(uid="")
    assert let_go.seen()[0] is Condition.MISSING
    do(let_go.house, let_go.house.bootstrap, STEP)
    assert let_go.entry.uid == let_go.claim.uid
    assert let_go.seen()[0] is Condition.SATISFIED
    let_go.says(uid="")
    let_go.claim.created = let_go.house.clock.now()
    assert let_go.seen()[0] is Condition.DRIFTED


def test_an_entry_without_a_uid_and_without_a_time_is_held_anew_unless_the_claim_is_older_than_the_hold(let_go: LetGo) -> None:
    let_go.says(uid="", released=0.0)
    assert let_go.seen()[0] is Condition.DRIFTED
    let_go.claim.created = let_go.entry.since - 60
    assert let_go.seen()[0] is Condition.MISSING


def test_what_was_let_go_before_it_had_a_volume_is_through_until_it_has_had_one(let_go: LetGo) -> None:
    let_go.claim.bound = False
    let_go.says(filling=True)
    assert let_go.seen()[0] is Condition.SATISFIED
    let_go.claim.uid = "another"
    assert let_go.seen()[0] is Condition.DRIFTED


def test_a_claim_that_is_being_deleted_is_not_bound_already(built: Running) -> None:
    built.home.kube.objects().record = {}
    claim = built.home.kube.objects().claims[("apps", "notes")]
    claim.bound = claim.deleting = True
    assert see(built, built.bootstrap, STEP).condition is Condition.MISSING
