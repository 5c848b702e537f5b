"""The house's Lease during acts of any length, on a virtual clock: nobody else gets it, and its loss is noticed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from adapters.leased import LEASE_S, OUTLIVED_S, RENEW_S, HouseLease
from engine.errors import JournalBusy, TransientError
from engine.workers import Workers
from lab.world.clock import VirtualClock
from tests.adapters.leasing import LONG_S, Machines


@pytest.fixture
def machines() -> Iterator[Machines]:
    made = Machines()
    yield made
    made.clock.bury()


def test_while_a_long_act_goes_on_nobody_else_gets_the_lease(machines: Machines) -> None:
    machines.helm.meanwhile = machines.other_comes
    machines.releases.sync("kube-system", "cilium", "run")
    assert machines.kept_out == LONG_S // 100
    lasted = machines.clock.monotonic()
    assert lasted / LEASE_S < len(machines.ours.taken) <= lasted / RENEW_S + 1


def test_afterwards_it_is_not_renewed_any_more_and_expires(machines: Machines) -> None:
    machines.releases.sync("kube-system", "cilium", "run")
    asked = len(machines.ours.taken)
    began = machines.clock.monotonic()
    machines.other.require()
    assert OUTLIVED_S <= machines.clock.monotonic() - began < OUTLIVED_S + LEASE_S
    assert len(machines.ours.taken) == asked


def test_a_short_act_asks_once(machines: Machines) -> None:
    machines.helm.takes_s = 5.0
    machines.releases.sync("kube-system", "cilium", "run")
    machines.releases.sync("kube-system", "coredns", "run")
    assert machines.ours.taken == ["ours"]


def test_a_short_silence_of_the_api_costs_nothing(machines: Machines) -> None:
    def silent_for_a_while(passed: float) -> None:
        machines.ours.dark = 100.0 <= passed < 115.0

    machines.helm.meanwhile = silent_for_a_while
    machines.releases.sync("kube-system", "cilium", "run")


def test_an_act_during_which_another_machine_came_to_stay_fails_by_name(machines: Machines) -> None:
    at_work = ExitStack()

    def cut_off(passed: float) -> None:
        machines.ours.dark = passed < LONG_S - 5
        if passed == LEASE_S:
            at_work.enter_context(machines.other.held("what they do"))

    machines.helm.meanwhile = cut_off
    with at_work, pytest.raises(JournalBusy) as lost:
        machines.releases.sync("kube-system", "cilium", "run")
    assert lost.value.evidence == ("the Lease is held by theirs",)


def test_an_act_during_which_another_machine_came_and_went_is_looked_at_again(machines: Machines) -> None:
    def cut_off(passed: float) -> None:
        machines.ours.dark = passed < 200.0
        if passed == 150.0:
            machines.other.require()
            machines.kept.held = None

    machines.helm.meanwhile = cut_off
    with pytest.raises(TransientError, match=r"releases\.sync"):
        machines.releases.sync("kube-system", "cilium", "run")


def test_the_acts_own_error_is_what_is_told(machines: Machines) -> None:
    def fails(passed: float) -> None:
        raise TransientError("helm says no")

    machines.helm.meanwhile = fails
    with pytest.raises(TransientError, match="helm says no"):
        machines.releases.sync("kube-system", "cilium", "run")
    machines.clock.sleep(LEASE_S + 1)
    assert machines.ours.taken == ["ours"]


@dataclass
class SkewedClock:
    """A machine's own clocks: a wall clock that is wrong, and a boot clock that a suspension makes jump."""

    real: VirtualClock
    skew_s: float
    jumped_s: float = 0.0

    def now(self) -> float:
        return self.real.now() + self.skew_s

    def monotonic(self) -> float:
        return self.real.monotonic() + self.jumped_s

    def sleep(self, seconds: float) -> None:
        self.real.sleep(seconds)

    def workers(self) -> Workers:
        return self.real.workers()


@pytest.mark.parametrize("skew", [-300.0, 0.0, 300.0])
def test_wall_clocks_that_are_minutes_apart_let_nobody_in(machines: Machines, skew: float) -> None:
    clock = SkewedClock(machines.clock, skew)
    other = HouseLease(machines.theirs, "theirs", clock, clock.workers())  # type: ignore[arg-type]  # a cluster with the Lease alone

    def comes(passed: float) -> None:
        if passed % 100 == 0:
            with pytest.raises(JournalBusy):
                other.require()

    machines.helm.meanwhile = comes
    machines.releases.sync("kube-system", "cilium", "run")


def test_a_machine_that_was_suspended_asks_before_it_acts(machines: Machines) -> None:
    clock = SkewedClock(machines.clock, 0.0)
    laptop = HouseLease(machines.theirs, "laptop", clock, clock.workers())  # type: ignore[arg-type]  # a cluster with the Lease alone
    with laptop.held("the first act"):
        pass
    machines.clock.sleep(OUTLIVED_S + 1)
    clock.jumped_s += 600.0
    with machines.lease.held("what the other machine does"), pytest.raises(JournalBusy), laptop.held("the next act"):
        raise AssertionError("it acted")
