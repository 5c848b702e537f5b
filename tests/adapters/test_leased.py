"""The house's Lease during acts of any length, on a virtual clock: nobody else gets it, and its loss is noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import pytest

from adapters.kubernetes.results import LeaseHolder
from adapters.leased import LEASE_S, OUTLIVED_S, RENEW_S, WATCH_S, HouseLease, leased
from adapters.ports import Releases
from adapters.proxmox.reserving import MayNotReserve, Party
from adapters.proxmox.results import Reservation
from adapters.reserved import LOOK_S
from engine.errors import JournalBusy, TransientError
from engine.workers import Workers
from lab.modelled.house import ModelledHome
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
    """A Proxmox that keeps what one run asks of it. `kept`: its pools, the same for all runs."""

    owner: str = "run ours, process 1 of b:1 in 1, since 2025-06-15T15:00:00Z, on ours:/state"
    kept: dict[str, str] = field(default_factory=dict)
    started: list[int] = field(default_factory=list)
    trouble: Exception | None = None
    gone: Callable[[str], bool] = lambda process: False

    def reservation(self) -> Reservation | None:
        if self.trouble is not None:
            raise self.trouble
        owner = self.kept.get("blackstart-house")
        return None if owner is None else Party("blackstart-house", self.owner, self.gone).judge(owner)

    def reserve(self) -> None:
        self.kept.setdefault("blackstart-house", self.owner)

    def unreserve(self, owner: str) -> None:
        if self.kept.get("blackstart-house") == owner:
            del self.kept["blackstart-house"]

    def start_vm(self, host: str, vm_id: int) -> None:
        self.started.append(vm_id)


@dataclass
class Nodes:
    """A Talos that keeps what was asked of it."""

    bootstrapped: list[str] = field(default_factory=list)

    def bootstrap_etcd(self, address: str) -> None:
        self.bootstrapped.append(address)


def early(machines: Machines, host: Host | None = None) -> tuple[Host, Nodes, Callable[[], None]]:
    """Our Proxmox and Talos guarded, and one change of each."""
    host, nodes = host or Host(), Nodes()
    bundle = ModelledHome(a_house(), machines.clock, 0).act("early")
    bare = replace(bundle, cluster=machines.ours, proxmox=host, talos=nodes)  # type: ignore[arg-type]  # what is asked of them
    act, machines.lease = leased(bare, "ours", machines.clock.workers())

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


THEIRS = "run theirs, process 1 of b:1 in 1, since 2025-06-15T15:00:00Z, on theirs:/state"


class TestTheReservation:
    """What excludes while no API server answers, and beside the Lease afterwards."""

    def test_of_two_machines_in_the_dark_the_second_begins_nothing_and_is_told_who_is_first(self, machines: Machines) -> None:
        machines.ours.dark = machines.theirs.dark = True
        first, _, change = early(machines, Host(THEIRS))
        change()
        lease = machines.lease
        second, nodes, change = early(machines, Host(kept=first.kept))
        with pytest.raises(JournalBusy) as busy:
            change()
        assert (second.started, nodes.bootstrapped) == ([], [])
        assert busy.value.evidence[0].startswith(f"reserved by {THEIRS}, ")
        machines.lease.drop()
        assert first.kept == {"blackstart-house": THEIRS}, "who does not have it takes nothing away"
        lease.drop()
        assert first.kept == {}
        change()
        assert second.started == [8001]

    def test_it_is_not_enough_once_an_api_server_answers_nor_is_the_lease(self, machines: Machines) -> None:
        host, _, change = early(machines)
        with machines.other.held("what they do"), pytest.raises(JournalBusy, match="another machine is at work"):
            change()
        machines.kept.held = None
        host.kept["blackstart-house"] = THEIRS
        machines.clock.sleep(LOOK_S)
        with pytest.raises(JournalBusy, match="another run has reserved"):
            change()
        assert host.started == []

    def test_an_api_server_that_answers_by_now_is_not_overlooked_by_who_reserves(self, machines: Machines) -> None:
        host, _, change = early(machines)
        machines.ours.dark = True
        change()
        host.kept.clear()  # a person took it away, and the other machine's run has begun meanwhile
        machines.clock.sleep(LOOK_S - 1)
        change()  # an API server was looked for a moment ago
        machines.ours.dark = False
        machines.clock.sleep(1)
        with machines.other.held("what they do"), pytest.raises(JournalBusy, match="another machine is at work"):
            change()
        assert host.started == [8001, 8001]

    def test_one_that_was_taken_from_us_ends_what_we_begin(self, machines: Machines) -> None:
        host, _, change = early(machines)
        machines.ours.dark = True
        change()
        host.kept["blackstart-house"] = THEIRS
        machines.clock.sleep(LOOK_S)
        with pytest.raises(JournalBusy):
            change()
        machines.lease.drop()
        assert host.kept == {"blackstart-house": THEIRS}

    def test_a_token_that_may_not_is_let_through_and_asked_once(self, machines: Machines) -> None:
        host, _, change = early(machines, Host(trouble=MayNotReserve("lacks Pool.Allocate")))
        machines.ours.dark = True
        change()
        host.trouble = AssertionError("asked again")
        machines.clock.sleep(LOOK_S)
        change()
        assert (host.started, host.kept) == ([8001, 8001], {})

    def test_a_silent_proxmox_keeps_out_whoever_has_no_lease(self, machines: Machines) -> None:
        host, nodes, change = early(machines, Host(trouble=TransientError("no Proxmox endpoint can be reached")))
        machines.ours.dark = True
        with pytest.raises(TransientError, match="no Proxmox endpoint"):
            change()
        assert (host.started, nodes.bootstrapped) == ([], [])
        machines.ours.dark = False
        machines.clock.sleep(WATCH_S)
        change()
        assert nodes.bootstrapped == ["127.10.0.11"]

    def test_a_lie_of_having_made_it_is_seen(self, machines: Machines) -> None:
        host, _, change = early(machines)
        machines.ours.dark = True
        host.reserve = lambda: None  # type: ignore[method-assign]  # it says so, and does nothing
        with pytest.raises(TransientError, match="was made, and is not there"):
            change()
        assert host.started == []

    def test_one_that_has_become_another_s_is_left_alone_and_told(self, machines: Machines) -> None:
        host, _, change = early(machines)
        machines.ours.dark = True
        change()
        host.kept["blackstart-house"] = theirs = host.owner.replace("run ours", "run theirs").replace("on ours", "on theirs")
        with pytest.raises(JournalBusy, match="another run has reserved") as told:
            machines.lease.drop()
        assert host.kept == {"blackstart-house": theirs} and "run theirs" in told.value.evidence[0]

    def test_one_that_stays_though_it_was_taken_away_is_told(self, machines: Machines) -> None:
        host, _, change = early(machines)
        machines.ours.dark = True
        change()
        host.unreserve = lambda owner: None  # type: ignore[method-assign]  # it says so, and does nothing
        with pytest.raises(TransientError, match="is there still"):
            machines.lease.drop()


THEIRS = "run theirs, process 2 of c:1 in 1, since 2025-06-15T15:00:00Z, on theirs:/state"
GONE = "run gone, process 3 of b:0 in 1, since 2025-06-15T15:00:00Z, on ours:/state"


def beside(machines: Machines, host: Host) -> Callable[[], None]:
    """Our cluster guarded, over that Proxmox: one short change of it."""
    bundle = ModelledHome(a_house(), machines.clock, 0).act("beside")
    bare = replace(bundle, cluster=machines.ours, proxmox=host, releases=machines.helm)  # type: ignore[arg-type]  # what is asked of them
    act, machines.lease = leased(bare, "ours", machines.clock.workers())
    machines.helm.takes_s = 5.0
    return lambda: act.releases.sync("kube-system", "cilium", "run")


def test_who_changes_the_cluster_alone_goes_no_further_than_a_run_that_has_reserved_the_hosts(machines: Machines) -> None:
    host = Host(kept={"blackstart-house": THEIRS})
    change, began = beside(machines, host), machines.clock.monotonic()
    with pytest.raises(JournalBusy, match="has reserved the Proxmox hosts") as found:
        change()
    assert "run theirs" in found.value.evidence[0] and machines.clock.monotonic() == began, "nothing was changed"
    assert machines.ours.taken == ["ours"], "the Lease first, then the look: of two machines at least one sees the other"
    host.kept.clear()
    change()


def test_hosts_that_are_reserved_while_the_cluster_is_changed_are_seen_with_the_next_look(machines: Machines) -> None:
    host = Host()
    change = beside(machines, host)
    change()
    host.kept["blackstart-house"] = THEIRS
    change()  # believed for a while
    machines.clock.sleep(LOOK_S)
    with pytest.raises(JournalBusy):
        change()


@pytest.mark.parametrize("trouble", [TransientError("no Proxmox endpoint can be reached"), MayNotReserve("it may not see it")])
def test_a_proxmox_that_is_silent_keeps_nobody_from_the_cluster_and_is_asked_once(machines: Machines, trouble: Exception) -> None:
    host = Host(trouble=trouble)
    change = beside(machines, host)
    change()
    host.trouble = AssertionError("asked again")
    machines.clock.sleep(10 * LOOK_S)
    change()


def test_what_a_dead_run_of_this_machine_has_reserved_keeps_nobody_from_the_cluster(machines: Machines) -> None:
    host = Host(kept={"blackstart-house": GONE}, gone=lambda process: process.startswith("process 3 "))
    beside(machines, host)()
    assert host.kept, "it goes by a step of its own"
