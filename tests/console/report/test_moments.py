"""Waits and work are told apart, and the critical path is the chain that everything waited for."""

from __future__ import annotations

from collections.abc import Iterable

from console.report.moments import Doing, Moments, Span
from console.report.path import critical, shares
from console.report.timeline import ROOM, folded
from engine import events
from engine.probe import Condition
from engine.report import Outcome, StepReport
from engine.step import Hazard, StepId

STEP = StepId("proxmox.start-vm/cp-1")


def seen(at: float, condition: Condition, detail: str = "") -> events.StepSeen:
    return events.StepSeen(at, STEP, condition, detail, ())


def ended(at: float) -> events.StepEnded:
    return events.StepEnded(at, StepReport(STEP, "", Outcome.CHANGED))


def spans(*told: events.Event) -> list[tuple[str, float, float, str]]:
    """What was told of the step, as tuples."""
    moments = Moments()
    for event in told:
        moments(event)
    return [(one.doing.value, one.start, one.seconds, one.what) for one in moments.of.get(STEP, [])]


def test_an_act_is_work_and_what_follows_until_the_world_agrees_is_a_wait() -> None:
    assert spans(
        events.StepStarted(100, STEP, "", is_check=False), seen(101, Condition.MISSING),
        events.StepBegun(102, STEP, Hazard.NONE, 1),
        seen(105, Condition.CHANGING, "it boots"), events.StepWaiting(105, STEP, "it boots", 60), seen(125, Condition.SATISFIED),
        ended(126),
    ) == [("look", 0, 2, ""), ("work", 2, 3, ""), ("wait", 5, 20, "it boots"), ("look", 25, 1, "")]  # fmt: skip


def test_a_wait_that_was_told_before_the_act_is_one_after_it_as_well() -> None:
    """It is announced once: what is waited for has the same name."""
    assert spans(
        events.StepStarted(0, STEP, "", is_check=False), events.StepWaiting(1, STEP, "locked", 60),
        events.StepBegun(3, STEP, Hazard.NONE, 1), seen(4, Condition.CHANGING, "locked"), ended(9),
    )[1:] == [("wait", 1, 2, "locked"), ("work", 3, 1, ""), ("wait", 4, 5, "locked")]  # fmt: skip


def test_a_try_that_failed_waits_before_the_next() -> None:
    told = spans(
        events.StepStarted(0, STEP, "", is_check=False), events.StepBegun(0, STEP, Hazard.NONE, 1),
        events.StepRetrying(2, STEP, 1, "503"), events.StepBegun(7, STEP, Hazard.NONE, 2), ended(8),
    )  # fmt: skip
    assert told == [("work", 0, 2, ""), ("wait", 2, 5, "before it is tried again: 503"), ("work", 7, 1, "")]


def test_what_was_never_taken_up_has_no_spans() -> None:
    assert spans(ended(5)) == []


NEEDS = {"a.b/1": (), "a.b/2": ("a.b/1",), "a.b/3": ("a.b/1",), "a.b/4": ("a.b/2", "a.b/3"), "a.b/5": ("a.b/4",)}


def needs(name: StepId) -> Iterable[StepId]:
    return [StepId(one) for one in NEEDS[name]]


def step(name: str, started: float, seconds: float, outcome: Outcome = Outcome.OK) -> StepReport:
    condition = None if outcome is Outcome.BLOCKED else Condition.SATISFIED
    return StepReport(StepId(name), "", outcome, started=started, seconds=seconds, condition=condition)


def test_the_path_leads_back_from_what_ended_last() -> None:
    steps = (
        step("a.b/1", 0, 1), step("a.b/2", 1, 9), step("a.b/3", 1, 2), step("a.b/4", 10, 5), step("a.b/5", 15, 0, Outcome.BLOCKED),
    )  # fmt: skip
    assert critical(steps, needs) == ("a.b/1", "a.b/2", "a.b/4")
    assert critical((), needs) == ()


def test_shares_are_of_the_path_alone_and_come_to_the_whole() -> None:
    told = {StepId("a.b/1"): [Span(Doing.LOOK, 0, 1), Span(Doing.WORK, 1, 2)], StepId("a.b/2"): [Span(Doing.WAIT, 0, 40)]}
    assert shares([StepId("a.b/1")], told, 10) == {"look": 1, "wait": 0, "work": 2, "other": 7}


def test_a_name_is_folded_and_never_cut() -> None:
    for name in ("short", "recovery.first-backup/" + "n" * 50 + "/" + "c" * 80, "x" * 200, "a/" * 60):
        lines = folded(name)
        assert "".join(lines) == name
        assert max(map(len, lines)) <= ROOM
