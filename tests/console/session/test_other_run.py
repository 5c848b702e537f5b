"""A plan of any verb tells beforehand that another run has the hosts or the Lease: who, since when, and what a run would do."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from adapters.kubernetes.results import LeaseHolder
from adapters.ports import Cluster
from adapters.proxmox.reserving import pool_of
from console.ending import guarded
from console.verbs.cluster import power
from console.verbs.dr import restore as dr
from engine import errors
from engine.text.words import some
from lab.world.pve.access import PRIVILEGES
from tests.console.modelled_doors import Desk
from tests.console.printed import Printed, last_line
from tests.scenario.running import Running

THEIRS = "run before, process 1 of before:1 in 1, since 2025-06-15T"


def reserved(running: Running, machine: str = "another-machine") -> None:
    """A run of that machine has the hosts, for ten minutes now."""
    running.home.act("before", machine).proxmox.reserve()
    running.clock.sleep(600)


def of_a_restore(desk: Desk, *, json: bool = False) -> int:
    session = desk.session("dr.plan", json=json)
    return session.plan(dr.restore_course(session, "", ""), act="invoke dr.restore")


class TestAVerbThatChangesTheClusterAlone:
    def test_its_plan_says_who_has_the_hosts_and_that_a_run_would_change_nothing(self, held_desk: Desk, capsys: Printed) -> None:
        of_a_restore(held_desk, json=True)
        free = last_line(capsys)
        assert free["other_run"] == {"hosts": "nobody", "owner": "", "since": 0.0, "told": "", "holder": ""}
        reserved(held_desk.running)
        of_a_restore(held_desk)
        out = " ".join(capsys.readouterr().out.split())
        assert f"Another run has the hosts: reserved by {THEIRS}" in out
        assert "on another-machine:/state, 10 min ago by that machine's clock. Until it is gone this one changes nothing" in out
        assert "and ends with 11: wait for it; if you know that it is dead, cluster.bootstrap takes that away, by consent" in out

    def test_and_so_it_is_of_a_run(self, held_desk: Desk) -> None:
        reserved(held_desk.running)
        session = held_desk.session("dr.restore", json=True)
        course = dr.restore_course(session, "", "")
        assert guarded("dr.restore", True, lambda: session.apply(course)) == errors.JournalBusy.exit_code

    def test_its_consent_is_the_same_with_it_and_without(self, held_desk: Desk, capsys: Printed) -> None:
        of_a_restore(held_desk, json=True)
        free = last_line(capsys)
        reserved(held_desk.running)
        of_a_restore(held_desk, json=True)
        taken = last_line(capsys)
        assert (taken["plan"], taken["exit_code"], taken["lines"]) == (free["plan"], free["exit_code"], free["lines"])
        assert (taken["other_run"]["hosts"], taken["other_run"]["owner"][:10]) == ("another run", "run before")

    def test_what_a_dead_run_of_this_machine_left_keeps_nobody_out(self, held_desk: Desk, capsys: Printed) -> None:
        reserved(held_desk.running, "this-machine")
        of_a_restore(held_desk, json=True)
        told = last_line(capsys)["other_run"]
        assert (told["hosts"], told["told"]) == ("a run of this machine that is gone", "")

    @pytest.mark.parametrize("lacking", ["host", "privilege"])
    def test_what_nobody_could_see_is_not_told_as_nobody(self, lacking: str, held_desk: Desk, capsys: Printed) -> None:
        reserved(held_desk.running)
        pve = held_desk.running.home.proxmox
        if lacking == "host":
            for host in list(pve.hosts):
                pve.hosts[host].online = False
        else:
            pve.access.tokens[held_desk.running.house.proxmox.token_id].rights["/pool"] = PRIVILEGES - {"Pool.Audit"}
        of_a_restore(held_desk)
        out = " ".join(capsys.readouterr().out.split())
        assert "Whether another run has reserved the hosts is not known: " in out and "would go on without that answer." in out

    def test_words_of_the_pool_that_move_the_screen_do_not(self, held_desk: Desk, capsys: Printed) -> None:
        held_desk.running.home.proxmox.pools.comments[pool_of(held_desk.running.house.id)] = "by hand\x1b[2J"
        of_a_restore(held_desk)
        assert "\x1b" not in capsys.readouterr().out


class TestAVerbWithTheStepThatTakesItAway:
    def test_what_a_row_says_is_not_said_again(self, held_desk: Desk, capsys: Printed) -> None:
        reserved(held_desk.running)
        power.stop_of(held_desk.session("cluster.stop"), "")
        out = " ".join(capsys.readouterr().out.split())
        assert out.count(THEIRS) > 0 and "Until it is gone" not in out

    def test_where_that_row_is_not_known_yet_it_is_said_all_the_same(self, desk: Desk, capsys: Printed) -> None:
        reserved(desk.running)
        house = desk.running.house
        desk.running.home.proxmox.access.tokens[house.proxmox.token_id].rights["/nodes"] = PRIVILEGES - {"Sys.AccessNetwork"}
        desk.session("cluster.plan", json=True).plan(desk.running.bootstrap, act="")
        told = last_line(capsys)
        row = next(line for line in told["lines"] if line["id"] == "proxmox.lift-reservation")
        assert row["after"], "a preflight said no, and nothing behind it was looked at"
        assert told["other_run"]["told"].startswith(f"Another run has the hosts: reserved by {THEIRS}")
        assert told["other_run"]["told"].endswith(
            f"Until it is gone this one begins nothing; after {some(row['after'], 1)} it asks for your consent to take that away."
        )


class TestTheLease:
    """Whether its holder lives only its renewal tells: a plan that saw none says that it does not know."""

    HOLDER = "attic-1a2b3c4d:/state"

    def taken(self, desk: Desk, holder: str = HOLDER, *, renewed: bool = False) -> LeaseHolder:
        """Taken ten minutes ago; with `renewed` renewed beside each plan, as soon as that has looked once."""
        home = desk.running.home
        made = home.act("before").cluster.take_lease(holder, 60)
        home.clock.sleep(600)
        if renewed:
            desk.spoil = lambda act: replace(act, cluster=cast("Cluster", Renewing(act.cluster, holder)))
        return made

    def test_nobody_has_it(self, held_desk: Desk, capsys: Printed) -> None:
        of_a_restore(held_desk, json=True)
        assert last_line(capsys)["lease"] == {"held": "nobody", "holder": "", "since": 0.0, "watched_s": 0.0, "told": ""}

    def test_one_that_is_renewed_meanwhile_is_a_run_at_work(self, held_desk: Desk, capsys: Printed) -> None:
        made = self.taken(held_desk, renewed=True)
        of_a_restore(held_desk, json=True)
        told = last_line(capsys)["lease"]
        assert (told["held"], told["holder"], told["since"]) == ("another machine, at work", self.HOLDER, made.since)
        assert told["told"] == (
            f"Another machine holds the house's Lease: {self.HOLDER} (10 min ago by that machine's clock). It was renewed while "
            "this plan looked: a run is at work there. Until that has ended this one changes nothing and ends with 11: wait for "
            "it, or stop it there."
        )

    @pytest.mark.parametrize("ahead_s", [0.0, -86400.0, 86400.0])
    def test_one_that_is_not_may_live_whatever_its_clock_says(self, ahead_s: float, held_desk: Desk, capsys: Printed) -> None:
        made = self.taken(held_desk)
        held_desk.running.home.kube.objects().lease = replace(made, since=made.since + ahead_s)
        of_a_restore(held_desk)
        out = " ".join(capsys.readouterr().out.split())
        assert f"Another machine holds the house's Lease: {self.HOLDER} (" in out
        assert "Whether a run is at work there is not known: it was not renewed in the " in out
        assert "renews it every 40 s. Before its first change this one watches it for up to 70 s: it goes on if nobody" in out

    def test_its_consent_is_the_same_with_it_and_without(self, held_desk: Desk, capsys: Printed) -> None:
        of_a_restore(held_desk, json=True)
        free = last_line(capsys)
        self.taken(held_desk)
        of_a_restore(held_desk, json=True)
        taken = last_line(capsys)
        assert (taken["plan"], taken["exit_code"], taken["lines"]) == (free["plan"], free["exit_code"], free["lines"])

    def test_one_that_is_taken_while_the_plan_looks_has_a_run_behind_it(self, held_desk: Desk, capsys: Printed) -> None:
        held_desk.spoil = lambda act: replace(act, cluster=cast("Cluster", Renewing(act.cluster, self.HOLDER)))
        of_a_restore(held_desk, json=True)
        assert last_line(capsys)["lease"]["held"] == "another machine, at work"

    @pytest.mark.parametrize(("renewed", "told"), [(False, ""), (True, "A run of this machine is at work on the house")])
    def test_our_own_says_something_only_while_it_is_renewed(
        self, renewed: bool, told: str, held_desk: Desk, capsys: Printed
    ) -> None:
        self.taken(held_desk, "this-machine", renewed=renewed)
        of_a_restore(held_desk, json=True)
        found = last_line(capsys)["lease"]
        assert found["held"] == "this machine" and found["told"].startswith(told) and bool(found["told"]) == renewed

    def test_the_machine_that_has_the_hosts_is_not_named_twice(self, held_desk: Desk, capsys: Printed) -> None:
        reserved(held_desk.running)
        self.taken(held_desk, "another-machine:/state", renewed=True)
        of_a_restore(held_desk)
        out = " ".join(capsys.readouterr().out.split())
        assert "The same machine holds the house's Lease as well (10 min ago by that machine's clock). It was renewed" in out
        assert out.count("another-machine:/state") == 1

    def test_a_machine_whose_name_only_ends_alike_is_another(self, held_desk: Desk, capsys: Printed) -> None:
        """The words of the reservation ended with the Lease's holder, and so were that machine's."""
        reserved(held_desk.running, "attic:/the other")
        self.taken(held_desk, "other:/state", renewed=True)
        of_a_restore(held_desk)
        assert "Another machine holds the house's Lease: other:/state" in " ".join(capsys.readouterr().out.split())

    def test_where_nobody_may_see_it_that_is_said(self, held_desk: Desk, capsys: Printed) -> None:
        self.taken(held_desk)
        held_desk.running.home.kube.objects().forbidden["lease"] = 'get resource "leases" in API group "coordination.k8s.io"'
        of_a_restore(held_desk, json=True)
        told = last_line(capsys)["lease"]
        assert told["held"] == "unknown"
        assert told["told"].startswith("Whether another machine's run holds the house's Lease is not known: ")

    def test_in_a_house_that_is_dark_the_rows_say_that_nothing_answers(self, desk: Desk, capsys: Printed) -> None:
        desk.session("cluster.plan", json=True).plan(desk.running.bootstrap, act="")
        told = last_line(capsys)["lease"]
        assert (told["held"], told["told"]) == ("unknown", "")

    def test_words_of_a_holder_that_move_the_screen_do_not(self, held_desk: Desk, capsys: Printed) -> None:
        self.taken(held_desk, "attic\x1b[2J:/state")
        of_a_restore(held_desk)
        assert "\x1b" not in capsys.readouterr().out


class Renewing:
    """A cluster whose Lease somebody takes or renews behind each look at it."""

    def __init__(self, door: Cluster, holder: str) -> None:
        self._door, self._holder = door, holder

    def __getattr__(self, name: str) -> object:
        return getattr(self._door, name)

    def lease(self) -> LeaseHolder | None:
        """See ports.ClusterView."""
        found = self._door.lease()
        self._door.take_lease(self._holder, 60)
        return found
