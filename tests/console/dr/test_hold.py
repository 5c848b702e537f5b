"""dr.hold: what is held, with what lifts it, and a hold from now on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.hold.results import HoldState
from console.verbs.dr import restore as dr
from engine import errors
from engine.errors import PermanentError, SettingsInvalid
from tests.builders import a_claim, an_app
from tests.console.modelled_doors import Desk
from tests.console.printed import Printed


class TestHold:
    def test_what_is_held_is_listed_with_what_comes_next(self, held_desk: Desk, capsys: Printed) -> None:
        assert dr.hold_of(held_desk.session("dr.hold")) == errors.EXIT_HELD
        shown = capsys.readouterr().out
        assert "1 of 1 held" in shown
        assert "Next: invoke dr.restore" in shown

    def test_a_hold_whose_policies_are_gone_is_not_called_a_hold(self, held_desk: Desk, capsys: Printed) -> None:
        held_desk.running.home.kube.objects().policies_bite_at = None
        assert dr.hold_of(held_desk.session("dr.hold")) == errors.EXIT_HELD
        assert "; and 1 policy of the hold is absent or differs: " in capsys.readouterr().out

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


class TestHeldAndNotInGitAnyMore:
    """Its backup was taken out of the repository while it was held: no restore knows it, and it must not stay held for good."""

    @pytest.fixture
    def left(self, tmp_path: Path) -> Desk:
        desk = Desk.bootstrapped(tmp_path, claims=(a_claim(), a_claim("photos")), flux_apps=(an_app("notes"), an_app("photos")))
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
