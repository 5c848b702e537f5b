"""What a drill that was killed left goes with the next run that may change something; a drill that lives is left alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapters.drilled import drilled
from adapters.kubernetes.results import LeaseHolder
from adapters.surface import read_only
from console.opened.journals import REHEARSE, journal_folder
from console.session import Session
from engine.errors import EXIT_OK
from engine.journal import Journal, open_journal
from engine.waiting import SystemClock
from engine.workers import Threads
from house.model import House
from tests.console.modelled_doors import Desk, ModelledDoors
from tests.console.printed import Printed, last_line


@pytest.fixture
def living(held_desk: Desk) -> Desk:
    """A house that was built and restored, in which a drill was killed."""
    assert held_desk.running.apply(held_desk.running.restore).converged
    held_desk.running.home.act("dead").drills.fence_in("a dead one")
    return held_desk


def session(desk: Desk, verb: str = "dr.restore") -> Session:
    def doors(house: House, run: str, clock: SystemClock, journal: Journal | None) -> ModelledDoors:
        raw = replace(desk.spoil(desk.running.home.act(run)), clock=desk.time)
        act, _ = drilled(raw, "this-machine:rehearsal", Threads())
        return ModelledDoors(read_only(raw), act)

    made = Session(verb, desk.running.house, desk.doors, True, drill_doors=None if verb == REHEARSE else doors)
    made.clock = desk.time  # type: ignore[assignment]  # the modelled house's
    return made


def run(desk: Desk, capsys: Printed, verb: str = "dr.restore") -> Any:
    assert session(desk, verb).apply(desk.running.restore) == EXIT_OK
    return last_line(capsys).get("rehearsal")


def drill(desk: Desk) -> object:
    return desk.running.home.kube.objects().drill


def test_the_next_run_clears_it_away_and_says_so(living: Desk, capsys: Printed) -> None:
    told = run(living, capsys)
    assert (told["cleared"], told["found"]) == (True, ["namespace blackstart-rehearsal"])
    assert told["told"] == "Cleared away: 1 thing of a rehearsal that was cut off"
    assert drill(living) is None
    assert not list((living.running.house.state_dir / "runs").glob("*-clearing")), "no run that anybody asked for"
    assert run(living, capsys) is None


def test_one_that_goes_on_on_this_machine_is_left_alone(living: Desk, capsys: Printed) -> None:
    house = living.running.house
    with open_journal(journal_folder(house.state_dir, REHEARSE), lineage=house.id, run="a drill"):
        told = run(living, capsys)
    assert not told["cleared"] and "goes on on this machine" in told["told"]
    assert drill(living) is not None


def test_one_that_goes_on_on_another_machine_is_left_alone(living: Desk, capsys: Printed) -> None:
    objects, world = living.running.home.kube.objects(), living.running.home.world

    def renew(count: int) -> None:
        objects.drill_lease = LeaseHolder("another machine", str(count))
        world.after(5, "renewed", lambda: renew(count + 1))

    renew(1)
    told = run(living, capsys)
    assert not told["cleared"] and "Not cleared away" in told["told"]
    assert drill(living) is not None


def test_what_does_not_go_is_listed_within_a_limit(living: Desk, capsys: Printed) -> None:
    living.running.home.kube.objects().rigged.stuck = True
    before = living.running.clock.monotonic()
    told = run(living, capsys)
    assert (told["cleared"], told["found"]) == (False, ["namespace blackstart-rehearsal"])
    assert living.running.clock.monotonic() - before < 240


def test_a_cluster_that_gives_no_answer_is_no_trouble(living: Desk, capsys: Printed) -> None:
    from console.opened.leftovers import left_by_drills
    from engine.errors import TransientError

    class Silent:
        def scratch(self) -> None:
            raise TransientError("no answer")

    assert left_by_drills(replace(living.running.home.look(), drills=Silent())) == ()  # type: ignore[arg-type]  # one look of it
