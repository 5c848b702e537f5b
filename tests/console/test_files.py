"""`dr.list` and `dr.fetch`: what a person sees, what is refused before anything is written, and that nothing is called nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console.verbs import files
from engine.errors import EXIT_OK, EXIT_STEP_FAILED, PermanentError, SettingsInvalid
from lab.world.store import Trouble, a_file
from tests.builders import a_claim
from tests.console.modelled_doors import Desk

Printed = pytest.CaptureFixture[str]
HOUR_S = 3600.0


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A claim with four snapshots: a file comes, changes once, and goes."""
    made = Desk(tmp_path)
    store, now = made.running.home.store, made.running.clock.now()
    address = a_claim().mover_repository
    store.repositories[address].snapshots.clear()
    kept = a_file("keep.txt", "kept")
    for age, text in ((5, ""), (4, "one"), (3, "other"), (2, "other"), (1, "")):
        entries = (kept, a_file("app.db", text)) if text else (kept,)
        store.back_up(address, entries, now - age * HOUR_S)
    return made


def result(capsys: Printed) -> dict[str, object]:
    told: dict[str, object] = json.loads(capsys.readouterr().out.splitlines()[-1])["result"]
    return told


def test_without_a_path_all_snapshots_are_listed(desk: Desk, capsys: Printed) -> None:
    assert files.list_of(desk.session("dr.list"), a_claim(), "", "") == EXIT_OK
    out = capsys.readouterr().out
    assert "apps/notes: 5 snapshots. Nothing was changed." in out and "invoke dr.list apps/notes PATH" in out


def test_a_file_is_told_by_its_versions(desk: Desk, capsys: Printed) -> None:
    assert files.list_of(desk.session("dr.list", json=True), a_claim(), "/app.db", "") == EXIT_OK
    versions = result(capsys)["versions"]
    assert isinstance(versions, list)
    assert [(len(one["snapshots"]), one["entry"] and one["entry"]["bytes"]) for one in versions] == [
        (1, None), (2, 5), (1, 3), (1, None),
    ]  # fmt: skip
    assert files.list_of(desk.session("dr.list"), a_claim(), "app.db", "") == EXIT_OK
    out = capsys.readouterr().out
    assert "invoke dr.fetch apps/notes app.db --into FOLDER --as-of" in out and "nothing" in out


def test_a_folder_shows_what_is_in_it(desk: Desk, capsys: Printed) -> None:
    assert files.list_of(desk.session("dr.list"), a_claim(), "/", "") == EXIT_OK
    out = capsys.readouterr().out
    assert "keep.txt" in out and "folder of 2 entries" in out


def test_what_no_snapshot_has_is_no_success(desk: Desk, capsys: Printed) -> None:
    assert files.list_of(desk.session("dr.list"), a_claim(), "app.db/none", "") == EXIT_STEP_FAILED
    assert "No snapshot of apps/notes has /app.db/none." in capsys.readouterr().out


@pytest.mark.parametrize("trouble", [Trouble.DAMAGED, Trouble.REFUSED, Trouble.UNREACHABLE])
def test_a_backup_that_cannot_be_seen_is_told_by_its_verdict(desk: Desk, trouble: Trouble) -> None:
    desk.running.home.store.repositories[a_claim().mover_repository].trouble = trouble
    for asked in ("", "app.db"):
        with pytest.raises(PermanentError, match=r"^the backup of apps/notes is (un|refused)"):
            files.list_of(desk.session("dr.list"), a_claim(), asked, "")


def test_a_time_before_all_snapshots_is_refused_with_the_oldest(desk: Desk) -> None:
    with pytest.raises(PermanentError, match="as old as that"):
        files.list_of(desk.session("dr.list"), a_claim(), "app.db", "2001-01-01T00:00:00Z")


@pytest.mark.parametrize("path", ["../x", "a/../../b", "a\0b"])
def test_a_path_never_leaves_the_claim(desk: Desk, path: str) -> None:
    with pytest.raises(SettingsInvalid, match="is no path in a backup"):
        files.list_of(desk.session("dr.list"), a_claim(), path, "")


def test_nothing_that_is_there_is_overwritten(desk: Desk, tmp_path: Path) -> None:
    into = tmp_path / "into"
    into.mkdir()
    (into / "app.db").write_text("mine")
    with pytest.raises(SettingsInvalid, match="nothing is overwritten"):
        files.fetch_of(desk.session("dr.fetch"), a_claim(), "app.db", into, "")
    with pytest.raises(SettingsInvalid, match="is a file"):
        files.fetch_of(desk.session("dr.fetch"), a_claim(), "app.db", into / "app.db", "")
    assert (into / "app.db").read_text() == "mine" and len(list(into.iterdir())) == 1


def test_one_claim_and_no_more(desk: Desk) -> None:
    for word in ("", "notes,photos"):
        with pytest.raises(SettingsInvalid, match="is not one claim"):
            files.one_claim(desk.session("dr.list"), word)
