"""`dr.list` and `dr.fetch`: what a person sees, what is refused before anything is written, and that nothing is called nothing."""

from __future__ import annotations

import errno
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from console.ending import guarded
from console.verbs.dr import files
from engine.errors import EXIT_OK, EXIT_STEP_FAILED, PermanentError, SettingsInvalid
from house.model import BackedUpClaim
from lab.world.store import StoredSnapshot, Trouble, a_file, rfc3339
from tests.builders import a_claim
from tests.console.modelled_doors import Desk
from tests.nobody import as_nobody, own_folder
from tests.scenario.restore.test_sources import NAS, two_places

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


def stranger(desk: Desk, age_s: float, **more: object) -> StoredSnapshot:
    """One more snapshot, so long ago, newer than all others: another host's, or of a time that is still to come."""
    repository = desk.running.home.store.repositories[a_claim().mover_repository]
    made = StoredSnapshot("5" * 64, desk.session("").clock.now() - age_s, (a_file("app.db", "theirs"),), **more)  # type: ignore[arg-type]  # by name
    repository.snapshots.append(made)
    repository.snapshots.sort(key=lambda one: one.time)
    return made


ODD_ONES = pytest.mark.parametrize(("age_s", "more", "why"), [
    (-400 * 86400.0, {}, "which is yet to come"), (60.0, {"host": "desk"}, "made by host desk"),
    (60.0, {"root": "/home"}, "not of /data"),
])  # fmt: skip


@ODD_ONES
def test_what_no_restore_would_take_is_not_fetched_unless_its_time_is_named(
    desk: Desk, tmp_path: Path, capsys: Printed, age_s: float, more: dict[str, object], why: str
) -> None:
    odd = stranger(desk, age_s, **more)
    assert files.fetch_of(desk.session("dr.fetch"), a_claim(), "keep.txt", tmp_path / "into", "") == EXIT_OK
    out = " ".join(capsys.readouterr().out.split())
    assert f"note: newer, and not taken: 55555555 ({why}" in out or (f"55555555 (dated {rfc3339(odd.time)}, {why}" in out)
    files.fetch_of(desk.session("dr.fetch"), a_claim(), "app.db", tmp_path / "theirs", rfc3339(odd.time))
    out = " ".join(capsys.readouterr().out.split())
    assert (tmp_path / "theirs/app.db").read_text() == "theirs" and "note: snapshot 55555555 is no restore's" in out and why in out


def test_a_time_that_is_yet_to_come_and_no_snapshots_is_refused(desk: Desk, tmp_path: Path) -> None:
    stranger(desk, -400 * 86400.0)
    with pytest.raises(SettingsInvalid, match="later than now"):
        files.fetch_of(desk.session("dr.fetch"), a_claim(), "app.db", tmp_path / "theirs", "2199-01-01T00:00:00Z")
    with pytest.raises(SettingsInvalid, match="later than now"):
        files.list_of(desk.session("dr.list"), a_claim(), "", "2199-01-01T00:00:00Z")


@ODD_ONES
def test_what_no_restore_would_take_is_marked_in_the_list(
    desk: Desk, capsys: Printed, age_s: float, more: dict[str, object], why: str
) -> None:
    stranger(desk, age_s, **more)
    files.list_of(desk.session("dr.list"), a_claim(), "", "")
    out = " ".join(capsys.readouterr().out.split())
    assert why in out and "-9" not in out.replace("2026-09", "").replace("2025-09", "")
    files.list_of(desk.session("dr.list", json=True), a_claim(), "", "")
    rows = result(capsys)["snapshots"]
    assert isinstance(rows, list) and [one["snapshot"][:2] for one in rows if one["not_counted"]] == ["55"]


def test_where_nothing_counts_that_is_said(desk: Desk, tmp_path: Path) -> None:
    desk.running.home.store.repositories[a_claim().mover_repository].snapshots.clear()
    stranger(desk, 60.0, root="/home")
    with pytest.raises(PermanentError, match="no snapshot of apps/notes is one that a restore would take"):
        files.fetch_of(desk.session("dr.fetch"), a_claim(), "app.db", tmp_path / "into", "")


@pytest.mark.parametrize("at", [-62_167_219_200, -(10**12), 253_402_300_800, 10**18])
def test_a_file_of_a_time_that_no_calendar_has_is_listed(desk: Desk, capsys: Printed, at: int) -> None:
    odd = replace(a_file("odd", "x"), mtime_ns=at * 10**9)
    desk.running.home.store.back_up(a_claim().mover_repository, (odd,), desk.running.clock.now())
    for json_ in (False, True):
        for path in ("/", "odd"):
            assert files.list_of(desk.session("dr.list", json=json_), a_claim(), path, "") == EXIT_OK
    assert str(at) in capsys.readouterr().out


@pytest.mark.parametrize("into", ["x" * 300, "file/below", "~nobody-of-that-name/x", "pipe", "/proc/nothing/here", "file"])
def test_a_folder_that_cannot_be_made_is_told_and_nothing_is_left(desk: Desk, tmp_path: Path, into: str) -> None:
    (tmp_path / "file").write_text("mine")
    os.mkfifo(tmp_path / "pipe")
    there = set(tmp_path.iterdir())
    place = Path(into) if into[0] in "~/" else tmp_path / into
    code = guarded("dr.fetch", False, lambda: files.fetch_of(desk.session("dr.fetch"), a_claim(), "keep.txt", place, ""))
    assert code in (SettingsInvalid.exit_code, PermanentError.exit_code)
    assert set(tmp_path.iterdir()) <= there | {tmp_path / "state"}


