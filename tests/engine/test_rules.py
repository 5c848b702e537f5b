"""The first seven of the engine's thirteen rules, each with its tests; a test's name begins with its rule's number."""

from __future__ import annotations

from itertools import pairwise

import pytest

from engine import events
from engine.approval import Approval, ApprovedAct
from engine.errors import (
    CouldNotLook,
    GuardRefused,
    JournalUnwritable,
    NotReady,
    PermanentError,
    StillChanging,
    TransientError,
)
from engine.limits import Limits
from engine.probe import Probe, changing, drifted, missing, satisfied, unknown
from engine.report import Outcome
from engine.secrets import Secret
from engine.state import State
from engine.step import Hazard, Notes
from engine.text.digest import digest
from lab.ports.journal_disk import ArmedWrite, DiskFault, FencedDisk
from tests.engine.toys import Bench, Look, Shelf, Thing, a_check, a_step, answers, lines, state

# --- 1. begin before the act, a successful end only after satisfied, nothing without its sync ---


def test_rule_01_begin_with_its_inputs_is_on_the_disk_before_the_act(bench: Bench) -> None:
    seen: list[State] = []

    def acts(shelf: Shelf, probe: Probe, notes: Notes) -> None:
        seen.append(state(bench))
        shelf.put("toy.put/a")

    bench.run(a_step("a", acts=acts, inputs="digest-1"))
    assert seen[0].in_flight["toy.put/a"].inputs == digest("digest-1")
    assert state(bench).in_flight == {}


def test_rule_01_a_successful_end_needs_a_look_that_said_satisfied(bench: Bench) -> None:
    step = a_step("a", acts=lambda shelf, seen, notes: None, ready_s=20.0)
    report = bench.run(step)
    assert report["toy.put/a"].outcome is Outcome.FAILED and isinstance(report["toy.put/a"].error, NotReady)
    assert report.exit_code == 30
    after = state(bench)
    assert after.last["toy.put/a"].outcome == "failed" and "toy.put/a" in after.in_flight, "the act may still come true"


@pytest.mark.parametrize("fault", [DiskFault.NO_SPACE, DiskFault.SYNC_FAILS])
def test_rule_01_a_begin_that_cannot_be_synced_is_not_followed_by_its_act_and_the_run_stops(
    bench: Bench, fault: DiskFault
) -> None:
    disk = FencedDisk(bench.clock.fence, ArmedWrite(3, fault))  # header, run; then the begin of a
    report = bench.run(a_step("a"), a_step("b"), a_step("c", "b"), disk=disk, limits=Limits(at_once=1))
    assert disk.struck and bench.shelf.done == [] and bench.of(events.StepBegun) == []
    assert isinstance(report.failure, JournalUnwritable) and report.exit_code == 12
    assert report["toy.put/a"].outcome is Outcome.INTERRUPTED and bench.shelf.looks == ["toy.put/a"]


