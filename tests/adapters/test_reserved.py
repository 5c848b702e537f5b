"""What excludes at the hosts: the Lease, and before any API server answers and beside it, what Proxmox makes atomically."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapters.leased import LEASE_S, WATCH_S
from adapters.proxmox.reserving import MayNotReserve
from adapters.reserved import LOOK_S
from engine.errors import JournalBusy, TransientError
from tests.adapters.leasing import GONE, THEIRS, Host, Machines, beside, darkening, early


@pytest.fixture
def machines() -> Iterator[Machines]:
    made = Machines()
    yield made
    made.clock.bury()


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


class TestIntoTheDark:
    """Hosts that go off: with a majority of them goes whatever could be reserved or given back."""

    def test_they_are_reserved_as_long_as_a_majority_stays_and_nothing_is_left_behind(self, machines: Machines) -> None:
        host = Host()
        act = darkening(machines, host)
        act.proxmox.shut_down_host("pve-3")
        assert host.kept == {"blackstart-house": host.owner}
        act.proxmox.shut_down_host("pve-2")
        assert host.kept == {}, "a moment later nobody could take it away"
        act.proxmox.shut_down_host("pve-1")
        host.trouble = TransientError("no Proxmox endpoint can be reached")
        machines.lease.drop()
        assert host.on == []

    def test_one_that_stays_on_gives_it_back_at_its_end(self, machines: Machines) -> None:
        host = Host()
        darkening(machines, host).proxmox.shut_down_host("pve-3")
        machines.lease.drop()
        assert host.kept == {}

    @pytest.mark.parametrize("on", [["pve-1", "pve-2", "pve-3"], ["pve-1", "pve-2"], ["pve-1"]])
    def test_what_a_dead_run_of_this_machine_left_keeps_nobody_out_and_goes_where_it_can(
        self, on: list[str], machines: Machines
    ) -> None:
        host = Host(kept={"blackstart-house": GONE}, gone=lambda process: process.startswith("process 3 "), on=on)
        darkening(machines, host).proxmox.shut_down_host("pve-1")
        assert "pve-1" not in host.on and bool(host.kept) == (len(on) != 1)

    def test_without_a_majority_that_nobody_has_reserved_them_must_do(self, machines: Machines) -> None:
        host = Host(on=["pve-1"])
        darkening(machines, host).proxmox.shut_down_host("pve-1")
        assert host.on == []

    @pytest.mark.parametrize("on", [["pve-1", "pve-2", "pve-3"], ["pve-1", "pve-2"], ["pve-1"]])
    def test_another_machines_run_keeps_it_out(self, on: list[str], machines: Machines) -> None:
        host = Host(kept={"blackstart-house": THEIRS}, on=on)
        with pytest.raises(JournalBusy):
            darkening(machines, host).proxmox.shut_down_host("pve-1")
        assert "pve-1" in host.on

    def test_one_that_comes_in_between_is_seen(self, machines: Machines) -> None:
        host = Host(on=["pve-1", "pve-2"])
        act = darkening(machines, host)
        act.proxmox.shut_down_host("pve-2")
        host.kept["blackstart-house"] = THEIRS
        with pytest.raises(JournalBusy):
            act.proxmox.shut_down_host("pve-1")

    def test_a_token_that_may_not_reserve_is_let_through(self, machines: Machines) -> None:
        host = Host(trouble=MayNotReserve("lacks Pool.Allocate"), on=["pve-1", "pve-2"])
        darkening(machines, host).proxmox.shut_down_host("pve-1")
        assert host.on == ["pve-2"]

    def test_to_wake_one_needs_nothing_of_it(self, machines: Machines) -> None:
        host = Host(kept={"blackstart-house": THEIRS}, on=["pve-1"])
        darkening(machines, host).proxmox.wake_host("pve-2")
        assert host.on == ["pve-1", "pve-2"]
