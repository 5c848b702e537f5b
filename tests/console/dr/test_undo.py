"""dr.undo: a plan without consent, the act with it, what is kept in dr.hold, and the JSON of each."""

from __future__ import annotations

import pytest

from console.ending import guarded
from console.verbs.dr import restore as dr
from console.verbs.dr import undo
from engine import errors
from lab.world.store import a_file
from recovery.course import course
from recovery.courses.undoing import to_undo, undo_course
from tests.console.modelled_doors import Desk
from tests.console.printed import Printed, last_line
from tests.hands import only

KEY = ("apps", "notes")
MINE = (a_file("notes/one.md", "written this morning"),)


@pytest.fixture
def replaced_desk(held_desk: Desk) -> Desk:
    """A desk whose one claim was restored over data that were alive."""
    running = held_desk.running
    running.apply(running.restore)
    running.home.kube.objects().claims[KEY].entries = MINE
    whole = course(running.house, running.house.claims, again=running.house.claims)
    assert running.apply(whole, running.consent(whole)).exit_code == errors.EXIT_OK
    return held_desk


def test_without_consent_it_is_a_plan_that_names_both(replaced_desk: Desk, capsys: Printed) -> None:
    desk = replaced_desk
    assert undo.undo_of(desk.session("dr.undo", json=True), "notes", "") == errors.EXIT_PLAN_HAS_CHANGES
    (line,) = [line for line in last_line(capsys)["lines"] if line["id"] == "undo.begin/apps/notes"]
    goes, back = line["evidence"]
    assert "goes, its volume is kept" in goes
    assert "comes back" in back


def test_one_that_was_cut_off_goes_on_without_being_asked_for_again(replaced_desk: Desk, capsys: Printed) -> None:
    running = replaced_desk.running
    claim, volume = to_undo(running.home.look(), running.house, "notes")
    whole = undo_course(running.house, claim, volume.name)
    part = only(whole, "hold.", "undo.begin", "recovery.", "undo.delete-claim", "undo.put-back", "undo.bound")
    running.apply(part, running.consent(whole))
    assert undo.undo_of(replaced_desk.session("dr.undo"), "notes", "") == errors.EXIT_OK
    assert "apps/notes has volume vol-" in capsys.readouterr().out.replace("\n", " ")
    assert running.home.kube.objects().claims[KEY].entries == MINE


def test_what_is_kept_is_listed_and_goes_by_consent(replaced_desk: Desk, capsys: Printed) -> None:
    desk = replaced_desk
    assert dr.hold_of(desk.session("dr.hold")) == errors.EXIT_OK
    assert "back with: invoke dr.undo apps/notes; gone with: invoke dr.undo apps/notes --let-go" in capsys.readouterr().out
    dr.hold_of(desk.session("dr.hold", json=True))
    (told,) = last_line(capsys)["kept"]
    assert (told["claim"], told["state"]) == ("notes", "free")
    assert undo.let_go_of(desk.session("dr.undo", json=True), "notes", "") == errors.EXIT_PLAN_HAS_CHANGES
    digest = last_line(capsys)["plan"]
    assert undo.let_go_of(desk.session("dr.undo"), "notes", digest) == errors.EXIT_OK
    assert "Nothing is kept of apps/notes any more" in capsys.readouterr().out
    assert desk.running.home.kube.objects().kept == {}


def test_with_nothing_kept_one_sentence_says_so(held_desk: Desk, capsys: Printed) -> None:
    code = guarded("dr.undo", False, lambda: undo.undo_of(held_desk.session("dr.undo"), "notes", ""))
    assert code == errors.PermanentError.exit_code
    assert "nothing is kept of apps/notes that could come back" in capsys.readouterr().err
