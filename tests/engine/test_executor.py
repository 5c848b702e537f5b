"""What a run does besides its thirteen rules: checks, held, retries that succeed, reports, real threads."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine import events
from engine.errors import (
    EXIT_HELD,
    BlackstartError,
    CouldNotLook,
    NotReady,
    PermanentError,
    PreflightRefused,
    StillChanging,
    TransientError,
)
from engine.executor import run
from engine.graph import Graph
from engine.journal import open_journal, read_state
from engine.limits import Limits
from engine.probe import Condition, Probe, changing, drifted, held, missing, satisfied, unknown
from engine.report import NAMED_CAUSES, Outcome
from engine.step import Notes, Severity, StepId, excusing
from engine.stop import Stop
from engine.waiting import Pace, SystemClock
from engine.workers import Threads
from lab.world.clock import VirtualClock
from tests.engine.toys import HOUSE, Bench, Shelf, ToyCheck, ToyStep, a_check, a_step, answers


def test_a_run_without_work_writes_only_that_it_was(bench: Bench) -> None:
    bench.shelf.things.add("toy.put/a")
    report = bench.run(a_step("a"))
    assert report.exit_code == 0 and report.counts["ok"] == 1 and report.seconds == 0.0
    assert len((bench.folder / "journal").read_text().splitlines()) == 2


def test_a_blocking_check_that_says_no_before_anything_was_changed_refuses_the_run(bench: Bench) -> None:
    check = a_check("quorum", answers(missing("1 of 3 hosts answers", "pve-2", "pve-3")))
    report = bench.run(check, ToyStep(StepId("toy.put/a"), ("toy.check/*",)))
    line = report["toy.check/quorum"]
    assert isinstance(line.error, PreflightRefused) and report.exit_code == 20
    assert line.evidence == ("pve-2", "pve-3") and "1 of 3 hosts" in line.detail
    assert report["toy.put/a"].outcome is Outcome.BLOCKED and bench.shelf.done == []


def test_a_check_that_says_no_afterwards_is_a_failed_step(bench: Bench) -> None:
    check = a_check("ready", answers(missing("not ready")), needs=("toy.put/a",))
    assert bench.run(a_step("a"), check).exit_code == 30


@pytest.mark.parametrize("severity", [Severity.ADVISORY, Severity.WATCHED])
def test_an_advisory_check_warns_and_stops_nothing(bench: Bench, severity: Severity) -> None:
    check = a_check("space", answers(drifted("little space")), severity=severity)
    broken = a_check("age", answers(PermanentError("403")), severity=severity)
    report = bench.run(check, broken, ToyStep(StepId("toy.put/a"), ("toy.check/*",)))
    assert report.exit_code == 0 and bench.shelf.done == ["toy.put/a"]
    assert {line.id for line in report.warnings} == {"toy.check/space", "toy.check/age"} and report.root_causes == ()
    assert (report.counts["warning"], report.counts["failed"]) == (2, 0)


def test_a_check_waits_for_sight_and_for_what_is_changing(bench: Bench) -> None:
    check = a_check("api", answers(unknown("no route"), TransientError("reset"), changing("starting"), satisfied("ready")))
    report = bench.run(check)
    assert report.exit_code == 0 and 0 < report.seconds < 10


@pytest.mark.parametrize("answer", [unknown("no route"), changing("starting")])
def test_a_check_that_could_not_look_did_not_say_yes(bench: Bench, answer: Probe) -> None:
    step = replace(a_step("vm"), needs=("toy.check/api",))
    report = bench.run(a_check("api", answers(answer), sight_s=5.0), step)
    assert report.exit_code == 20 and report["toy.check/api"].seconds == pytest.approx(5.0)


def test_a_step_or_check_can_end_the_run_as_held(bench: Bench) -> None:
    check = a_check("released", answers(held("1 claim held", "apps/notes")), needs=("toy.put/a",))
    report = bench.run(a_step("a"), check, ToyStep(StepId("toy.put/b"), ("toy.check/released",)))
    assert report.exit_code == EXIT_HELD and report.converged
    assert report["toy.check/released"].outcome is Outcome.HELD and report.held[0].evidence == ("apps/notes",)
    assert report["toy.put/b"].outcome is Outcome.CHANGED, "held blocks nothing"
    assert read_state(bench.folder, lineage=HOUSE).last["toy.check/released"].outcome == "held"
    step = a_step("c", looks=answers(missing("x"), held("applied, and held")))
    assert bench.run(step)["toy.put/c"].outcome is Outcome.HELD


def test_a_failure_outranks_held(bench: Bench) -> None:
    assert bench.run(a_check("x", answers(held("1"))), a_step("a", looks=answers(PermanentError("no")))).exit_code == 30


def test_after_the_act_missing_drifted_changing_and_unknown_are_waited_for_with_back_off(bench: Bench) -> None:
    start = bench.clock.monotonic()
    ready_at = start + 25.0
    rota = [missing("m"), drifted("d"), changing("c"), unknown("u")]
    at: list[float] = []

    def looks(shelf: Shelf) -> Probe:
        at.append(shelf.clock.monotonic())
        if len(at) == 1:
            return missing("first")
        return satisfied() if shelf.clock.monotonic() >= ready_at else rota[len(at) % 4]

    line = bench.run(a_step("a", looks=looks, acts=lambda *_: None, ready_s=60.0))["toy.put/a"]
    assert line.outcome is Outcome.CHANGED and line.tries == 1
    assert line.seconds < 25.0 * 1.2 + 0.1 and len(at) < 40


def test_sight_that_is_lost_near_the_end_gets_its_own_time(bench: Bench) -> None:
    """A node that reboots late in ready_s is not given up while sight_s runs."""
    start = bench.clock.monotonic()

    def looks(shelf: Shelf) -> Probe:
        passed = shelf.clock.monotonic() - start
        return missing("m") if passed < 19 else unknown("rebooting") if passed < 26 else satisfied()

    line = bench.run(a_step("a", looks=looks, acts=lambda *_: None, ready_s=20.0, sight_s=10.0))["toy.put/a"]
    assert line.outcome is Outcome.CHANGED


def test_two_server_errors_are_outlived_in_one_run(bench: Bench) -> None:
    errors = [TransientError("503"), TransientError("503")]

    def acts(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        if errors:
            raise errors.pop()
        shelf.put("toy.put/a")

    line = bench.run(a_step("a", acts=acts))["toy.put/a"]
    assert line.outcome is Outcome.CHANGED and line.tries == 3
    assert [event.attempt for event in bench.of(events.StepRetrying)] == [1, 2]


def test_an_act_that_was_answered_with_no_is_over(bench: Bench) -> None:
    def acts(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        raise PermanentError("the storage is full", hint="free some")

    report = bench.run(a_step("a", acts=acts))
    assert report["toy.put/a"].detail == "the storage is full" and report["toy.put/a"].tries == 1
    assert read_state(bench.folder, lineage=HOUSE).in_flight == {}


@pytest.mark.parametrize("error", [StillChanging("the task still runs"), NotReady("not there yet"), CouldNotLook("dark")])
def test_an_act_that_gave_up_waiting_is_still_in_flight(bench: Bench, error: BlackstartError) -> None:
    def acts(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        raise error

    report = bench.run(a_step("a", acts=acts))
    assert report.exit_code == 30 and report["toy.put/a"].tries == 1
    assert "toy.put/a" in read_state(bench.folder, lineage=HOUSE).in_flight


def test_what_was_done_but_not_ended_is_closed_by_the_next_look(bench: Bench) -> None:
    bench.run(a_step("a", acts=lambda *_: None, ready_s=1.0))
    bench.shelf.things.add("toy.put/a")
    line = bench.run(a_step("a"))["toy.put/a"]
    assert line.outcome is Outcome.OK and line.resumed and line.tries == 0
    state = read_state(bench.folder, lineage=HOUSE)
    assert state.in_flight == {} and state.last["toy.put/a"].outcome == "ok"


def test_a_step_that_failed_last_time_and_is_fine_now_is_written_down(bench: Bench) -> None:
    bench.run(a_step("a", looks=answers(PermanentError("no"))))
    bench.shelf.things.add("toy.put/a")
    bench.run(a_step("a"))
    assert read_state(bench.folder, lineage=HOUSE).last["toy.put/a"].outcome == "ok"


def test_the_order_of_events_of_one_step(bench: Bench) -> None:
    bench.run(a_step("a"))
    kinds = [type(event).__name__ for event in bench.seen]
    assert kinds == ["RunStarted", "StepStarted", "StepSeen", "StepBegun", "StepSeen", "StepEnded", "RunEnded"]


def test_a_report_names_its_lines(bench: Bench) -> None:
    report = bench.run(a_step("a"), a_step("b", "a"))
    assert [(line.id, line.title, line.started) for line in report.steps] == [
        ("toy.put/a", "put toy.put/a", 0.0),
        ("toy.put/b", "put toy.put/b", 1.0),
    ]
    with pytest.raises(KeyError):
        report["toy.put/none"]
    assert report.run == "run-1" and report.verb == "apply"


# --- with real threads and the system's clock ---


class RealShelf(Shelf):
    """Things that are put by real threads."""

    def __init__(self) -> None:
        super().__init__(clock=VirtualClock())
        self.lock = threading.Lock()

    def put(self, name: str, seconds: float = 0.0) -> None:
        """Takes real time."""
        time.sleep(seconds)
        with self.lock:
            self.done.append(name)
            self.things.add(name)


def test_real_threads_do_the_same(tmp_path: Path) -> None:
    shelf = RealShelf()
    names = [f"{row}-{column}" for row in range(5) for column in range(6)]
    steps = [
        a_step(name, *([f"{int(name[0]) - 1}-{other}" for other in range(6)] if name[0] != "0" else []), takes_s=0.002)
        for name in names
    ]
    with open_journal(tmp_path, lineage=HOUSE, run="r") as journal:
        report = run(
            Graph(steps), shelf, shelf, journal=journal, clock=SystemClock(), workers=Threads(), limits=Limits(per_other_system=6)
        )
    assert report.counts["changed"] == 30 and sorted(shelf.done) == sorted(f"toy.put/{name}" for name in names)
    places = {name: at for at, name in enumerate(shelf.done)}
    assert all(places[need] < places[step.id] for step in steps for need in step.needs)
    assert read_state(tmp_path, lineage=HOUSE).in_flight == {}


def test_a_stop_from_another_thread_ends_a_real_run(tmp_path: Path) -> None:
    stop = Stop()
    shelf = RealShelf()
    step = a_step("a", looks=answers(unknown("dark")), sight_s=600.0)
    timer = threading.Timer(0.05, stop.request)
    timer.start()
    started = time.monotonic()
    with open_journal(tmp_path, lineage=HOUSE, run="r") as journal:
        report = run(
            Graph([step]), shelf, shelf, journal=journal, clock=SystemClock(stop.event), workers=Threads(), stop=stop,
            limits=Limits(pace=Pace(least_s=0.01)),
        )  # fmt: skip
    timer.join()
    assert report.exit_code == 130 and time.monotonic() - started < 10


def test_a_second_stop_leaves_a_call_that_hangs(tmp_path: Path) -> None:
    stop, release = Stop(), threading.Event()
    shelf = RealShelf()

    def acts(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        stop.request()
        stop.request()
        release.wait(10)

    with open_journal(tmp_path, lineage=HOUSE, run="r") as journal:
        report = run(
            Graph([a_step("a", acts=acts)]), shelf, shelf,
            journal=journal, clock=SystemClock(stop.event), workers=Threads(), stop=stop,
        )  # fmt: skip
    release.set()
    assert report["toy.put/a"].outcome is Outcome.INTERRUPTED
    assert "toy.put/a" in read_state(tmp_path, lineage=HOUSE).in_flight


def needing(name: str, *needs: str, **changes: Any) -> ToyStep:
    """A step that needs checks, by their whole ids."""
    return replace(a_step(name, **changes), needs=needs)


def test_a_standing_step_that_is_satisfied_holds_nobody_up_although_its_check_says_no(bench: Bench) -> None:
    bench.shelf.things.add("toy.put/vm")
    no = a_check("image", answers(missing("none")))
    report = bench.run(no, needing("vm", "toy.check/image", standing=True), a_step("started", "vm"))
    assert [line.outcome for line in report.steps] == [Outcome.FAILED, Outcome.OK, Outcome.CHANGED]
    assert report.exit_code == 30, "a part was refused and the rest was done"


def test_a_standing_step_that_would_act_is_blocked_by_its_check_and_never_acts(bench: Bench) -> None:
    no = a_check("image", answers(missing("none")))
    report = bench.run(no, needing("vm", "toy.check/image", standing=True), a_step("started", "vm"))
    assert [line.outcome for line in report.steps] == [Outcome.FAILED, Outcome.BLOCKED, Outcome.BLOCKED]
    assert {line.blocked_by for line in report.steps[1:]} == {("toy.check/image",)}
    assert report.exit_code == 20 and not bench.shelf.things


def test_a_step_that_does_not_stand_and_one_behind_a_failed_step_stay_blocked(bench: Bench) -> None:
    bench.shelf.things |= {"toy.put/vm", "toy.put/disk"}
    no = a_check("image", answers(missing("none")))
    report = bench.run(no, needing("vm", "toy.check/image"), a_step("disk", "vm", standing=True))
    assert [line.outcome for line in report.steps] == [Outcome.FAILED, Outcome.BLOCKED, Outcome.BLOCKED]


def test_a_need_that_failed_for_an_excused_cause_keeps_nobody_back_and_for_another_it_does(bench: Bench) -> None:
    dead = a_check("host", answers(missing("dead")))
    lost = needing("lost", "toy.check/host")
    etcd = needing("etcd", excusing("toy.put/lost", "toy.check/host*"))
    assert [line.outcome for line in bench.run(dead, lost, etcd).steps] == [Outcome.FAILED, Outcome.BLOCKED, Outcome.CHANGED]
    etcd = needing("other", excusing("toy.put/lost", "toy.check/nothing*"))
    assert [line.outcome for line in bench.run(dead, lost, etcd).steps] == [Outcome.FAILED, Outcome.BLOCKED, Outcome.BLOCKED]


def test_an_answer_may_weigh_less_than_its_check(bench: Bench) -> None:
    class Chart(ToyCheck):
        def severity_of(self, seen: Probe) -> Severity:
            return Severity.ADVISORY if seen.condition is Condition.UNKNOWN else Severity.BLOCKING

    def of(answer: Probe) -> ToyCheck:
        return Chart(StepId("toy.check/chart"), answers(answer), sight_s=1.0)

    vm = needing("vm", "toy.check/chart")
    assert bench.run(of(missing("404")), vm).exit_code == 20
    report = bench.run(of(unknown("503")), vm)
    assert (report.exit_code, [line.id for line in report.warnings]) == (0, ["toy.check/chart"])


def test_a_blocked_line_does_not_grow_with_the_number_of_what_is_wrong(bench: Bench) -> None:
    checks = [a_check(f"c{n}", answers(missing("no"))) for n in range(300)]
    steps = [replace(a_step(f"s{n}"), needs=("toy.check/*",)) for n in range(30)]
    report = bench.run(*checks, *steps)
    blocked = [line for line in report.steps if line.outcome is Outcome.BLOCKED]
    assert len(blocked) == 30 and len(report.root_causes) == 300
    assert all(len(line.blocked_by) == NAMED_CAUSES and line.detail.endswith(" and 290 more") for line in blocked)
