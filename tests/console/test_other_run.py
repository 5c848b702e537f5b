"""A plan of any verb tells beforehand that another run has reserved the hosts: who, since when, and what a run would do."""

from __future__ import annotations

import pytest

from adapters.proxmox.reserving import pool_of
from console.ending import guarded
from console.verbs import dr, power
from engine import errors
from engine.words import some
from lab.world.pve_access import PRIVILEGES
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
    return session.plan(dr.restore_course(session, "", ""))


class TestAVerbThatChangesTheClusterAlone:
    def test_its_plan_says_who_has_the_hosts_and_that_a_run_would_change_nothing(self, held_desk: Desk, capsys: Printed) -> None:
        of_a_restore(held_desk, json=True)
        free = last_line(capsys)
        assert free["other_run"] == {"hosts": "nobody", "owner": "", "since": 0.0, "told": ""}
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
        desk.session("cluster.plan", json=True).plan(desk.running.bootstrap)
        told = last_line(capsys)
        row = next(line for line in told["lines"] if line["id"] == "proxmox.lift-reservation")
        assert row["after"], "a preflight said no, and nothing behind it was looked at"
        assert told["other_run"]["told"].startswith(f"Another run has the hosts: reserved by {THEIRS}")
        assert told["other_run"]["told"].endswith(
            f"Until it is gone this one begins nothing; after {some(row['after'], 1)} it asks for your consent to take that away."
        )