def test_what_may_be_lost_in_a_power_cut_is_told_of_what_was_fetched(capsys: Printed) -> None:
    """A backup's files have the modes of their application: who is not root may not open them again."""
    with own_folder() as folder:
        desk = Desk(folder)
        entries = (a_file("conf/open", "one"), replace(a_file("conf/shut", "two"), mode=0o200))
        desk.running.home.store.back_up(a_claim().mover_repository, entries, desk.running.clock.now())
        with as_nobody(folder):
            assert files.fetch_of(desk.session("dr.fetch", json=True), a_claim(), "conf", folder / "new" / "er", "") == EXIT_OK
            assert result(capsys)["not_synced"] == []
            # Into a folder that takes, and shows nothing: its file system is not to be had by it, and each is waited for by itself.
            box = folder / "box"
            box.mkdir(0o300)
            for name, loose in (("conf", [box / "conf" / "shut", box]), ("conf/open", [box])):
                files.fetch_of(desk.session("dr.fetch", json=True), a_claim(), name, box, "")
                assert result(capsys)["not_synced"] == [*map(str, loose)]
            shutil.rmtree(box / "conf")
            files.fetch_of(desk.session("dr.fetch"), a_claim(), "conf", box, "")
            box.chmod(0o700)
        out = " ".join(capsys.readouterr().out.split())
        assert "note: not known to be on the disk yet: 2 entries, for its modes do not" in out and f"{box}/conf/shut, {box}" in out


def test_a_disk_that_does_not_keep_what_was_fetched_is_no_success_and_nothing_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with own_folder() as folder:
        desk = Desk(folder)
        desk.running.home.store.back_up(a_claim().mover_repository, (a_file("keep.txt", "kept"),), desk.running.clock.now())
        with as_nobody(folder):
            (folder / "box").mkdir(0o300)
            with monkeypatch.context() as broken, pytest.raises(PermanentError, match="is not kept by its disk"):
                broken.setattr(os, "fsync", refused)
                files.fetch_of(desk.session("dr.fetch"), a_claim(), "keep.txt", folder / "box", "")
            (folder / "box").chmod(0o700)
            assert list((folder / "box").iterdir()) == []


def with_a_nas(desk: Desk) -> BackedUpClaim:
    """The same claim, with a second place that has one snapshot, newer than all of the first's, and a file that those never had."""
    claim = two_places().claims[0]
    store, now = desk.running.home.store, desk.running.clock.now()
    desk.running.home.seed_backup(NAS, (a_file("only-there.txt", "new"), a_file("app.db", "newest")), 600.0)
    assert max(one.time for one in store.repositories[NAS].snapshots) > now - HOUR_S
    return claim


def test_a_claim_with_two_places_shows_the_snapshots_of_both_and_where_each_is(desk: Desk, capsys: Printed) -> None:
    claim = with_a_nas(desk)
    assert files.list_of(desk.session("dr.list", json=True), claim, "", "") == EXIT_OK
    told = result(capsys)["snapshots"]
    assert isinstance(told, list)
    assert [one["place"] for one in told] == ["notes-nas", *["notes-volsync-secret"] * 5]
    assert files.list_of(desk.session("dr.list"), claim, "", "") == EXIT_OK
    out = capsys.readouterr().out
    assert "notes-nas" in out and "6 snapshots in 2 places" in out


def test_a_file_that_only_the_second_place_has_is_found_there(desk: Desk, capsys: Printed) -> None:
    claim = with_a_nas(desk)
    assert files.list_of(desk.session("dr.list", json=True), claim, "only-there.txt", "") == EXIT_OK
    versions = result(capsys)["versions"]
    assert isinstance(versions, list)
    assert [(one["place"], bool(one["entry"])) for one in versions] == [("notes-nas", True), ("notes-volsync-secret", False)]


@pytest.mark.parametrize("trouble", [Trouble.DAMAGED, Trouble.REFUSED, Trouble.UNREACHABLE])
def test_a_place_that_cannot_be_seen_is_told_and_hides_no_other(desk: Desk, trouble: Trouble, capsys: Printed) -> None:
    claim = with_a_nas(desk)
    store = desk.running.home.store
    store.repositories[NAS].trouble = trouble
    assert files.list_of(desk.session("dr.list"), claim, "", "") == EXIT_OK
    assert "note: nothing is seen of notes-nas (sftp:" in capsys.readouterr().out
    assert files.list_of(desk.session("dr.list"), claim, "only-there.txt", "") == EXIT_STEP_FAILED
    assert "No snapshot of apps/notes that can be seen has /only-there.txt." in " ".join(capsys.readouterr().out.split())
    store.repositories[claim.mover_repository].trouble = trouble
    with pytest.raises(PermanentError, match="no place of apps/notes shows a snapshot") as error:
        files.list_of(desk.session("dr.list"), claim, "", "")
    assert len(error.value.evidence) == 2


def test_what_is_fetched_comes_from_the_place_that_has_the_newest(desk: Desk, tmp_path: Path, capsys: Printed) -> None:
    claim = with_a_nas(desk)
    files.fetch_of(desk.session("dr.fetch", json=True), claim, "app.db", tmp_path / "into", "")
    assert result(capsys)["place"] == "notes-nas"
    desk.running.home.store.repositories[NAS].trouble = Trouble.UNREACHABLE
    files.fetch_of(desk.session("dr.fetch", json=True), claim, "keep.txt", tmp_path / "into", "")
    told = result(capsys)
    assert told["place"] == "notes-volsync-secret"
