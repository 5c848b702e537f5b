"""What one thing is wrong with is told once, however many rows it makes red or unknown."""

from __future__ import annotations

import pytest

from cluster.course import Course
from console.ending import guarded
from console.views.problem import step_problems
from engine import errors
from engine.errors import CouldNotLook, SettingsInvalid
from engine.report import Outcome, StepReport
from engine.step import StepId
from tests.console.modelled_doors import Desk

Printed = pytest.CaptureFixture[str]
SAID = "503 Service Unavailable"


def preflight(desk: Desk) -> Course:
    return desk.running.bootstrap.checks_of("preflight")


@pytest.mark.parametrize("down", ["one", "all"])
def test_a_chart_server_that_is_down_stands_once_on_the_screen_with_what_to_try(desk: Desk, capsys: Printed, down: str) -> None:
    """Its words stood in the rows of charts and of kinds, in the headline and in the evidence of each."""
    releases = desk.running.house.releases[: 1 if down == "one" else None]
    desk.running.home.unfetchable |= {release.key: SAID for release in releases}
    session = desk.session("cluster.preflight")
    assert session.preflight(preflight(desk)) == errors.EXIT_OK
    told = capsys.readouterr().out
    assert told.count(SAID) == 1, told
    assert told.count("what      unknown: 127.10.0.20:5000 could not be asked for charts") == 1
    assert told.count("By hand: helm show chart") == 1
    (doing,) = [line for line in told.splitlines() if "while     preflight.chart/" in line]
    assert all(f"preflight.chart/{release.key}" in doing for release in releases)


def failed(name: str, what: str, *evidence: str) -> StepReport:
    error = CouldNotLook(what, evidence=evidence, hint="wait", next_command="true")
    return StepReport(StepId(name), "a title", Outcome.FAILED, error=error)


def test_what_is_wrong_alike_is_one_problem_with_every_step_and_each_line_of_evidence() -> None:
    steps = [failed(f"a.b/{n}", "pve-1 is silent", "timed out", f"after {n} s") for n in range(8)]
    one, other = step_problems([*steps, failed("a.b/x", "pve-2 is silent")])
    assert one == [
        "what      pve-1 is silent", "while     a.b/0, a.b/1, a.b/2, a.b/3, a.b/4, a.b/5 and 2 more",
        "evidence  timed out" + "".join(f"\n          after {n} s" for n in range(5)) + "\n          and 3 more",
        "hint      wait", "next      true",
    ]  # fmt: skip
    assert other[:2] == ["what      pve-2 is silent", "while     a.b/x: a title"]


def test_no_escape_and_no_mark_that_turns_a_line_round_reaches_a_terminal(desk: Desk, capsys: Printed) -> None:
    """Names come from Git, and what was typed from wherever a person copied it."""
    odd, plain = "notes\x1b[2J\u202egpj", "notesgpj"

    def body() -> int:
        raise SettingsInvalid(f"{odd} names no claim", evidence=(odd,), hint=odd)

    guarded("dr.plan", False, body)
    desk.session("cluster.plan").page.say(f"note: {odd} is paused")
    printed = capsys.readouterr()
    assert f"what      {plain} names no claim" in printed.err and f"note: {plain} is paused" in printed.out
    assert not {"\x1b", "\u202e"} & set(printed.err + printed.out)
