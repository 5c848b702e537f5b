"""dr.*: audits and their lock, which claims a restore takes, and a hold that is lifted by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.hold.results import HoldState
from adapters.kubernetes.results import LeaseHolder
from adapters.leased import OUTLIVED_S
from console.ending import guarded
from console.verbs import dr
from engine import errors
from engine.entries import Begin, Note
from engine.errors import PermanentError, SettingsInvalid
from engine.journal import open_journal, read_state
from engine.state import PROGRAM_NOTE
from engine.step import StepId
from house.model import Database, Requirement
from recovery.steps.first_backup import trigger_of
from tests.builders import a_claim, an_app
from tests.console.modelled_doors import Desk, ModelledDoors

Printed = pytest.CaptureFixture[str]
A_DATABASE = Database("apps", "postgres", "apps/notes", archives=True, recovers=False, declared_in="apps/db.yaml:1")


def last_line(capsys: Printed) -> dict[str, Any]:
    """The `result` that a verb's JSON lines end with."""
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])["result"]
    return found


class TestWhichClaims:
    def test_without_a_name_a_claim_that_is_alive_is_left_alone(self, held_desk: Desk) -> None:
        held_desk.running.apply(held_desk.running.restore)
        course = dr.restore_course(held_desk.session("dr.restore"), "", "")
        assert [step.id for step in course.steps] == []

    def test_by_name_it_is_replaced_and_that_needs_consent(self, held_desk: Desk, capsys: Printed) -> None:
        held_desk.running.apply(held_desk.running.restore)
        course = dr.restore_course(held_desk.session("dr.restore"), "notes", "")
        assert "recovery.delete-claim/apps/notes" in {step.id for step in course.steps}
        code = guarded("dr.restore", True, lambda: held_desk.session("dr.restore", json=True).apply(course))
        assert code == errors.ApprovalMissing.exit_code
        assert held_desk.running.home.kube.objects().claims[("apps", "notes")].app_ready

    def test_without_a_name_a_replacement_that_broke_off_is_gone_on_with(self, held_desk: Desk) -> None:
        held_desk.running.apply(held_desk.running.restore)
        objects = held_desk.running.home.kube.objects()
        assert objects.record is not None
        old, entry = objects.claims.pop(("apps", "notes")), objects.record[("apps", "notes")]
        objects.record[("apps", "notes")] = replace(entry, state=HoldState.PROVEN, replaces=old.uid)
        course = dr.restore_course(held_desk.session("dr.restore"), "", "")
        assert {"recovery.start-app/apps/notes", "recovery.populate/apps/notes"} <= {step.id for step in course.steps}
        assert held_desk.running.apply(course).exit_code == errors.EXIT_OK
        assert objects.claims[("apps", "notes")].app_ready

    @pytest.mark.parametrize("number", ["", "-again-2"])  # numbered once VolSync had credited it to a run begun before
    def test_without_a_name_a_first_backup_that_broke_off_is_ended_and_the_schedule_given_back(
        self, held_desk: Desk, number: str
    ) -> None:
        running = held_desk.running
        running.apply(running.restore)
        objects = running.home.kube.objects()
        source, entry = objects.sources[("apps", "notes")], running.home.look().hold.record().claims[0]
        source.manual = source.last_manual = trigger_of(entry) + number
        course = dr.restore_course(held_desk.session("dr.restore"), "", "")
        assert "recovery.hold-again/apps/notes" not in {step.id for step in course.steps}
        assert running.apply(course).exit_code == errors.EXIT_OK
        assert source.manual == ""
        assert dr.restore_course(held_desk.session("dr.restore"), "", "").steps == ()

    def test_a_claim_that_is_alive_and_was_never_backed_up_is_left_alone_too(self, tmp_path: Path) -> None:
        desk = Desk(tmp_path, claims=(a_claim(requirement=Requirement(False, 0.0, 0)),))
        desk.running.apply(desk.running.bootstrap)
        desk.running.apply(desk.running.restore)
        desk.running.home.store.repositories.clear()
        assert dr.restore_course(desk.session("dr.restore"), "", "").steps == ()

    def test_one_that_was_named_leaves_the_others_held_and_the_run_ends_so(self, tmp_path: Path) -> None:
        desk = Desk(tmp_path, claims=(a_claim(), a_claim("photos")), flux_apps=(an_app("notes"), an_app("photos")))
        desk.running.apply(desk.running.bootstrap)
        report = desk.running.apply(dr.restore_course(desk.session("dr.restore"), "notes", ""))
        assert report.exit_code == errors.EXIT_HELD, report.root_causes
        assert [step.evidence for step in report.held] == [("apps/photos",)]
        assert desk.running.apply(dr.restore_course(desk.session("dr.restore"), "", "")).exit_code == errors.EXIT_OK

    def test_a_time_that_is_none_is_told_with_a_right_one(self, held_desk: Desk) -> None:
        with pytest.raises(SettingsInvalid, match="right would be"):
            dr.restore_course(held_desk.session("dr.restore"), "", "yesterday")


