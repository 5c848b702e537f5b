"""`--report` through a session: what is refused before a run, what a run leaves, and what is remembered of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.course import Course
from console.ending import guarded
from console.report.checking import check_all
from console.report.keeping import LAST, NO_END, UNREADABLE, history
from console.report.signing import KEY_FILE, key_of, own_key
from console.session import Session
from console.verbs.dr import evidence as verbs
from engine import errors
from engine.errors import SettingsInvalid
from engine.secrets import Secret
from house.values.afterwards import Evidence
from tests.console.modelled_doors import Desk

Printed = pytest.CaptureFixture[str]


def session(desk: Desk, report: Path | str, *, json: bool = True, verb: str = "cluster.bootstrap") -> Session:
    """One that writes its evidence there."""
    return Session(verb, desk.running.house, desk.doors, json, report=str(report))


def applied(desk: Desk, report: Path | str, course: Course | None = None, verb: str = "cluster.bootstrap") -> int:
    """Apply with `--report` and `--json`."""
    wanted = course or desk.running.bootstrap
    return guarded(verb, True, lambda: session(desk, report, verb=verb).apply(wanted))


def result_of(printed: Printed) -> dict[str, object]:
    """The last line's `result`."""
    return dict(json.loads(printed.readouterr().out.splitlines()[-1])["result"])


def test_a_run_leaves_evidence_that_checks_and_says_where(held_desk: Desk, tmp_path: Path, capsys: Printed) -> None:
    folder = tmp_path / "deep" / "er" / "evidence"
    assert applied(held_desk, folder) == errors.EXIT_HELD
    result = result_of(capsys)
    (found,) = check_all(folder)
    assert (result["report"], result["signer"]) == (str(folder), found.signer.fingerprint)
    assert found.evidence["run"] == result["run"]
    assert found.evidence["verdict"]["word"] == "done, and claims are held"
    assert {step["id"] for step in found.evidence["steps"]} == set(held_desk.running.bootstrap.graph().ids)


@pytest.mark.parametrize("taken", ["file", "folder", "under a file"])
def test_a_place_that_cannot_take_it_is_refused_before_anything_is_done(
    desk: Desk, tmp_path: Path, capsys: Printed, taken: str
) -> None:
    place = tmp_path / "evidence"
    if taken == "folder":
        place.mkdir()
        (place / "something").touch()
    else:
        place.touch()
    assert applied(desk, place / "below" if taken == "under a file" else place) == SettingsInvalid.exit_code
    assert "--report" in capsys.readouterr().out
    assert desk.opened == []
    assert not (desk.running.house.state_dir / "journal").exists()


