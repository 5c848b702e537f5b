"""dr.release of a database that the hold refuses to have made."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.hold.results import HoldState
from console.verbs.dr import restore as dr
from engine.errors import PermanentError, SettingsInvalid
from house.values.databases import Database
from tests.console.modelled_doors import Desk
from tests.console.printed import Printed, last_line

A_DATABASE = Database("apps", "postgres", "apps/notes", archives=True, recovers=False, declared_in="apps/db.yaml:1")


class TestDatabases:
    """A CloudNativePG cluster that archives and has no bootstrap.recovery: the hold refuses to have it made."""

    @pytest.fixture
    def desk(self, tmp_path: Path) -> Desk:
        house = {"databases": (A_DATABASE, replace(A_DATABASE, name="recovers", recovers=True))}
        return Desk.bootstrapped(tmp_path, **house)

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
        assert "database apps/postgres: accepted-empty for" in capsys.readouterr().out

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
        desk = Desk.bootstrapped(tmp_path, databases=(replace(A_DATABASE, name="notes"),))
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