class TestHold:
    def test_what_is_held_is_listed_with_what_comes_next(self, held_desk: Desk, capsys: Printed) -> None:
        assert dr.hold_of(held_desk.session("dr.hold")) == errors.EXIT_HELD
        shown = capsys.readouterr().out
        assert "1 of 1 held" in shown
        assert "Next: invoke dr.restore" in shown

    def test_a_hold_whose_policies_are_gone_is_not_called_a_hold(self, held_desk: Desk, capsys: Printed) -> None:
        held_desk.running.home.kube.objects().policies_bite_at = None
        assert dr.hold_of(held_desk.session("dr.hold")) == errors.EXIT_HELD
        assert "of the policies that hold them are absent or differ" in capsys.readouterr().out

    def test_a_record_that_is_gone_is_neither_empty_nor_done(self, held_desk: Desk, capsys: Printed) -> None:
        held_desk.running.home.kube.objects().record = None
        assert dr.hold_of(held_desk.session("dr.hold", json=True)) == errors.EXIT_HELD
        assert json.loads(capsys.readouterr().out)["result"]["outcome"] == "no record"

    def test_a_cluster_without_a_hold_says_so(self, held_desk: Desk, capsys: Printed) -> None:
        objects = held_desk.running.home.kube.objects()
        objects.record, objects.policies_bite_at = None, None
        assert dr.hold_of(held_desk.session("dr.hold")) == errors.EXIT_OK
        assert "this cluster has no hold" in capsys.readouterr().out


class TestHoldNow:
    def test_it_is_held_and_the_way_out_is_said(self, held_desk: Desk, capsys: Printed) -> None:
        desk = held_desk
        assert desk.running.apply(desk.running.restore).exit_code == errors.EXIT_OK
        assert dr.hold_now(desk.session("dr.hold"), "notes") == errors.EXIT_HELD
        shown = capsys.readouterr().out
        assert "Held: apps/notes" in shown
        assert "invoke dr.release CLAIM --unproven --reason TEXT" in shown
        assert "Next: invoke dr.restore --claims apps/notes" in shown
        (entry,) = desk.running.home.look().hold.record().claims
        assert entry.state is HoldState.HELD

    def test_a_word_that_names_none_is_refused(self, held_desk: Desk) -> None:
        with pytest.raises(SettingsInvalid, match="nots names no claim"):
            dr.hold_now(held_desk.session("dr.hold"), "nots")


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
        desk = Desk(tmp_path, claims=(a_claim(), a_claim("photos")), flux_apps=(an_app("notes"), an_app("photos")))
        desk.running.apply(desk.running.bootstrap)
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