def test_an_empty_folder_is_taken_and_the_run_may_stand_in_its_name(held_desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert applied(held_desk, tmp_path / "empty") == errors.EXIT_HELD
    for _ in range(2):
        assert applied(held_desk, tmp_path / "many" / "{run}") == errors.EXIT_HELD
    runs = [one.run for one in history(held_desk.running.house.state_dir) if one.verb]
    found = check_all(tmp_path / "many")
    assert {one.evidence["run"] for one in found} == {path.name for path in (tmp_path / "many").iterdir()} < set(runs)
    assert found[1].evidence["previous"]["run"] == found[0].evidence["run"]


def test_evidence_that_cannot_be_written_is_told_and_is_no_success(held_desk: Desk, tmp_path: Path, capsys: Printed) -> None:
    house = held_desk.running.house
    held_desk.running.house = replace(house, evidence=Evidence(tmp_path / "no such key"))
    assert applied(held_desk, tmp_path / "evidence") == errors.EXIT_STEP_FAILED
    result = result_of(capsys)
    assert (result["outcome"], result["exit_code"]) == ("held", 30)
    assert "cannot be signed" in str(result["closing"])
    assert not (tmp_path / "evidence").exists()
    assert history(house.state_dir)[0].exit_code == errors.EXIT_HELD, "what the run came to is kept all the same"


@pytest.mark.parametrize(("verb", "kept"), [("cluster.verify", False), ("cluster.bootstrap", True)])
def test_evidence_that_finds_no_room_is_said_to_be_kept_only_where_it_is(
    held_desk: Desk, tmp_path: Path, capsys: Printed, verb: str, kept: bool
) -> None:
    """A verify said that `dr.report --run RUN` would write its evidence, and nothing was kept of it."""
    course = held_desk.running.bootstrap
    made = session(held_desk, tmp_path / "evidence", verb=verb)
    (tmp_path / ".evidence.unfinished").touch()  # what lies where it is written first is no folder
    assert (made.apply if kept else made.verify)(course) == errors.EXIT_STEP_FAILED
    out = " ".join(capsys.readouterr().out.split())
    assert ("it is kept nowhere else" in out) is not kept
    assert (f"invoke dr.report --run {made.run_id} --report FOLDER writes it yet" in out) is kept


def test_evidence_that_the_next_one_cannot_name_is_not_called_unsigned(
    held_desk: Desk, tmp_path: Path, capsys: Printed
) -> None:  # fmt: skip
    (held_desk.running.house.state_dir / LAST / "in the way").mkdir(parents=True)
    assert applied(held_desk, tmp_path / "evidence") == errors.EXIT_STEP_FAILED
    told = str(result_of(capsys)["closing"])
    assert "is written to" in told and "cannot name it" in told and "cannot be signed" not in told
    assert check_all(tmp_path / "evidence")


def test_what_refused_a_run_is_evidence_too(desk: Desk, tmp_path: Path) -> None:
    desk.running.home.files.bundle_problem = "no key opens it"
    assert applied(desk, tmp_path / "evidence") == errors.PreflightRefused.exit_code
    (found,) = check_all(tmp_path / "evidence")
    assert found.evidence["verdict"]["word"] == "refused"
    assert "no key opens it" in (tmp_path / "evidence" / "report.html").read_text()


@pytest.mark.parametrize(("drift", "code", "word"), [(False, 6, "as wanted, and claims are held"), (True, 3, "drift")])
def test_a_verify_has_evidence_and_no_journal(held_desk: Desk, tmp_path: Path, drift: bool, code: int, word: str) -> None:
    if drift:
        held_desk.running.home.kube.objects().namespaces.discard("apps")
    course = held_desk.running.bootstrap
    assert session(held_desk, tmp_path / "evidence", verb="cluster.verify").verify(course) == code
    (found,) = check_all(tmp_path / "evidence")
    assert (found.evidence["verdict"]["word"], found.evidence["journal"]) == (word, None)
    assert not (tmp_path / "evidence" / "journal.lines").exists()


def test_no_secret_is_in_any_of_it(held_desk: Desk, tmp_path: Path) -> None:
    word = "x9-quite-a-secret-of-the-house"
    held_desk.running.home.files.dirty = (f"{word} and more",)
    Secret(word)
    applied(held_desk, tmp_path / "evidence")
    for path in (tmp_path / "evidence").iterdir():
        assert word not in path.read_text()
    assert "•••" in (tmp_path / "evidence" / "report.html").read_text()
    assert check_all(tmp_path / "evidence")


def test_the_key_is_made_once_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    first = own_key(tmp_path / "state")
    assert (tmp_path / "state" / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert own_key(tmp_path / "state").private_bytes_raw() == first.private_bytes_raw()
    (tmp_path / "broken").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    with pytest.raises(SettingsInvalid, match="no SSH key"):
        key_of(tmp_path / "broken")


class TestWhatIsRemembered:
    def test_runs_are_listed_newest_first_with_what_came_of_them(self, held_desk: Desk, tmp_path: Path, capsys: Printed) -> None:
        assert applied(held_desk, tmp_path / "one") == errors.EXIT_HELD
        runs = held_desk.running.house.state_dir / "runs"
        (runs / "20200101-000000-00000000").mkdir()
        (runs / "20200101-000001-00000000").mkdir()
        (runs / "20200101-000001-00000000" / "evidence.json").write_text('{"schema": "blackstart.evidence/1"}')
        capsys.readouterr()
        assert verbs.history_of(held_desk.session("dr.history", json=True)) == errors.EXIT_OK
        told = result_of(capsys)["runs"]
        assert isinstance(told, list)
        assert [one["word"] for one in told] == ["done, and claims are held", UNREADABLE, NO_END]
        assert verbs.history_of(held_desk.session("dr.history")) == errors.EXIT_OK
        assert "cluster.bootstrap" in capsys.readouterr().out

    def test_no_run_is_said_to_be_none(self, desk: Desk, capsys: Printed) -> None:
        assert verbs.history_of(desk.session("dr.history")) == errors.EXIT_OK
        assert "no run of four-nodes was made from here" in capsys.readouterr().out

    def test_evidence_of_a_run_that_was_is_written_later(self, held_desk: Desk, tmp_path: Path, capsys: Printed) -> None:
        assert guarded("x", True, lambda: held_desk.session("cluster.bootstrap", json=True).apply(held_desk.running.bootstrap)) == 6
        assert verbs.write(held_desk.session("dr.report"), "", str(tmp_path / "late")) == 0
        (found,) = check_all(tmp_path / "late")
        assert found.evidence["journal"]["lines"] > 0 or found.evidence["journal"] is not None
        (held_desk.running.house.state_dir / "journal").unlink()
        run = found.evidence["run"]
        assert verbs.write(held_desk.session("dr.report"), run, str(tmp_path / "later")) == 0
        (found,) = check_all(tmp_path / "later")
        assert found.evidence["journal"] is None or found.evidence["journal"]["lines"] == 0

    @pytest.mark.parametrize("run", ["nothing", "../../etc", ".hidden"])
    def test_a_run_that_is_none_is_refused(self, held_desk: Desk, tmp_path: Path, run: str) -> None:
        code = guarded("dr.report", True, lambda: verbs.write(held_desk.session("dr.report"), run, str(tmp_path / "x")))
        assert code in (errors.SettingsInvalid.exit_code, errors.EXIT_STEP_FAILED)
        assert not (tmp_path / "x").exists()