@pytest.mark.parametrize("fault", [DiskFault.NO_SPACE, DiskFault.SYNC_FAILS])
def test_rule_01_an_act_whose_note_cannot_be_synced_is_told_and_stays_in_flight(bench: Bench, fault: DiskFault) -> None:
    def acts(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        notes.put("task", "UPID:1")
        shelf.put("toy.put/a")

    disk = FencedDisk(bench.clock.fence, ArmedWrite(4, fault))  # header, run, begin of a; then its note
    report = bench.run(a_step("a", acts=acts), disk=disk)
    assert disk.struck and bench.shelf.done == [] and bench.of(events.StepNoted) == []
    assert report.exit_code == 12 and report["toy.put/a"].outcome is Outcome.INTERRUPTED
    assert "toy.put/a" in state(bench).in_flight


@pytest.mark.parametrize("fault", [DiskFault.NO_SPACE, DiskFault.SYNC_FAILS])
def test_rule_01_after_an_end_that_cannot_be_synced_nothing_begins_and_the_next_run_goes_on(
    bench: Bench, fault: DiskFault
) -> None:
    disk = FencedDisk(bench.clock.fence, ArmedWrite(4, fault))  # header, run, begin of a; then its end
    report = bench.run(a_step("a", takes_s=5.0), a_step("b", "a"), a_step("c", "b"), disk=disk)
    assert bench.shelf.done == ["toy.put/a"]
    assert isinstance(report.failure, JournalUnwritable) and report.exit_code == 12
    assert "toy.put/c" not in bench.shelf.looks and len(bench.of(events.Stopping)) == 1
    assert report["toy.put/c"].outcome is Outcome.INTERRUPTED
    bench.run(a_step("a"), a_step("b", "a"), a_step("c", "b"))
    assert bench.shelf.done == ["toy.put/a", "toy.put/b", "toy.put/c"]


def test_rule_01_a_run_whose_first_line_cannot_be_written_does_nothing(bench: Bench) -> None:
    with pytest.raises(JournalUnwritable):
        bench.run(a_step("a"), disk=FencedDisk(bench.clock.fence, ArmedWrite(2, DiskFault.SYNC_FAILS)))
    assert bench.shelf.looks == [] and bench.shelf.done == []


# --- 2. the probe decides; an open begin that does not fit any more is reported first ---


def test_rule_02_the_journal_never_makes_a_step_done(bench: Bench) -> None:
    bench.run(a_step("a"))
    bench.shelf.things.clear()
    report = bench.run(a_step("a"))
    assert report["toy.put/a"].outcome is Outcome.CHANGED and bench.shelf.done == ["toy.put/a", "toy.put/a"]


def test_rule_02_what_is_there_already_is_not_done_whatever_the_journal_says(bench: Bench) -> None:
    bench.shelf.things.add("toy.put/a")
    assert bench.run(a_step("a"))["toy.put/a"].outcome is Outcome.OK
    assert bench.shelf.done == [] and state(bench).last == {}


def test_rule_02_an_open_begin_whose_step_is_gone_or_changed_is_reported_before_anything_runs(bench: Bench) -> None:
    lost = {"acts": _loses_reply, "ready_s": 1.0}
    bench.run(*(a_step(name, **lost) for name in "abc"), limits=Limits(tries=1))
    bench.seen.clear()
    bench.run(a_step("a"), a_step("b", inputs="v2"))
    told = {event.step: (event.gone, event.inputs_changed) for event in bench.of(events.OpenBegin)}
    assert told == {"toy.put/a": (False, False), "toy.put/b": (False, True), "toy.put/c": (True, False)}
    kinds = [type(event) for event in bench.seen]
    assert max(at for at, kind in enumerate(kinds) if kind is events.OpenBegin) < kinds.index(events.StepStarted)
    assert set(state(bench).in_flight) == {"toy.put/c"}, "nobody could look at it: it stays open"


def _loses_reply(shelf: Shelf, seen: Probe, notes: Notes) -> None:
    raise TransientError("connection reset")


# --- 3. never act on unknown or changing ---


@pytest.mark.parametrize(
    ("answer", "limit_s", "error"),
    [
        (unknown("no route"), 10.0, CouldNotLook),
        (TransientError("no route"), 10.0, CouldNotLook),
        (changing("busy"), 30.0, StillChanging),
    ],
)
def test_rule_03_unknown_and_changing_are_waited_for_and_never_acted_on(
    bench: Bench, answer: Probe | Exception, limit_s: float, error: type[Exception]
) -> None:
    report = bench.run(a_step("a", looks=answers(answer)), a_step("b", "a"))
    line = report["toy.put/a"]
    assert bench.shelf.done == [] and isinstance(line.error, error)
    assert line.seconds == pytest.approx(limit_s) and "toy.put/a" not in state(bench).in_flight
    assert report["toy.put/b"].outcome is Outcome.BLOCKED


def test_rule_03_when_sight_comes_back_the_step_goes_on(bench: Bench) -> None:
    looks = answers(unknown("no route"), TransientError("reset"), changing("locked"), missing("not there"), satisfied())
    assert bench.run(a_step("a", looks=looks))["toy.put/a"].outcome is Outcome.CHANGED
    waits = [event.what for event in bench.of(events.StepWaiting)]
    assert waits == ["sight: no route", "sight: reset", "locked"]


def test_rule_03_each_loss_of_sight_has_its_own_limit_and_all_together_end(bench: Bench) -> None:
    flapping = answers(*[unknown("dark"), changing("light")] * 2000)
    line = bench.run(a_step("a", looks=flapping))["toy.put/a"]
    assert isinstance(line.error, StillChanging) and line.seconds < 60


def test_rule_03_a_permanent_error_of_a_look_fails_the_step_at_once(bench: Bench) -> None:
    line = bench.run(a_step("a", looks=answers(PermanentError("403", hint="give it the privilege"))))["toy.put/a"]
    assert isinstance(line.error, PermanentError) and line.seconds == 0 and line.error.hint == "give it the privilege"
    assert bench.shelf.done == []


# --- 4. after a transient error look again; with begin open, missing counts only when seen twice ---


def test_rule_04_a_lost_reply_is_followed_by_a_look_not_by_a_second_act(bench: Bench) -> None:
    def acts(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        shelf.put("toy.put/a")
        raise TransientError("connection reset")

    line = bench.run(a_step("a", acts=acts))["toy.put/a"]
    assert line.outcome is Outcome.CHANGED and line.tries == 1 and bench.shelf.done == ["toy.put/a"]


@pytest.mark.parametrize("shows_after_s", [0.3, 1.0, 1.9, 2.4])
def test_rule_04_an_effect_that_shows_late_is_not_taken_for_missing(bench: Bench, shows_after_s: float) -> None:
    """The first look after the error comes 0.5 s later, the second settle_s (2 s) after that."""
    rang: list[float] = []

    def acts(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        rang.append(shelf.clock.monotonic())
        raise TransientError("connection reset")

    def looks(shelf: Shelf) -> Probe:
        return satisfied() if rang and shelf.clock.monotonic() >= rang[0] + shows_after_s else missing("silence")

    assert bench.run(a_step("a", acts=acts, looks=looks))["toy.put/a"].outcome is Outcome.CHANGED
    assert len(rang) == 1


def test_rule_04_an_act_that_did_not_happen_is_tried_again_with_back_off_then_fails_in_flight(bench: Bench) -> None:
    at: list[float] = []

    def acts(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        at.append(shelf.clock.monotonic())
        raise TransientError("503")

    line = bench.run(a_step("a", acts=acts))["toy.put/a"]
    gaps = [later - earlier for earlier, later in pairwise(at)]
    assert gaps == pytest.approx([2.5, 3.0, 4.0]), "back-off 0.5, 1, 2 s and settle_s each time"
    assert isinstance(line.error, TransientError) and line.tries == 4
    assert "toy.put/a" in state(bench).in_flight


def test_rule_04_a_resumed_step_sees_missing_twice_before_it_acts(bench: Bench) -> None:
    bench.run(a_step("a", acts=_loses_reply), limits=Limits(tries=1))
    bench.shelf.looks.clear()
    line = bench.run(a_step("a", takes_s=0.0))["toy.put/a"]
    assert line.resumed and line.outcome is Outcome.CHANGED and line.seconds == pytest.approx(2.0)
    assert bench.shelf.looks == ["toy.put/a"] * 3


def test_rule_04_a_step_that_would_now_do_something_else_is_resumed_with_the_same_care(bench: Bench) -> None:
    def first(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        notes.put("task", "UPID:1")
        raise TransientError("connection reset")

    def second(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        shelf.looks.append(state(bench).notes_of("toy.put/a")["task"])
        shelf.put("toy.put/a")

    bench.run(a_step("a", acts=first), limits=Limits(tries=1))
    bench.shelf.looks.clear()
    line = bench.run(a_step("a", acts=second, inputs="v2"))["toy.put/a"]
    assert line.resumed and line.seconds == pytest.approx(2.0)
    assert bench.shelf.looks == ["toy.put/a", "toy.put/a", "UPID:1", "toy.put/a"], "missing twice, then the act, then the proof"
    assert state(bench).in_flight == {}


def test_rule_04_what_changes_meanwhile_starts_the_settling_anew(bench: Bench) -> None:
    bench.run(a_step("a", acts=_loses_reply), limits=Limits(tries=1))
    looks = answers(missing("1"), changing("somebody is at it"), missing("2"), satisfied())
    line = bench.run(a_step("a", looks=looks))["toy.put/a"]
    assert line.outcome is Outcome.OK and line.resumed and bench.shelf.done == []


def test_rule_04_a_fresh_step_does_not_wait_to_see_it_twice(bench: Bench) -> None:
    assert bench.run(a_step("a", takes_s=0.0))["toy.put/a"].seconds == 0.0


# --- 5. failure blocks what needs it, and only that ---


def test_rule_05_a_failed_step_blocks_what_needs_it_others_go_on_and_only_root_causes_are_told(bench: Bench) -> None:
    report = bench.run(
        a_step("a", looks=answers(PermanentError("no"))),
        a_step("b", "a"), a_step("c", "b"), a_step("x"), a_step("y", "x"), a_step("z", "y", "c"),
    )  # fmt: skip
    outcomes = {line.id.split("/")[1]: line.outcome for line in report.steps}
    assert outcomes["x"] is outcomes["y"] is Outcome.CHANGED
    assert outcomes["b"] is outcomes["c"] is outcomes["z"] is Outcome.BLOCKED
    assert [line.id for line in report.root_causes] == ["toy.put/a"]
    assert all(report[f"toy.put/{name}"].blocked_by == ("toy.put/a",) for name in "bcz")
    assert report.exit_code == 30


def test_rule_05_always_steps_run_when_what_they_need_has_ended_one_way_or_the_other(bench: Bench) -> None:
    report = bench.run(
        a_step("a", looks=answers(PermanentError("no"))), a_step("b", "a"),
        a_step("last", "b", always=True), a_step("after", "last"),
    )  # fmt: skip
    assert bench.shelf.done == ["toy.put/last", "toy.put/after"] and report.exit_code == 30


# --- 6. at the same time as limits allow; hazards one at a time behind their guard ---


def test_rule_06_independent_steps_run_at_the_same_time_within_the_limits(bench: Bench) -> None:
    steps = [a_step(str(n), system="pve" if n < 6 else "flux", takes_s=10.0) for n in range(9)]
    report = bench.run(*steps, limits=Limits(at_once=4, per_system={"pve": 2}))
    assert bench.shelf.most_at_work == 4 and report.seconds == pytest.approx(30.0)
    begun = [(line.started, line.started + line.seconds) for line in report.steps[:6]]
    assert all(sum(a <= start < b for a, b in begun) <= 2 for start, _ in begun)


def test_rule_06_what_disturbs_a_system_goes_one_at_a_time_each_after_the_guards_yes_and_a_fresh_look(bench: Bench) -> None:
    healthy_at = [0.0]

    def acts(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        assert shelf.clock.monotonic() >= healthy_at[0]
        healthy_at[0] = shelf.clock.monotonic() + 7.0
        shelf.put(seen.detail, 3.0)

    def looks(name: str) -> Look:
        return lambda shelf: satisfied() if name in shelf.things else missing(name)

    guard = a_check("voters", lambda shelf: satisfied() if shelf.clock.monotonic() >= healthy_at[0] else missing("2 of 3"))
    risky = [a_step(name, system="etcd", bad=Hazard.DISRUPTS, acts=acts, looks=looks(name)) for name in "abc"]
    report = bench.run(*risky, a_step("x", system="etcd"), guards={"etcd": guard})
    assert report.converged and bench.shelf.done[0] == "toy.put/x" and sorted(bench.shelf.done[1:]) == ["a", "b", "c"]
    assert report["toy.put/x"].started == 0.0, "a harmless step of the same system does not queue"
    queued = [event for event in bench.of(events.StepWaiting) if "in peace" in event.what]
    assert len(queued) == 2 and report.seconds >= 2 * 7.0 + 3.0


def test_rule_06_a_guard_that_says_no_fails_the_step_before_its_begin(bench: Bench) -> None:
    guard = a_check("voters", answers(missing("2 of 3 voters are healthy")), sight_s=20.0)
    report = bench.run(a_step("a", system="etcd", bad=Hazard.DISRUPTS), guards={"etcd": guard})
    line = report["toy.put/a"]
    assert isinstance(line.error, GuardRefused) and "2 of 3" in line.detail and bench.shelf.done == []
    assert line.seconds == pytest.approx(20.0) and not any(entry["kind"] == "begin" for entry in lines(bench))


def test_rule_06_a_guards_yes_from_before_a_wait_is_asked_for_again(bench: Bench) -> None:
    """The node was busy for a while after the yes, and meanwhile another one went down."""
    guard = a_check("voters", answers(satisfied(), missing("2 of 3 voters are healthy")), sight_s=20.0)
    looks = answers(drifted("differs"), changing("restarts"), drifted("differs"), satisfied())
    line = bench.run(a_step("a", system="etcd", bad=Hazard.DISRUPTS, looks=looks), guards={"etcd": guard})["toy.put/a"]
    assert isinstance(line.error, GuardRefused) and bench.shelf.done == []


def test_rule_06_what_never_holds_still_behind_its_guard_ends(bench: Bench) -> None:
    guard = a_check("voters", answers(satisfied()))
    looks = answers(*[drifted("differs"), changing("restarts")] * 2000)
    line = bench.run(a_step("a", system="etcd", bad=Hazard.DISRUPTS, looks=looks), guards={"etcd": guard})["toy.put/a"]
    assert isinstance(line.error, StillChanging) and line.seconds < 60 and bench.shelf.done == []


def test_rule_06_what_is_done_while_the_step_waited_for_its_turn_is_not_done_again(bench: Bench) -> None:
    def acts(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        shelf.put("one for both", 5.0)
        shelf.things.update({"toy.put/a", "toy.put/b"})

    risky = {"system": "etcd", "bad": Hazard.DISRUPTS}
    report = bench.run(a_step("a", acts=acts, **risky), a_step("b", acts=acts, **risky))
    assert bench.shelf.done == ["one for both"]
    assert {line.outcome for line in report.steps} == {Outcome.CHANGED, Outcome.OK}


def test_rule_06_disrupting_what_serves_needs_an_approval(bench: Bench) -> None:
    step = a_step("a", bad=Hazard.DISRUPTS, named="cp-1")
    assert bench.run(step).exit_code == 21 and bench.shelf.done == []
    act = ApprovedAct.to(Thing("cp-1"), step.id, Hazard.DISRUPTS)
    assert bench.run(step, approval=Approval("d", frozenset({act}), bench.clock.now() + 60)).exit_code == 0


def test_rule_06_one_thread_emits_all_events_and_writes_the_journal(bench: Bench) -> None:
    import threading

    threads: set[str] = set()
    bench.run(*(a_step(str(n)) for n in range(5)), sink=lambda event: threads.add(threading.current_thread().name))
    assert threads == {threading.current_thread().name}


# --- 7. anything that is not ours is a bug ---


def test_rule_07_a_bug_leaves_begin_open_stops_the_run_and_its_traceback_goes_to_the_log(bench: Bench) -> None:
    Secret("hunter2-in-a-bug")
    logged: list[str] = []

    def acts(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        raise KeyError("hunter2-in-a-bug")

    def log(text: str) -> str:
        logged.append(text)
        return "state/house-1/runs/1/bug.txt"

    always = a_step("last", "a", always=True)
    report = bench.run(a_step("a", acts=acts), a_step("slow", takes_s=50.0), a_step("next", "slow"), always, bug_log=log)
    assert report.exit_code == 70 and report.bug is not None and report.bug.where.endswith("bug.txt")
    assert "toy.put/a" in state(bench).in_flight and "toy.put/next" not in bench.shelf.things
    assert "toy.put/last" not in bench.shelf.things, "as at a first signal: not even always steps"
    assert "KeyError" in logged[0] and "test_rules.py" in logged[0] and "hunter2" not in logged[0]
    (told,) = bench.of(events.BugFound)
    assert told.where == "state/house-1/runs/1/bug.txt" and told.step == "toy.put/a"


@pytest.mark.parametrize("where", ["probe", "hazard"])
def test_rule_07_a_bug_in_a_look_is_a_bug_too(bench: Bench, where: str) -> None:
    step = a_step("a", looks=answers(ZeroDivisionError()))
    if where == "hazard":
        step = a_step("a", bad="not a hazard", looks=answers(missing("x")), acts=lambda *_: 1 / 0)
    assert bench.run(step).exit_code == 70


def test_rule_07_a_view_that_fails_stops_the_run_in_order(bench: Bench) -> None:
    def sink(event: events.Event) -> None:
        if isinstance(event, events.StepBegun):
            raise BrokenPipeError

    report = bench.run(a_step("a"), a_step("b", "a"), sink=sink)
    assert report.exit_code == 70 and bench.shelf.done == ["toy.put/a"] and state(bench).in_flight == {}


def test_rule_07_a_view_that_fails_at_the_very_end_is_a_bug_too(bench: Bench) -> None:
    def sink(event: events.Event) -> None:
        if isinstance(event, events.RunEnded):
            raise BrokenPipeError

    report = bench.run(a_step("a"), sink=sink)
    assert report.exit_code == 70 and report.bug is not None and report["toy.put/a"].outcome is Outcome.CHANGED