class TestARestoreIsARun:
    """Killed between its last act and the journal's word of it: the world is as wanted, and the same again ends the step."""

    def test_whatever_step_it_was_the_same_again_ends_it(self, held_desk: Desk) -> None:
        house = held_desk.running.house
        first = dr.restore_course(held_desk.session("dr.restore"), "", "")
        steps = [item.id for item in first.steps if item.id.endswith("/apps/notes")]
        assert held_desk.running.apply(first).exit_code == errors.EXIT_OK
        assert {step.partition("/")[0] for step in steps} >= {"recovery.pin", "recovery.release", "recovery.first-backup"}
        for step in steps:
            with open_journal(house.state_dir, lineage=house.id, run=f"dead at {step}") as journal:
                journal.append(Begin(step, ""))
            session = held_desk.session("dr.restore")
            assert held_desk.running.apply(dr.restore_course(session, "", "")).exit_code == errors.EXIT_OK, step
            assert dict(read_state(house.state_dir, lineage=house.id).in_flight) == {}, step

    def test_what_has_nothing_in_flight_is_left_alone(self, held_desk: Desk) -> None:
        session = held_desk.session("dr.restore")
        assert held_desk.running.apply(dr.restore_course(session, "", "")).exit_code == errors.EXIT_OK
        assert [item.id for item in dr.restore_course(session, "", "").steps if item.id.startswith("recovery.")] == []


class TestHeldAndNotInGitAnyMore:
    """Its backup was taken out of the repository while it was held: no restore knows it, and it must not stay held for good."""

    @pytest.fixture
    def left(self, tmp_path: Path) -> Desk:
        desk = Desk(tmp_path, claims=(a_claim(), a_claim("photos")), flux_apps=(an_app("notes"), an_app("photos")))
        desk.running.apply(desk.running.bootstrap)
        desk.running.house = replace(desk.running.house, claims=(a_claim("photos"),))
        return desk

    def test_it_is_told_apart_and_what_comes_next_is_what_can_lift_it(self, left: Desk, capsys: Printed) -> None:
        assert dr.hold_of(left.session("dr.hold")) == errors.EXIT_HELD
        shown = capsys.readouterr().out
        assert "apps/notes is held, and the repository does not declare its backup (any more)" in shown
        assert "apps/photos is held, and" not in shown
        assert "Next: invoke dr.restore" in shown
        dr.hold_of(left.session("dr.hold", json=True))
        rows = json.loads(capsys.readouterr().out)["result"]["claims"]
        assert {row["claim"]: row["declared"] for row in rows} == {"apps/notes": False, "apps/photos": True}
        assert left.running.apply(dr.restore_course(left.session("dr.restore"), "", "")).exit_code == errors.EXIT_HELD
        assert dr.hold_of(left.session("dr.hold")) == errors.EXIT_HELD
        assert "Next: invoke dr.release apps/notes --unproven --reason TEXT" in capsys.readouterr().out

    @pytest.mark.parametrize("name", ["notes", "apps/notes", "claim:notes"])
    def test_it_is_released_by_the_name_that_the_record_has(self, left: Desk, name: str, capsys: Printed) -> None:
        left.running.home.kube.objects().destinations[("apps", "notes-bootstrap")].ours = True
        with pytest.raises(SettingsInvalid, match="apps/notes is not proven"):
            dr.release_one(left.session("dr.release"), name, False, "")
        assert dr.release_one(left.session("dr.release"), name, True, "it has moved") == errors.EXIT_HELD
        assert "1 held still: apps/photos" in capsys.readouterr().out
        entry = left.running.home.look().hold.record().claim("apps", "notes")
        assert entry is not None
        assert (entry.state, entry.reason) == (HoldState.RELEASED, "by hand, unproven: it has moved")
        assert not left.running.home.kube.objects().destinations[("apps", "notes-bootstrap")].ours
        with pytest.raises(PermanentError, match="is not held: it is released"):
            dr.release_one(left.session("dr.release"), name, True, "once more")

    def test_a_name_that_neither_has_is_told_with_all_that_there_are(self, left: Desk) -> None:
        with pytest.raises(SettingsInvalid, match="no claim and no database") as told:
            dr.release_one(left.session("dr.release"), "note", True, "why")
        assert told.value.evidence == ("apps/photos", "apps/notes")
        with pytest.raises(SettingsInvalid, match="no claim and no database"):
            dr.release_one(left.session("dr.release"), "database:notes", True, "why")


