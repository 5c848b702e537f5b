"""A drill's verdict is what its page begins with, and what the verb ends with, unless the run itself was cut off."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from jsonschema import Draft202012Validator

from console.ending import LastWords
from console.kit.nouns import FromKit, from_kit
from console.report.checking import check_all
from console.report.document import verdict_of
from console.report.pages import html, markdown
from console.report.proven import State, remembered, standings
from console.session import Session
from console.verbs.dr.rehearse import Asked, rehearse_of, where_kept
from engine.report import Bug, Report
from rehearsal.choosing import Budget
from rehearsal.outcome import ClaimOutcome, Control, DrillOutcome, DrillVerdict, FencePart, ProbeOutcome, Stage
from tests.console.modelled_doors import Desk
from tests.console.rehearsal.test_rehearse import session as a_drill
from tests.console.report.test_pages import SCHEMA, Page

CLAIM = ClaimOutcome(
    "apps/notes", DrillVerdict.FAIL, "2 files differ", "ea55a133" * 8, 1_750_000_000.0, 5 << 20, 12, ("bytes", "modes"), ("times",),
    3661.0, 42.0, (ProbeOutcome("sqlite", DrillVerdict.UNVERIFIED, "no database in it"),),
)  # fmt: skip
DRILL = DrillOutcome(
    "run-1", "four-nodes", DrillVerdict.FAIL, ("apps/notes: 2 files <differ>",), 1_750_000_000.0, 60.0,
    (CLAIM, replace(CLAIM, name="apps/other", verdict=DrillVerdict.UNVERIFIED, snapshot=None, snapshot_time=None, files=None,
                    restored_bytes=None, rpo_seconds=None, rto_seconds=None, probes=(), compared=(), not_compared=())),
    (FencePart("a way out", True, "no answer in 5 s"), FencePart("token", False, "it is mounted")),
    Control("byte flipped", True, "content: notes/one.md"), ("apps/big: over the budget",), True,
    (Stage("restore", 12.5, "apps/notes"),),
    ("slower than last time",),
)  # fmt: skip
REPORT = Report("apply", "run-1", (), 60.0)


@pytest.mark.parametrize(
    ("drill", "report", "code", "word"),
    [
        (DrillVerdict.PASS, REPORT, 0, "PASS"),
        (DrillVerdict.FAIL, REPORT, 4, "FAIL"),
        (DrillVerdict.UNVERIFIED, REPORT, 5, "UNVERIFIED"),
        (DrillVerdict.FAIL, replace(REPORT, interrupted=True), 130, "interrupted"),
        (DrillVerdict.PASS, replace(REPORT, interrupted=True), 130, "interrupted"),
        (DrillVerdict.UNVERIFIED, replace(REPORT, bug=Bug("a step", "KeyError", "")), 70, "bug"),
    ],
)
def test_the_verdict_and_the_code(drill: DrillVerdict, report: Report, code: int, word: str) -> None:
    outcome = replace(DRILL, verdict=drill)
    found = LastWords(drill=outcome).exit_code(report)
    assert (found, verdict_of(report, found, outcome).word) == (code, word)


@pytest.fixture
def evidence(held_desk: Desk, tmp_path: Path) -> Path:
    """That of a run that ended with this drill."""
    session = Session("dr.rehearse", held_desk.running.house, held_desk.doors, report=str(tmp_path / "evidence"))
    assert session.apply(held_desk.running.bootstrap, words=lambda report: LastWords(drill=DRILL)) == 4
    return tmp_path / "evidence"


def test_the_pages_tell_all_of_it(evidence: Path) -> None:
    (found,) = check_all(evidence)
    document = json.loads((evidence / "evidence.json").read_text())
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(document)] == []
    assert found.evidence["verdict"] == {
        "word": "FAIL", "tone": "bad", "sentence": "apps/notes: 2 files <differ>", "exit_code": 4,
    }  # fmt: skip
    wanted = (
        "2 files differ", "5.0 MiB", "1 h 1 min", "42 s", "no database in it", "a way out", "it is mounted", "byte flipped",
        "apps/big: over the budget", "slower than last time", "none was found", "unknown",
    )  # fmt: skip
    words = " ".join(Page((evidence / "report.html").read_text()).words)
    text = (evidence / "report.md").read_text().replace("\\", "")
    assert [one for one in wanted if one not in words] == []
    assert [one for one in wanted if one not in text] == []
    assert text.count("\n- ") > 5


def test_what_was_not_compared_at_all_is_not_said_to_be_whole(evidence: Path) -> None:
    document = json.loads((evidence / "evidence.json").read_text())
    assert "nothing was left out" not in html(document) + markdown(document)
    assert "not compared: all of it" in markdown(document)
    document["drill"]["claims"][0]["not_compared"] = []
    assert html(document).count("nothing was left out") == markdown(document).count("nothing was left out") == 1


def test_a_drill_without_a_planted_fault_says_what_that_means(evidence: Path) -> None:
    document = json.loads((evidence / "evidence.json").read_text())
    document["drill"] |= {"control": {"name": "", "caught": False, "came_out": ""}, "claims": [], "fence": []}
    for told in (html(document), markdown(document)):
        assert "nothing shows that this drill could have failed" in told


def test_a_drill_of_the_modelled_house_is_evidence_that_proves_its_claim(held_desk: Desk, tmp_path: Path) -> None:
    assert held_desk.running.apply(held_desk.running.restore).converged
    folder = tmp_path / "evidence"
    assert rehearse_of(replace(a_drill(held_desk, json_=False), report=str(folder)), Asked(), Budget()) == 0
    (found,) = check_all(folder)
    told = found.evidence
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(told)] == []
    assert (told["verb"], told["verdict"]["word"], told["verdict"]["tone"]) == ("dr.rehearse", "PASS", "good")
    assert told["journal"]["lines"] > 0
    assert told["drill"]["control"]["caught"] and all(wall["proven"] for wall in told["drill"]["fence"])
    page = (folder / "report.html").read_text()
    assert page.index(">PASS</h1>") < page.index("The fault that the drill planted into itself")
    (one,) = standings(held_desk.running.house, remembered(held_desk.running.house, {}, held_desk.time.now()), held_desk.time.now())
    assert (one.state, one.run) == (State.PROVEN, told["run"])
    assert one.depth.startswith("drilled: ")


KIT = FromKit("home.kit.age", "2026-11-01T00:00:00Z", "0123456789abcdef0123", 3.5 * 86400)


def test_the_pages_of_a_drill_from_a_kit_say_which_and_how_old(held_desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    session = Session("dr.rehearse", held_desk.running.house, held_desk.doors, report=str(folder), kit=KIT)
    assert session.apply(held_desk.running.bootstrap, words=lambda report: LastWords(drill=DRILL)) == 4
    document = json.loads((folder / "evidence.json").read_text())
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(document)] == []
    assert document["kit"] == asdict(KIT)
    for told in ((folder / "report.html").read_text(), (folder / "report.md").read_text()):
        assert "home.kit.age" in told and "3 days old" in told and "0123456789ab" in told
    assert where_kept(session) == f"from {KIT.told}; its evidence is {folder}"
    assert where_kept(replace(session, kit=None)).startswith("invoke dr.report --run ")
    del document["kit"]
    assert "home.kit.age" not in markdown(document) + html(document), "one of before this version knew of none"


@pytest.mark.parametrize(
    ("made", "age", "says"),
    [("2026-11-01T00:00:00Z", 86400.0, "1 day old"), ("2026-11-02T00:01:00Z", 0.0, "0 days old"),
     ("2026-12-01T00:00:00Z", None, "of unknown age"), ("yesterday", None, "of unknown age")],
)  # fmt: skip
def test_the_age_of_a_kit_is_what_both_clocks_allow(made: str, age: float | None, says: str) -> None:
    now = datetime(2026, 11, 2, tzinfo=UTC).timestamp()
    manifest = SimpleNamespace(made=made, commit="c" * 40)
    found = from_kit("k", manifest, now)  # type: ignore[arg-type]  # of the list of contents nothing else is looked at
    assert (found.age_s, says in found.told) == (age, True)
