"""dr.restore: which claims it takes, and that it is a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.hold.results import HoldState
from console.ending import guarded
from console.verbs.dr import restore as dr
from engine import errors
from engine.errors import SettingsInvalid
from engine.journal import open_journal, read_state
from engine.sealed.entries import Begin
from house.model import Requirement
from recovery.steps.hold.first_backup import trigger_of
from tests.builders import a_claim, an_app
from tests.console.modelled_doors import Desk
from tests.console.printed import Printed


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
        desk = Desk.bootstrapped(tmp_path, claims=(a_claim(requirement=Requirement(False, 0.0, 0)),))
        desk.running.apply(desk.running.restore)
        desk.running.home.store.repositories.clear()
        assert dr.restore_course(desk.session("dr.restore"), "", "").steps == ()

    def test_one_that_was_named_leaves_the_others_held_and_the_run_ends_so(self, tmp_path: Path) -> None:
        desk = Desk.bootstrapped(tmp_path, claims=(a_claim(), a_claim("photos")), flux_apps=(an_app("notes"), an_app("photos")))
        report = desk.running.apply(dr.restore_course(desk.session("dr.restore"), "notes", ""))
        assert report.exit_code == errors.EXIT_HELD, report.root_causes
        assert [step.evidence for step in report.held] == [("apps/photos",)]
        assert desk.running.apply(dr.restore_course(desk.session("dr.restore"), "", "")).exit_code == errors.EXIT_OK

    def test_a_time_that_is_none_is_told_with_a_right_one(self, held_desk: Desk) -> None:
        with pytest.raises(SettingsInvalid, match="right would be"):
            dr.restore_course(held_desk.session("dr.restore"), "", "yesterday")


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