class TestDatabases:
    """A CloudNativePG cluster that archives and has no bootstrap.recovery: the hold refuses to have it made."""

    @pytest.fixture
    def desk(self, tmp_path: Path) -> Desk:
        house = {"databases": (A_DATABASE, replace(A_DATABASE, name="recovers", recovers=True))}
        desk = Desk(tmp_path, **house)
        desk.running.apply(desk.running.bootstrap)
        return desk

    def test_it_is_listed_with_the_command_that_lifts_it(self, desk: Desk, capsys: Printed) -> None:
        dr.hold_of(desk.session("dr.hold"))
        shown = capsys.readouterr().out
        assert "database apps/postgres (apps/db.yaml:1) archives and has no bootstrap.recovery: it is refused when made" in shown
        assert "invoke dr.release apps/postgres --unproven --reason TEXT" in shown
        assert "apps/recovers" not in shown

    def test_it_is_released_with_a_reason_which_is_kept_and_listed(self, desk: Desk, capsys: Printed) -> None:
        for name in ("postgres", "database:apps/postgres"):
            with pytest.raises(SettingsInvalid, match="apps/postgres is not proven"):
                dr.release_one(desk.session("dr.release"), name, False, "because")
        dr.release_one(desk.session("dr.release", json=True), "apps/postgres", True, "it was a trial")
        assert last_line(capsys)["database"] == "apps/postgres"
        (accepted,) = desk.running.home.look().hold.record().databases
        assert (accepted.key, accepted.reason) == ("apps/postgres", "by hand, unproven: it was a trial")
        assert accepted.since > 0
        dr.hold_of(desk.session("dr.hold", json=True))
        (row,) = json.loads(capsys.readouterr().out)["result"]["databases"]
        assert (row["database"], row["state"], row["reason"]) == ("apps/postgres", "accepted-empty", accepted.reason)
        dr.hold_of(desk.session("dr.hold"))
        assert "database apps/postgres: accepted-empty since" in capsys.readouterr().out

    def test_the_same_again_keeps_the_first_reason_and_asks_flux_once_more(self, desk: Desk, capsys: Printed) -> None:
        for reason in ("first", "second"):
            dr.release_one(desk.session("dr.release"), "postgres", True, reason)
            desk.running.clock.sleep(60)
        assert "was accepted already" in capsys.readouterr().out
        (flux,) = (k for k in desk.running.home.look().flux.state().kustomizations if k.key == A_DATABASE.flux_app)
        assert flux.asked == desk.running.clock.now() - 60
        (accepted,) = desk.running.home.look().hold.record().databases
        assert accepted.reason == "by hand, unproven: first"

    def test_what_the_hold_does_not_refuse_is_not_released(self, desk: Desk) -> None:
        with pytest.raises(PermanentError, match="apps/recovers is not held: it is made by recovery from its archive"):
            dr.release_one(desk.session("dr.release"), "recovers", True, "why not")

    def test_one_that_the_house_does_not_declare_is_refused(self, desk: Desk) -> None:
        with pytest.raises(SettingsInvalid, match="apps/other is neither declared, nor in the hold's record"):
            dr.release_one(desk.session("dr.release"), "apps/other", True, "why not")
        with pytest.raises(SettingsInvalid, match="other names no claim and no database") as told:
            dr.release_one(desk.session("dr.release"), "other", True, "why not")
        assert "apps/postgres" in told.value.evidence

    def test_a_claim_of_the_same_name_is_told_apart(self, tmp_path: Path) -> None:
        desk = Desk(tmp_path, databases=(replace(A_DATABASE, name="notes"),))
        desk.running.apply(desk.running.bootstrap)
        with pytest.raises(SettingsInvalid, match="more than one") as told:
            dr.release_one(desk.session("dr.release"), "notes", True, "which one")
        assert told.value.evidence == ("claim:apps/notes", "database:apps/notes")
        dr.release_one(desk.session("dr.release"), "database:apps/notes", True, "this one")
        assert [c.state for c in desk.running.home.look().hold.record().claims] == [HoldState.HELD]
        desk.running.apply(desk.running.bootstrap)  # now Flux makes the application, its claim among it
        dr.release_one(desk.session("dr.release"), "claim:apps/notes", True, "and this one")

    def test_without_the_record_nothing_is_written(self, desk: Desk) -> None:
        desk.running.home.kube.objects().record = None
        with pytest.raises(PermanentError, match="the hold's record is not there"):
            dr.release_one(desk.session("dr.release"), "postgres", True, "why not")
        assert not desk.running.home.look().hold.record().present
