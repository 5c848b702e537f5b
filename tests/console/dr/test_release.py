"""dr.release: a hold that is lifted by hand, as a run like every other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.hold.results import HoldState
from adapters.kubernetes.results import LeaseHolder
from adapters.leased import OUTLIVED_S
from console.verbs.dr import restore as dr
from engine import errors
from engine.errors import PermanentError, SettingsInvalid
from engine.journal import open_journal, read_state
from engine.sealed.entries import Begin, Note
from engine.state import PROGRAM_NOTE
from engine.step import StepId
from tests.builders import a_claim, an_app
from tests.console.modelled_doors import Desk, ModelledDoors
from tests.console.printed import Printed, last_line


class TestReleaseByHand:
    def test_it_needs_the_word_and_a_reason(self, held_desk: Desk) -> None:
        for unproven, reason in ((False, "because"), (True, "")):
            with pytest.raises(SettingsInvalid, match="not proven"):
                dr.release_one(held_desk.session("dr.release"), "notes", unproven, reason)
        (entry,) = held_desk.running.home.look().hold.record().claims
        assert entry.state is HoldState.HELD

    def test_the_claim_is_released_with_its_reason_and_everything_goes_on(self, held_desk: Desk, capsys: Printed) -> None:
        code = dr.release_one(held_desk.session("dr.release", json=True), "notes", True, "the data are elsewhere")
        assert code == errors.EXIT_OK
        assert last_line(capsys)["claim"] == "apps/notes"
        (entry,) = held_desk.running.home.look().hold.record().claims
        assert (entry.state, entry.reason) == (HoldState.RELEASED, "by hand, unproven: the data are elsewhere")
        held_desk.running.clock.sleep(60)
        assert held_desk.running.home.kube.objects().claims[("apps", "notes")].app_ready

    def test_while_others_are_held_it_says_so_with_its_code_and_what_comes_next(self, tmp_path: Path, capsys: Printed) -> None:
        desk = Desk.bootstrapped(tmp_path, claims=(a_claim(), a_claim("photos")), flux_apps=(an_app("notes"), an_app("photos")))
        assert dr.release_one(desk.session("dr.release"), "notes", True, "the data are elsewhere") == errors.EXIT_HELD
        shown = capsys.readouterr().out
        assert "1 held still: apps/photos" in shown
        assert "Next: invoke dr.restore" in shown
        assert dr.release_one(desk.session("dr.release", json=True), "photos", True, "these too") == errors.EXIT_OK
        result = last_line(capsys)
        assert (result["outcome"], result["counts"]) == ("done", {"released": 1, "held": 0})

    @pytest.mark.parametrize("nothing", ["", "  "])
    def test_no_name_is_not_the_only_claim_there_is(self, held_desk: Desk, nothing: str) -> None:
        with pytest.raises(SettingsInvalid, match="which claim"):
            dr.release_one(held_desk.session("dr.release"), nothing, True, "because")
        (entry,) = held_desk.running.home.look().hold.record().claims
        assert entry.state is HoldState.HELD

    def test_what_is_not_held_is_not_released_twice(self, held_desk: Desk) -> None:
        dr.release_one(held_desk.session("dr.release"), "notes", True, "first")
        with pytest.raises(PermanentError, match="is not held: it is released"):
            dr.release_one(held_desk.session("dr.release"), "notes", True, "second")

    def test_it_waits_for_no_run_and_interferes_with_none(self, held_desk: Desk) -> None:
        house = held_desk.running.house
        with open_journal(house.state_dir, lineage=house.id, run="a-run"), pytest.raises(errors.JournalBusy):
            dr.release_one(held_desk.session("dr.release"), "notes", True, "in the middle of a run")

    def test_before_flux_has_made_the_claim_it_stays_held(self, held_desk: Desk) -> None:
        objects = held_desk.running.home.kube.objects()
        objects.claims.clear()
        objects.destinations.clear()
        objects.sources.clear()
        with pytest.raises(PermanentError, match="the claim is not there, Flux has not applied it") as refused:
            dr.release_one(held_desk.session("dr.release"), "notes", True, "early")
        assert (refused.value.exit_code, refused.value.next_command) == (errors.EXIT_STEP_FAILED, "invoke dr.hold")
        state = read_state(held_desk.running.house.state_dir, lineage=held_desk.running.house.id)
        assert (state.last_run, dict(state.in_flight)) == ("run-1", {}), "nothing was begun"
        assert held_desk.running.home.look().hold.record().claims[0].state is HoldState.HELD

    def test_what_the_record_does_not_have_cannot_be_released(self, held_desk: Desk) -> None:
        objects = held_desk.running.home.kube.objects()
        objects.record = {}
        with pytest.raises(PermanentError, match="not in the hold's record"):
            dr.release_one(held_desk.session("dr.release"), "notes", True, "why not")


class TestAReleaseIsARun:
    """Lock, journal, signals and what a dead run left: as for every verb that changes something."""

    STEP = "hold.release/apps/notes"

    def test_it_is_journalled_as_a_step(self, held_desk: Desk) -> None:
        dr.release_one(held_desk.session("dr.release"), "notes", True, "enough")
        state = read_state(held_desk.running.house.state_dir, lineage=held_desk.running.house.id)
        assert (state.last[self.STEP].outcome, dict(state.in_flight)) == ("changed", {})
        assert "released" in state.last[self.STEP].detail

    def test_told_to_stop_before_it_began_it_has_changed_nothing_and_says_how_to_go_on(
        self, held_desk: Desk, capsys: Printed
    ) -> None:
        session = held_desk.session("dr.release")
        session.stop.request("Ctrl-C")
        assert dr.release_one(session, "notes", True, "it's enough") == errors.EXIT_INTERRUPTED
        (entry,) = held_desk.running.home.look().hold.record().claims
        assert entry.state is HoldState.HELD
        told = " ".join(capsys.readouterr().out.split())
        assert """Next: invoke dr.release notes --unproven --reason 'it'"'"'s enough'""" in told

    def test_what_a_dead_run_had_done_but_not_ended_is_seen_and_ended(self, held_desk: Desk, capsys: Printed) -> None:
        house = held_desk.running.house
        dr.release_one(held_desk.session("dr.release"), "notes", True, "first")
        with open_journal(house.state_dir, lineage=house.id, run="dead") as journal:
            journal.append(Begin(StepId(self.STEP), ""))
        assert dr.release_one(held_desk.session("dr.release"), "notes", True, "second") == errors.EXIT_OK
        assert "it is released: by hand, unproven: first" in " ".join(capsys.readouterr().out.split())
        assert not read_state(house.state_dir, lineage=house.id).in_flight

    def test_what_a_dead_run_had_begun_and_whose_claim_is_gone_ends_soon_and_lets_nothing_go(
        self, held_desk: Desk, capsys: Printed
    ) -> None:
        house, objects = held_desk.running.house, held_desk.running.home.kube.objects()
        objects.claims.clear()
        with open_journal(house.state_dir, lineage=house.id, run="dead") as journal:
            journal.append(Begin(StepId(self.STEP), ""))
        session = held_desk.session("dr.release")
        before = session.clock.monotonic()
        assert dr.release_one(session, "notes", True, "early") == errors.EXIT_STEP_FAILED
        assert session.clock.monotonic() - before < 5
        assert "the claim is not there, Flux has not applied it" in " ".join(capsys.readouterr().out.split())
        assert held_desk.running.home.look().hold.record().claims[0].state is HoldState.HELD

    def test_another_machine_at_work_keeps_it_out_and_nothing_is_let_go(self, held_desk: Desk, capsys: Printed) -> None:
        home = held_desk.running.home
        objects = home.kube.objects()

        def renew() -> None:
            objects.lease = LeaseHolder("another", str(home.clock.monotonic()))
            home.world.after(20, "another machine renews", renew)

        renew()
        code = dr.release_one(held_desk.session("dr.release"), "notes", True, "enough")
        told = " ".join(capsys.readouterr().out.split())
        assert (code, home.look().hold.record().claims[0].state) == (errors.JournalBusy.exit_code, HoldState.HELD), told
        assert "another machine is at work on this house" in told

    def test_a_lease_that_nobody_renews_is_waited_out(self, held_desk: Desk) -> None:
        home = held_desk.running.home
        home.kube.objects().lease = LeaseHolder("dead", "7")
        before = home.clock.monotonic()
        assert dr.release_one(held_desk.session("dr.release"), "notes", True, "enough") == errors.EXIT_OK
        assert home.clock.monotonic() - before >= OUTLIVED_S
        assert home.look().hold.record().claims[0].state is HoldState.RELEASED

    def test_a_program_that_a_dead_run_left_is_ended_before_it(self, held_desk: Desk) -> None:
        house = held_desk.running.house
        ended: list[tuple[int, str]] = []
        with open_journal(house.state_dir, lineage=house.id, run="dead") as journal:
            journal.append(Note("", PROGRAM_NOTE, json.dumps([4711, "12.5", "helm of a dead run"])))

        def doors(*given: Any) -> ModelledDoors:
            found = held_desk.doors(*given)
            found.end_group = lambda group, started: ended.append((group, started)) is None
            return found

        session = held_desk.session("dr.release")
        session.open_doors = doors
        assert dr.release_one(session, "notes", True, "enough") == errors.EXIT_OK
        assert ended == [(4711, "12.5")]
