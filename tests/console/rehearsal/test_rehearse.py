"""dr.rehearse through a session: its exit code by the verdict, its words, its evidence, and whose turn is next."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.drilled import drilled
from adapters.surface import read_only
from console.ending import guarded
from console.opened.journals import REHEARSE
from console.pastdrills import past_drills
from console.session import Session
from console.verbs.dr.rehearse import Asked, rehearse_of, seconds_of
from engine import errors
from engine.errors import SettingsInvalid
from engine.journal import Journal, read_state
from engine.waiting import SystemClock
from engine.workers import Threads
from house.model import House
from rehearsal.choosing import Budget
from tests.console.modelled_doors import Desk, ModelledDoors
from tests.console.printed import Printed, last_line


@pytest.fixture
def living(held_desk: Desk) -> Desk:
    """A house that was built and restored."""
    assert held_desk.running.apply(held_desk.running.restore).converged
    return held_desk


def session(desk: Desk, *, json_: bool = True) -> Session:
    """One invocation of the verb."""

    def doors(house: House, run: str, clock: SystemClock, journal: Journal | None) -> ModelledDoors:
        raw = replace(desk.spoil(desk.running.home.act(run)), clock=desk.time)
        act, _ = drilled(raw, "this-machine:rehearsal", Threads())
        return ModelledDoors(read_only(raw), act)

    return Session(REHEARSE, desk.running.house, doors, json_)


def rehearsed(desk: Desk, *, json_: bool = True, claims: str = "", budget: Budget = Budget()) -> int:  # noqa: B008 - it is frozen
    """As the verb does it."""
    return guarded(REHEARSE, json_, lambda: rehearse_of(session(desk, json_=json_), Asked(claims), budget))


def test_a_pass_is_0_and_the_next_drill_plants_something_else(living: Desk, capsys: Printed) -> None:
    assert rehearsed(living) == errors.EXIT_OK
    told = last_line(capsys)["drill"]
    assert isinstance(told, dict)
    assert (told["verdict"], told["control"]["name"], told["simulated"]) == ("PASS", "byte-flipped", True)
    assert past_drills(living.running.house, living.time.now()).proven.keys() == {"apps/notes"}
    assert rehearsed(living) == errors.EXIT_OK
    again = last_line(capsys)["drill"]
    assert isinstance(again, dict)
    assert again["control"]["name"] == "wrong-password"
    assert living.running.home.kube.objects().drill is None


def test_a_backup_that_is_gone_is_4(living: Desk, capsys: Printed) -> None:
    living.running.home.store.repositories.clear()
    living.running.home.store.make(living.running.house.claims[0].mover_repository)
    assert rehearsed(living, json_=False) == errors.EXIT_REHEARSAL_FAIL
    out = capsys.readouterr().out
    assert "FAIL: apps/notes: empty" in out
    assert "Simulated: this says nothing about a real house." in out


def test_a_store_that_is_silent_is_5(living: Desk, capsys: Printed) -> None:
    living.running.home.store.down = True
    assert rehearsed(living) == errors.EXIT_REHEARSAL_UNVERIFIED
    assert last_line(capsys)["exit_code"] == errors.EXIT_REHEARSAL_UNVERIFIED


def test_a_budget_goes_by_what_the_stores_hold(living: Desk, capsys: Printed) -> None:
    (repository,) = living.running.home.store.repositories.values()
    size = sum(entry.size for entry in repository.snapshots[-1].entries)
    assert rehearsed(living, budget=Budget(bytes=size, egress=3 * size)) == errors.EXIT_OK
    capsys.readouterr()
    assert rehearsed(living, budget=Budget(bytes=size - 1)) == SettingsInvalid.exit_code
    assert f"apps/notes: {size} bytes did not fit" in capsys.readouterr().out
    living.running.home.store.down = True
    assert rehearsed(living, budget=Budget(egress=1 << 40)) == SettingsInvalid.exit_code
    assert "apps/notes: its size is not known" in capsys.readouterr().out


def test_what_cannot_begin_is_told_with_the_claims_that_it_was_of(
    living: Desk, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["invoke", "dr.rehearse", "--claims", "apps/notes"])
    living.running.home.kube.api_down |= {node.address for node in living.running.house.control_planes}
    assert rehearsed(living, claims="apps/notes", json_=False) != errors.EXIT_OK
    assert "while     invoke dr.rehearse --claims apps/notes\n" in capsys.readouterr().err


def test_what_broke_off_names_its_claims_in_the_command_that_goes_on(living: Desk, capsys: Printed) -> None:
    living.running.home.store.down = True
    assert rehearsed(living, claims="apps/notes", json_=False) != errors.EXIT_OK
    assert "Next: invoke dr.rehearse --claims apps/notes\n" in capsys.readouterr().out


@pytest.mark.parametrize(("asked", "words"), [
    (Asked(), ""), (Asked("a,b", max_bytes="2GiB", max_time="1h"), " --claims a,b --max-bytes 2GiB --max-time 1h"),
    (Asked(clean=True), " --clean"),
    (Asked("a", from_kit="/a kit.age", identity="/key"), " --from-kit '/a kit.age' --identity /key --claims a"),
])  # fmt: skip
def test_it_is_typed_again_as_it_was(asked: Asked, words: str) -> None:
    assert asked.typed == f"invoke dr.rehearse{words}"


def test_a_claim_that_nobody_knows_is_told_with_those_that_are_known(living: Desk, capsys: Printed) -> None:
    assert rehearsed(living, claims="apps/notse", json_=False) == SettingsInvalid.exit_code
    told = capsys.readouterr().err
    assert "apps/notse names no claim" in told
    assert "hint      right would be NAMESPACE/NAME, as in apps/notes" in told


def test_what_is_left_of_a_killed_one_is_cleared_first(living: Desk, capsys: Printed) -> None:
    living.running.home.act("dead").drills.fence_in("a dead one")
    assert rehearsed(living) == errors.EXIT_OK
    told = last_line(capsys)["drill"]
    assert isinstance(told, dict)
    assert told["verdict"] == "PASS"
    assert living.running.home.kube.objects().drill is None


def test_a_drill_waits_for_no_lock_of_the_house(living: Desk, tmp_path: Path, capsys: Printed) -> None:
    house = living.running.house
    from engine.journal import open_journal

    with open_journal(house.state_dir, lineage=house.id, run="a run"):
        assert rehearsed(living) == errors.EXIT_OK
    assert read_state(house.state_dir / "rehearsal", lineage=house.id).lines
    capsys.readouterr()


@pytest.mark.parametrize("text", ["", "h", "0h", "-1h", "1d", "1.5h", "٣h", "1 h", "²h", f"{'9' * 5000}h", "9999999h"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(SettingsInvalid):
        seconds_of(text)


def test_times() -> None:
    assert [seconds_of(text) for text in ("90s", "30m", "2h")] == [90.0, 1800.0, 7200.0]
