"""proxmox.lift-reservation: what a dead run of this machine has reserved goes by itself, any other's by consent alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.leased import leased
from adapters.proxmox.reserving import pool_of
from adapters.proxmox.results import Reservation, Whose
from adapters.surface import read_only
from engine.approval import Approval, approve
from engine.errors import ApprovalMissing, JournalBusy, PreflightRefused
from engine.plan import plan
from engine.probe import Condition
from engine.step import Hazard
from lab.ports.faulty import faulty
from lab.world.faults import Death, Fault
from lab.world.pve.access import PRIVILEGES
from tests.hands import Notebook, do, is_a_command, only, see, step
from tests.scenario.running import Running

STEP = "proxmox.lift-reservation"


def reserved(house: Running, run: str = "before", machine: str = "this-machine") -> None:
    """A run of that machine has the hosts, and left them so."""
    house.home.act(run, machine).proxmox.reserve()
    house.clock.sleep(600)


def lift(house: Running, approval: Approval | None = None) -> None:
    report = house.apply(only(house.bootstrap, "preflight.", STEP), approval)
    if report[STEP].error is not None:
        raise report[STEP].error


def pools(house: Running) -> dict[str, str]:
    return house.home.proxmox.pools.comments


def test_hosts_that_nobody_has_reserved_are_left_alone(bare: Running) -> None:
    assert see(bare, bare.bootstrap, STEP).condition is Condition.SATISFIED
    lift(bare)
    assert pools(bare) == {}


def test_what_a_dead_run_of_this_machine_left_goes_by_itself_and_is_told(bare: Running) -> None:
    reserved(bare)
    seen = see(bare, bare.bootstrap, STEP)
    assert seen.condition is Condition.MISSING
    told = "a run of this machine that is gone has: reserved by run before, process 1 of before:1 in 1, since 2025-06-15T"
    assert seen.detail.startswith(told)
    assert seen.detail.endswith("on this-machine:/state, 10 min ago by that machine's clock")
    assert step(bare.bootstrap, STEP).hazard(seen) is Hazard.NONE
    lift(bare)
    assert pools(bare) == {}


@pytest.mark.parametrize(
    ("owner", "told"),
    [
        ("run r, process 1 of b:1 in 1, since 2025-06-15T15:00:00Z, on another-machine:/state", "run r, process 1 of b:1 in 1"),
        ("made by hand", "reserved by made by hand"),
        ("", "reserved by somebody who did not say who"),
        ("run r, process 1 of b:1 in 1, since yesterday, on another-machine:/state", "since yesterday"),
    ],
)
def test_any_other_s_is_told_and_stays_without_consent(bare: Running, owner: str, told: str) -> None:
    pools(bare)[pool_of(bare.house.id)] = owner
    seen = see(bare, bare.bootstrap, STEP)
    assert seen.condition is Condition.MISSING
    assert seen.detail.startswith("another run has: ") and told in seen.detail
    assert str(seen.identity).endswith(" (is that at work? then wait for it)")
    assert step(bare.bootstrap, STEP).hazard(seen) is Hazard.DESTROYS
    with pytest.raises(ApprovalMissing):
        lift(bare)
    assert pools(bare) == {pool_of(bare.house.id): owner}
    assert bare.apply(bare.bootstrap).exit_code == ApprovalMissing.exit_code, "and nothing else is begun"
    assert bare.home.proxmox.vms == {}


def test_with_consent_it_goes_and_only_the_one_that_was_named(bare: Running) -> None:
    reserved(bare, machine="another-machine")
    approval = bare.consent(only(bare.bootstrap, "preflight.", STEP))
    kept = dict(pools(bare))
    pools(bare).clear()
    reserved(bare, "later", "another-machine")
    with pytest.raises(ApprovalMissing):
        lift(bare, approval)
    pools(bare).update(kept)
    lift(bare, approval)
    assert pools(bare) == {}


def test_one_that_changed_hands_after_the_look_is_not_taken_away(bare: Running) -> None:
    reserved(bare, machine="another-machine")
    seen = see(bare, bare.bootstrap, STEP)
    pools(bare).clear()
    reserved(bare, "later", "another-machine")
    step(bare.bootstrap, STEP).apply(bare.home.act("now"), seen, Notebook())
    assert "run later" in pools(bare)[pool_of(bare.house.id)]


@pytest.mark.parametrize("lacking", ["Pool.Allocate", "Pool.Audit"])
def test_a_token_that_may_not_is_warned_of_and_the_house_is_built_all_the_same(bare: Running, lacking: str) -> None:
    bare.home.proxmox.access.tokens[bare.house.proxmox.token_id].rights["/pool"] = PRIVILEGES - {lacking}
    assert "not known: the token may not see it" in see(bare, bare.bootstrap, STEP).detail
    report = bare.apply(bare.bootstrap)
    assert report.exit_code != PreflightRefused.exit_code
    warned = report["preflight.privileges"]
    assert warned.advisory and warned.error is not None
    assert warned.evidence == (f"/pool/{pool_of(bare.house.id)}: {lacking}",)
    assert "pveum acl modify /pool --roles BlackstartReserve --users " in warned.error.hint
    assert bare.home.proxmox.vms and pools(bare) == {}


def test_killed_between_taking_and_giving_back_the_next_run_goes_on_by_itself(bare: Running) -> None:
    bare.home.world.faults.arm("proxmox.reserve/*", Fault.DIE_AFTER)
    act, _ = leased(faulty(bare.home.act("first"), bare.home.world, bare.clock), "this-machine", bare.clock.workers())
    image = bare.house.image
    with pytest.raises(Death):
        act.proxmox.download_image("pve-1", image.storage, image.filename, image.url, image.sha256)
    bare.clock.new_life()
    other, _ = leased(bare.home.act("theirs", "another-machine"), "another-machine", bare.clock.workers())
    with pytest.raises(JournalBusy) as busy:
        other.proxmox.download_image("pve-1", image.storage, image.filename, image.url, image.sha256)
    assert "reserved by run first, process 1 of first:1" in busy.value.evidence[0]
    do(bare, bare.bootstrap, STEP)
    act, lease = leased(bare.home.act("second"), "this-machine", bare.clock.workers())
    act.proxmox.download_image("pve-1", image.storage, image.filename, image.url, image.sha256)
    assert "run second" in pools(bare)[pool_of(bare.house.id)]
    lease.drop()
    assert pools(bare) == {}


def test_by_hand_it_is_one_command(bare: Running) -> None:
    assert is_a_command(step(bare.bootstrap, STEP).by_hand())
    made = plan(bare.bootstrap.graph(), read_only(replace(bare.home.act("look"))))
    assert approve(made.digest, acts=made.acts, plan_digest=made.digest, journalled=(), now=0.0, valid_s=1.0)


@pytest.mark.parametrize(
    ("age_s", "told"), [(-300, "0 s"), (89, "89 s"), (7100, "118 min"), (7200, "2.0 h"), (172800, "2.0 days")]
)
def test_its_age_is_told_in_words_that_fit(age_s: float, told: str) -> None:
    reservation = Reservation("somebody", Whose.ANOTHER, 1_000_000.0)
    assert reservation.told(1_000_000.0 + age_s) == f"reserved by somebody, {told} ago by that machine's clock"
    assert replace(reservation, since=0.0).told(1e6) == "reserved by somebody"
    assert reservation.told(0.0) == "reserved by somebody, at a time that is yet to come by that machine's clock"
