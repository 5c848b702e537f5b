"""The house's Lease during acts of any length, on a virtual clock: nobody else gets it, and its loss is noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import pytest

from adapters.kubernetes.results import LeaseHolder
from adapters.leased import LEASE_S, OUTLIVED_S, RENEW_S, WATCH_S, HouseLease, leased
from adapters.ports import Releases
from engine.errors import JournalBusy, TransientError
from engine.workers import Workers
from lab.modelled import ModelledHome
from lab.world.clock import VirtualClock
from tests.builders import a_house

LONG_S = 900.0  # what a release may take


class OneLease:
    """The Lease as an API server keeps it."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.held: LeaseHolder | None = None
        self.renewals = 0

    def take(self, holder: str, seconds: int, over: str = "") -> LeaseHolder:
        if self.held is None or self.held.holder == holder or self.held.renewal == over:
            self.renewals += 1
            self.held = LeaseHolder(holder, str(self.renewals))
        return self.held


@dataclass
class Sight:
    """A cluster port with nothing but the Lease, whose API server can be out of sight."""

    kept: OneLease
    dark: bool = False
    taken: list[str] = field(default_factory=list)

    def take_lease(self, holder: str, seconds: int, over: str = "") -> LeaseHolder:
        if self.dark:
            raise TransientError("no API server answers")
        self.taken.append(holder)
        return self.kept.take(holder, seconds, over)


class SlowHelm:
    """Releases whose sync takes as long as it is told, with what happens meanwhile."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.meanwhile: Callable[[float], None] = lambda passed: None
        self.takes_s = LONG_S

    def sync(self, namespace: str, name: str, run: str) -> None:
        for passed in range(0, int(self.takes_s), 5):
            self.clock.sleep(5.0)
            self.meanwhile(passed + 5.0)


class Machines:
    """One machine whose helm is slow, and another that wants the same house."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        home = ModelledHome(a_house(), self.clock, 0)
        self.helm, self.kept = SlowHelm(self.clock), OneLease(self.clock)
        self.ours, self.theirs = Sight(self.kept), Sight(self.kept)
        slow = replace(home.act("ours"), cluster=self.ours, releases=self.helm)  # type: ignore[arg-type]  # what is asked of them
        act, self.lease = leased(slow, "ours", self.clock.workers())
        self.releases: Releases = act.releases
        self.kept_out = 0
        self.other = HouseLease(self.theirs, "theirs", self.clock, self.clock.workers())  # type: ignore[arg-type]  # as above

    def other_comes(self, passed: float) -> None:
        """It is kept out every time it asks: it watches until it has seen a renewal."""
        if passed % 100 == 0:
            self.kept_out += 1
            with pytest.raises(JournalBusy):
                self.other.require()


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


@dataclass
class Host:
    """A Proxmox that keeps what was asked of it."""

    started: list[int] = field(default_factory=list)

    def start_vm(self, host: str, vm_id: int) -> None:
        self.started.append(vm_id)


@dataclass
class Nodes:
    """A Talos that keeps what was asked of it."""

    bootstrapped: list[str] = field(default_factory=list)

    def bootstrap_etcd(self, address: str) -> None:
        self.bootstrapped.append(address)


def early(machines: Machines) -> tuple[Host, Nodes, Callable[[], None]]:
    """Our Proxmox and Talos under the Lease, and one change of each."""
    host, nodes = Host(), Nodes()
    bundle = ModelledHome(a_house(), machines.clock, 0).act("early")
    bare = replace(bundle, cluster=machines.ours, proxmox=host, talos=nodes)  # type: ignore[arg-type]  # what is asked of them
    act, _ = leased(bare, "ours", machines.clock.workers())

    def change() -> None:
        act.proxmox.start_vm("pve1", 8001)
        act.talos.bootstrap_etcd("127.10.0.11")

    return host, nodes, change


def test_hosts_and_machines_are_not_changed_while_another_machine_holds_the_lease(machines: Machines) -> None:
    host, nodes, change = early(machines)
    with machines.other.held("what they do"), pytest.raises(JournalBusy):
        change()
    assert (host.started, nodes.bootstrapped) == ([], [])


def test_before_an_api_server_answers_hosts_and_machines_can_be_changed(machines: Machines) -> None:
    host, nodes, change = early(machines)
    machines.ours.dark = True
    change()
    assert (host.started, nodes.bootstrapped) == ([8001], ["127.10.0.11"])
    machines.ours.dark = False
    machines.clock.sleep(WATCH_S)
    with machines.other.held("what they do"), pytest.raises(JournalBusy):
        change()
    assert host.started == [8001], "from the first answer on, the Lease excludes there too"


def test_once_it_was_ours_a_silence_begins_nothing_at_a_host(machines: Machines) -> None:
    host, _, change = early(machines)
    change()
    machines.ours.dark = True
    machines.clock.sleep(LEASE_S)
    with pytest.raises(TransientError):
        change()
    assert host.started == [8001]
