"""A hold that is lifted by hand in the middle of a replacement: what was stopped runs again, wherever the release is cut off."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.hold.results import HeldClaim, HoldState
from cluster.course import Course
from cluster.hold.standing import Way, standing
from engine.errors import BlackstartError, PermanentError, SettingsInvalid, TransientError
from lab.ports.faulty import faulty
from lab.world.cluster.volumes import Source
from lab.world.faults import Death, Fault
from recovery.course import course
from recovery.lifting import ANEW_S, lift, to_release
from tests.hands import do
from tests.recovery.conftest import Restoring

STOP, DELETE = "recovery.stop-app/apps/notes", "recovery.delete-claim/apps/notes"
KEEP = "recovery.keep-old/apps/notes"
MUTATIONS = (
    "flux.suspend/apps/notes#1", "flux.request/Kustomization/apps/notes#1", "cluster.wake/apps/notes#1", "hold.put/apps/notes#1",
    "claims.nudge/*#1", "claims.unpin/apps/notes-bootstrap#1",
)  # fmt: skip


def replacing(house: Restoring) -> Course:
    return course(house.house, house.house.claims, again=house.house.claims)


@pytest.fixture
def stopped(alive: Restoring) -> Restoring:
    """In the middle of a replacement that was consented to: proven, the application stopped, the old claim still there."""
    uid = alive.home.kube.objects().claims[("apps", "notes")].uid
    image = alive.destination.image
    assert image is not None
    alive.entry_says(state=HoldState.PROVEN, replaces=uid, image=image.name)
    alive.destination.restore_as_of, alive.destination.ours = alive.entry.pin, True
    do(alive, replacing(alive), STOP)
    alive.clock.sleep(10)
    assert not alive.home.kube.objects().claims[("apps", "notes")].app_ready
    return alive


def released(house: Restoring, reason: str = "enough") -> tuple[str, ...]:
    return lift(house.home.act("by-hand"), house.house.claims[0], reason)


def assert_all_goes_on(house: Restoring) -> None:
    house.clock.sleep(60)
    objects = house.home.kube.objects()
    flux = objects.kustomizations["apps/notes"]
    assert house.entry.state is HoldState.RELEASED
    assert objects.claims[("apps", "notes")].app_ready
    assert (flux.suspended, flux.ours, house.destination.ours) == (False, False, False)


def test_with_the_old_claim_still_there_the_application_runs_on_it_again(stopped: Restoring) -> None:
    old = stopped.home.kube.objects().claims[("apps", "notes")]
    began = stopped.clock.now()
    assert released(stopped) == ("apps/notes released without a proof: enough",)
    assert stopped.entry.released >= began
    assert_all_goes_on(stopped)
    assert stopped.home.kube.objects().claims[("apps", "notes")] is old


def test_the_volume_of_a_claim_that_was_not_replaced_after_all_is_its_own_again(stopped: Restoring) -> None:
    do(stopped, replacing(stopped), KEEP)
    assert len(stopped.home.look().kept.volumes()) == 1
    released(stopped)
    assert stopped.home.look().kept.volumes() == ()


def test_with_the_old_claim_gone_it_is_let_go_once_it_is_there_anew(stopped: Restoring) -> None:
    do(stopped, replacing(stopped), KEEP)
    do(stopped, replacing(stopped), DELETE)
    assert ("apps", "notes") not in stopped.home.kube.objects().claims
    began = stopped.clock.monotonic()
    released(stopped)
    assert 0 < stopped.clock.monotonic() - began < ANEW_S
    assert stopped.entry.uid == stopped.home.kube.objects().claims[("apps", "notes")].uid
    assert_all_goes_on(stopped)


def test_with_the_old_claim_gone_and_none_made_anew_nothing_is_let_go(stopped: Restoring) -> None:
    do(stopped, replacing(stopped), KEEP)
    do(stopped, replacing(stopped), DELETE)
    stopped.home.kube.delays = replace(stopped.home.kube.delays, kustomization_s=600.0)
    with pytest.raises(TransientError, match="waited 30 s for Flux to make the claim apps/notes anew: it is not released"):
        released(stopped)
    assert stopped.entry.state is HoldState.PROVEN, "a release without a claim would be one of whatever comes"
    assert not stopped.home.kube.objects().kustomizations["apps/notes"].suspended, "Flux goes on, and makes it"
    with pytest.raises(PermanentError, match="is not there, Flux has not applied it"):
        released(stopped)
    assert stopped.entry.state is HoldState.PROVEN


def test_what_git_declares_no_more_and_is_gone_is_let_go_and_no_later_claim_with_it(held: Restoring) -> None:
    objects = held.home.kube.objects()
    claim = objects.claims.pop(("apps", "notes"))
    left = held.entry
    lift(held.home.act("by-hand"), left, "moved away")
    assert (held.entry.state, held.entry.uid, held.entry.filling) == (HoldState.RELEASED, "", False)
    held.clock.sleep(3600)
    objects.claims[("apps", "notes")] = replace(claim, uid="another", created=held.clock.now())
    look = held.home.look()
    assert standing(look.hold, look.claims, held.house.claims[0]).way is Way.LOST


@pytest.mark.parametrize("place", MUTATIONS)
@pytest.mark.parametrize("fault", [Fault.DIE_BEFORE, Fault.DIE_AFTER, Fault.LOSE_REPLY])
def test_cut_off_anywhere_the_same_again_ends_it(stopped: Restoring, place: str, fault: Fault) -> None:
    world = stopped.home.world
    world.faults.forget()
    world.faults.arm(place, fault)
    with pytest.raises((Death, BlackstartError)):
        lift(faulty(stopped.home.act("first"), world, stopped.clock), stopped.house.claims[0], "enough")
    assert [name for name, _ in world.faults.struck]
    stopped.clock.new_life()
    if stopped.destination.ours:  # it goes last: without it nothing is left
        released(stopped)
    assert_all_goes_on(stopped)


def test_one_that_was_cut_off_after_the_record_says_what_it_did(stopped: Restoring) -> None:
    stopped.home.world.faults.arm("claims.unpin/*", Fault.DIE_BEFORE)
    with pytest.raises(Death):
        lift(faulty(stopped.home.act("first"), stopped.home.world, stopped.clock), stopped.house.claims[0], "enough")
    stopped.clock.new_life()
    assert released(stopped, "again") == ("apps/notes was released already; what was left of that is done now",)
    assert stopped.entry.reason == "by hand, unproven: enough"
    with pytest.raises(PermanentError, match="is not held: it is released"):
        released(stopped)


def test_what_somebody_else_has_suspended_stays_so_and_is_told_with_the_command(stopped: Restoring) -> None:
    table = stopped.home.kube.objects().kustomizations
    table["apps/notes"] = replace(table["apps/notes"], suspended=True, ours=False)
    _, left = released(stopped)
    assert left.startswith("Kustomization apps/notes is suspended, not by us, and stays so; to go on: kubectl -n apps patch ")
    assert table["apps/notes"].suspended
    assert stopped.entry.state is HoldState.RELEASED


def test_while_something_stands_still_by_our_hand_it_stays_held_and_the_commands_are_told(stopped: Restoring) -> None:
    act = faulty(stopped.home.act("by-hand"), stopped.home.world, stopped.clock)
    stopped.home.world.faults.arm("cluster.wake/*", Fault.LIE_ONCE)
    stopped.home.world.faults.arm("flux.suspend/*", Fault.LIE_ONCE)
    with pytest.raises(TransientError, match="is not released") as told:
        lift(act, stopped.house.claims[0], "enough")
    workload, flux = told.value.evidence
    assert workload == (
        "Deployment notes is scaled to 0; by hand: kubectl -n apps scale deployment/notes --replicas=1"
        " && kubectl -n apps annotate deployment/notes blackstart/replicas-"
    )
    assert flux.startswith("Kustomization apps/notes is suspended; by hand: kubectl -n apps patch ")
    assert stopped.entry.state is HoldState.PROVEN
    released(stopped)
    assert_all_goes_on(stopped)


def test_what_nobody_declared_is_let_go_by_its_name_and_only_if_there_is_such_a_thing(held: Restoring) -> None:
    objects = held.home.kube.objects()
    source = Source("elsewhere", "by-hand", "x", held.address)
    objects.sources[source.key] = source
    assert objects.rebuilt, "the house was bootstrapped, and its claim is held"
    refused = held.home.kube.admits_backup(objects, source)
    assert "name it in Git and run invoke cluster.bootstrap" in refused
    chosen = to_release(held.house, "elsewhere/by-hand", held.home.look().hold.record)
    assert isinstance(chosen, HeldClaim)
    (told,) = lift(held.home.act("by-hand"), chosen, "a trial")
    assert told == "elsewhere/by-hand, which nobody declared, is let go as it is: a trial"
    assert held.home.kube.admits_backup(objects, source) == ""
    typo = to_release(held.house, "elsewhere/by-hnad", held.home.look().hold.record)
    assert isinstance(typo, HeldClaim)
    with pytest.raises(SettingsInvalid, match="neither declared"):
        lift(held.home.act("by-hand"), typo, "a trial")
    released(held)
    assert not objects.rebuilt
    assert held.home.kube.admits_backup(objects, replace(source, name="other")) == ""
