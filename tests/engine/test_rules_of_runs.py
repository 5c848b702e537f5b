"""The engine's rules from the eighth to the thirteenth: signals, writers, notes, approvals, secrets; named as the first seven."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine import events
from engine.approval import Approval, ApprovedAct
from engine.errors import (
    ApprovalMissing,
    Interrupted,
    JournalBusy,
    PermanentError,
    TransientError,
)
from engine.graph import Graph
from engine.limits import Limits
from engine.plan import plan
from engine.probe import Condition, Identity, Probe, drifted, missing, satisfied, unknown
from engine.programs import Programs
from engine.report import Outcome
from engine.secrets import Secret
from engine.step import Hazard, Notes, StepId
from engine.stop import Stop
from lab.ports.journal_disk import ArmedWrite, DiskFault, FencedDisk
from tests.engine.toys import Bench, Shelf, Thing, ToyStep, a_check, a_step, answers, lines, state

# --- 8. signals ---


def test_rule_08_at_the_first_signal_waits_end_calls_get_their_grace_and_nothing_new_starts(bench: Bench) -> None:
    stop = Stop()
    waiting = a_step("waiting", looks=answers(unknown("dark")), sight_s=1000.0)

    def acts(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        stop.request("SIGINT")
        notes.put("task", "UPID:1")
        shelf.put("toy.put/a")

    report = bench.run(a_step("a", acts=acts), a_step("b", "a"), waiting, a_step("last", "a", always=True), stop=stop)
    assert report.exit_code == 130 and report.seconds < 2
    assert bench.shelf.done == ["toy.put/a"], "the running call ended; nothing followed, not even an always step"
    assert report["toy.put/a"].outcome is Outcome.CHANGED
    assert "toy.put/b" not in bench.shelf.looks and "toy.put/last" not in bench.shelf.looks
    assert {report[f"toy.put/{name}"].outcome for name in ("b", "waiting", "last")} == {Outcome.INTERRUPTED}
    assert state(bench).notes_of("toy.put/a") == {"task": "UPID:1"}, "what a running call learns is still noted"
    assert [event.level for event in bench.of(events.Stopping)] == [1]


def test_rule_08_a_look_that_ends_after_the_signal_is_not_followed_by_a_begin(bench: Bench) -> None:
    stop = Stop()

    def looks(shelf: Shelf) -> Probe:
        stop.request("SIGTERM")
        return missing("not there")

    report = bench.run(a_step("a", looks=looks), stop=stop)
    assert report["toy.put/a"].outcome is Outcome.INTERRUPTED and report["toy.put/a"].tries == 1
    assert bench.shelf.done == [] and not any(entry["kind"] == "begin" for entry in lines(bench))


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
def test_rule_08_the_end_of_the_process_is_no_outcome_and_nothing_is_written_about_it(
    bench: Bench, end: type[BaseException]
) -> None:
    def acts(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        raise end

    with pytest.raises(end):
        bench.run(a_step("a", acts=acts))
    bench.clock.bury()
    assert "toy.put/a" in state(bench).in_flight and state(bench).last == {}


def test_rule_08_a_step_that_waits_for_its_turn_is_sent_home(bench: Bench) -> None:
    stop = Stop()

    def acts(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        shelf.clock.sleep(5.0)
        stop.request()

    risky = {"system": "etcd", "bad": Hazard.DISRUPTS}
    report = bench.run(*(a_step(name, acts=acts, looks=answers(missing("x")), **risky) for name in "abc"), stop=stop)
    assert report.counts["interrupted"] == 3 and report.seconds < 6
    assert sum(line.tries for line in report.steps) == 1, "only one had its turn"


def test_rule_08_an_act_that_was_interrupted_stays_in_flight(bench: Bench) -> None:
    from engine.waiting import wait_until

    stop = Stop()

    def acts(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        stop.request()
        wait_until(shelf.clock, lambda: None, limit_s=100.0, what="a task")

    report = bench.run(a_step("a", acts=acts), stop=stop)
    assert report["toy.put/a"].outcome is Outcome.INTERRUPTED and "toy.put/a" in state(bench).in_flight


def test_rule_08_at_the_second_signal_it_leaves_at_once(bench: Bench) -> None:
    stop, ended = Stop(), []
    stop.subscribe(lambda: ended.append(stop.level))

    def acts(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        stop.request()
        stop.request()
        shelf.put("toy.put/a", 1000.0)

    report = bench.run(a_step("a", acts=acts), stop=stop)
    assert report.exit_code == 130 and report["toy.put/a"].outcome is Outcome.INTERRUPTED
    assert ended == [1, 2] and bench.shelf.done == []
    assert report.seconds < 1 and "toy.put/a" in state(bench).in_flight
    bench.clock.bury()


# --- 9. no second writer ---


def test_rule_09_a_second_run_of_the_house_is_refused(bench: Bench) -> None:
    with bench.journal(), pytest.raises(JournalBusy) as caught:
        bench.run(a_step("a"))
    assert "run-1" in caught.value.evidence[0] and bench.shelf.looks == []


def test_rule_09_a_program_is_in_the_journal_before_it_starts_and_ended_before_the_first_look_of_a_resume(bench: Bench) -> None:
    programs = Programs()
    stop = Stop()

    def acts(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        programs.noted(4711, "boot:99", "helm upgrade")
        assert json.loads(state(bench).programs[0]) == [4711, "boot:99", "helm upgrade"]
        stop.request()
        stop.request()
        shelf.clock.sleep(1000.0)

    bench.run(a_step("a", acts=acts), programs=programs, stop=stop)
    bench.clock.bury()
    bench.clock.new_life()
    ended: list[tuple[int, str]] = []

    def end_group(group: int, started: str) -> bool:
        assert bench.shelf.looks == []
        ended.append((group, started))
        return True

    bench.shelf.looks.clear()
    bench.run(a_step("a"), programs=programs, end_group=end_group)
    assert ended == [(4711, "boot:99")]
    assert [event.program for event in bench.of(events.LeftoverEnded)] == ["helm upgrade"]


@pytest.mark.parametrize("fault", [DiskFault.NO_SPACE, DiskFault.SYNC_FAILS])
def test_rule_09_a_program_whose_note_cannot_be_synced_does_not_start(bench: Bench, fault: DiskFault) -> None:
    programs = Programs()

    def acts(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        programs.noted(4711, "boot:99", "helm upgrade")
        shelf.put("toy.put/a")

    disk = FencedDisk(bench.clock.fence, ArmedWrite(4, fault))  # header, run, begin of a; then the program
    report = bench.run(a_step("a", acts=acts), programs=programs, disk=disk)
    assert disk.struck and bench.shelf.done == [] and report.exit_code == 12


def test_rule_09_after_a_run_that_ended_in_order_there_is_nothing_to_end(bench: Bench) -> None:
    programs = Programs()

    def acts(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        programs.noted(4711, "boot:99", "helm upgrade")
        shelf.put("toy.put/a")

    bench.run(a_step("a", acts=acts), programs=programs)
    assert state(bench).programs == ()


def test_rule_09_what_a_look_starts_is_not_noted(bench: Bench) -> None:
    programs = Programs()

    def looks(shelf: Shelf) -> Probe:
        programs.noted(1, "boot:1", "talosctl get")
        return satisfied()

    bench.run(a_step("a", looks=looks), programs=programs)
    programs.noted(2, "boot:2", "outside of any run")
    assert not any(entry.get("key") == "program" for entry in lines(bench))


def test_rule_09_a_leftover_that_cannot_be_ended_stops_the_run_before_it_looks(bench: Bench) -> None:
    programs, stop = Programs(), Stop()

    def acts(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        programs.noted(4711, "boot:99", "helm upgrade")
        stop.request()
        stop.request()

    bench.run(a_step("a", acts=acts), programs=programs, stop=stop)
    bench.shelf.looks.clear()

    def end_group(group: int, started: str) -> bool:
        raise TimeoutError("still there")

    with pytest.raises(PermanentError) as caught:
        bench.run(a_step("a"), programs=programs, end_group=end_group)
    assert caught.value.next_command == "kill -KILL -- -4711" and bench.shelf.looks == []


def test_rule_09_what_was_ended_before_the_run_is_told_by_it(bench: Bench) -> None:
    bench.run(a_step("a"), ended=("helm upgrade",))
    assert [event.program for event in bench.of(events.LeftoverEnded)] == ["helm upgrade"]


def test_a_run_in_which_not_all_was_done_is_no_success_whatever_the_reason(bench: Bench) -> None:
    def acts(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        raise Interrupted("somebody's own wait ended early")

    report = bench.run(a_step("a", acts=acts), a_step("b", "a"))
    assert not report.converged and report.exit_code not in (0, 6)
    report = bench.run(a_step("c"), limits=Limits(per_system={"shelf": 0}))
    assert not report.converged and report.exit_code not in (0, 6)


# --- 10. is tested with the journal, in journal/test_damage.py; here: what the run says of a torn tail ---


def test_rule_10_a_torn_tail_is_cut_and_told(bench: Bench) -> None:
    bench.run(a_step("a"))
    with (bench.folder / "journal").open("ab") as file:
        file.write(b'deadbeef {"seq":99,"ki')
    bench.seen.clear()
    bench.run(a_step("a"))
    assert bench.of(events.RunStarted)[0].cut_bytes == 22
    assert lines(bench)[-1]["value"] == "run-2"


# --- 11. identities and foreign ids are noted, and a resume finds them ---


def test_rule_11_a_note_is_on_the_disk_when_put_returns_and_found_by_a_resume(bench: Bench) -> None:
    found: list[dict[str, str]] = []

    def first(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        notes.put("task", "UPID:old")
        notes.put("task", "UPID:new")
        assert state(bench).notes_of("toy.put/a") == {"task": "UPID:new"}
        raise TransientError("connection reset")

    def second(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        found.append(dict(state(bench).notes_of("toy.put/a")))
        shelf.put("toy.put/a")

    bench.run(a_step("a", acts=first), limits=Limits(tries=1))
    bench.run(a_step("a", acts=second))
    assert found == [{"task": "UPID:new"}]
    assert [event.value for event in bench.of(events.StepNoted)] == ["UPID:old", "UPID:new"]


def test_rule_11_a_resume_that_dies_too_does_not_lose_what_was_noted_before_it(bench: Bench) -> None:
    found: list[dict[str, str]] = []

    def first(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        notes.put("task", "UPID:1")
        raise TransientError("connection reset")

    def second(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        raise TransientError("connection reset")

    def third(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        found.append(dict(state(bench).notes_of("toy.put/a")))
        shelf.put("toy.put/a")

    for acts in (first, second, third):
        bench.run(a_step("a", acts=acts), limits=Limits(tries=1))
    assert found == [{"task": "UPID:1"}]


def test_rule_11_notes_of_a_begin_that_was_ended_are_not_those_of_the_next_one(bench: Bench) -> None:
    def acts(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        notes.put("task", "UPID:1")
        shelf.put("toy.put/a")

    bench.run(a_step("a", acts=acts))
    assert state(bench).notes_of("toy.put/a") == {"task": "UPID:1"}
    bench.shelf.things.clear()
    bench.run(a_step("a"))
    assert state(bench).notes_of("toy.put/a") == {}, "a new begin has notes of its own"


# --- 12. destroying needs an approval that names it ---


def approval(bench: Bench, name: str, valid_s: float = 600.0) -> Approval:
    act = ApprovedAct.to(Thing(name), StepId("toy.put/a"), Hazard.DESTROYS)
    return Approval("digest", frozenset({act}), bench.clock.now() + valid_s)


def test_rule_12_without_an_approval_nothing_is_destroyed_and_nothing_begun(bench: Bench) -> None:
    report = bench.run(a_step("a", bad=Hazard.DESTROYS, named="claim notes"), a_step("x"))
    assert report.exit_code == 21 and isinstance(report["toy.put/a"].error, ApprovalMissing)
    assert bench.shelf.done == ["toy.put/x"]
    assert [entry["step"] for entry in lines(bench) if entry["kind"] == "begin"] == ["toy.put/x"]


def test_rule_12_the_approval_must_name_what_is_seen_just_now(bench: Bench) -> None:
    step = a_step("a", bad=Hazard.DESTROYS, named="claim notes uid 2")
    assert bench.run(step, approval=approval(bench, "claim notes uid 1")).exit_code == 21
    assert bench.run(step, approval=approval(bench, "claim notes uid 2", valid_s=-1.0)).exit_code == 21
    assert bench.run(step, approval=approval(bench, "claim notes uid 2")).exit_code == 0
    assert bench.shelf.done == ["toy.put/a"]


def test_rule_12_consent_is_asked_for_what_the_act_has_become_while_the_step_waited(bench: Bench) -> None:
    """Harmless enough at the first look; by the time of the fresh one, somebody had put data there."""
    step = Worsening(StepId("toy.put/a"), looks=answers(drifted("empty"), drifted("holds data")))
    report = bench.run(step)
    assert report.exit_code == 21 and "destroys" in report["toy.put/a"].detail and bench.shelf.done == []


@dataclass(frozen=True)
class Worsening(ToyStep):
    """Disrupts what is empty, destroys what holds data."""

    def hazard(self, seen: Probe) -> Hazard:
        return Hazard.DISRUPTS if seen.detail == "empty" else Hazard.DESTROYS

    def identity(self, seen: Probe) -> Identity | None:
        return Thing("") if seen.detail != "empty" else None if seen.detail == "empty" else "the data"


def test_rule_12_a_destroying_act_that_names_nothing_cannot_be_approved(bench: Bench) -> None:
    report = bench.run(a_step("a", bad=Hazard.DESTROYS, named=""), approval=approval(bench, ""))
    assert isinstance(report["toy.put/a"].error, PermanentError) and bench.shelf.done == []


def test_rule_12_an_approval_is_journalled_once(bench: Bench) -> None:
    step, given = a_step("a", bad=Hazard.DESTROYS, named="x"), approval(bench, "x")
    for _ in range(2):
        bench.run(step, approval=given)
    assert [Approval.from_text(text) for text in state(bench).approvals] == [given]


# --- 13. nothing secret ---


def test_rule_13_no_secret_reaches_journal_events_report_or_errors(bench: Bench, tmp_path: Path) -> None:
    word = Secret("hunter2-rule-thirteen").reveal()

    def acts(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        notes.put("task", f"UPID {word}")
        raise PermanentError(f"login with {word}", evidence=(word,), hint=word, next_command=f"curl -u {word}")

    def loses(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        raise TransientError(f"reset while {word} was sent")

    looks = answers(drifted(f"differs from {word}", word), drifted(f"differs from {word}", word))
    report = bench.run(
        a_step("a", acts=acts, looks=looks, inputs=f"in {word}"),
        a_step("b", looks=answers(unknown(f"no route to {word}", word))),
        a_step("c", looks=answers(TransientError(f"403 {word}"))),
        a_check("d", answers(missing(f"{word} is not there", word, hint=word))),
        a_step("e", acts=loses, looks=answers(missing(word, hint=word))),
    )
    assert len(bench.of(events.StepRetrying)) == 4
    error = report["toy.put/a"].error
    assert error is not None
    told = [(bench.folder / "journal").read_text(), repr(bench.seen), repr(report), str(error), error.hint, error.next_command]
    assert all("hunter2" not in text for text in told) and "\\u2022" in told[0]
    assert all(condition is not Condition.SATISFIED for condition in (line.condition for line in report.steps))


def test_a_word_that_becomes_a_secret_changes_neither_what_was_begun_nor_a_plan(bench: Bench) -> None:
    stop = Stop()

    def acts(shelf: Shelf, seen: Probe, notes: Notes) -> None:
        stop.request()
        stop.request()

    step = a_step("a", acts=acts, inputs="appsapps/notes s3 0")
    bench.run(step, stop=stop)
    before = plan(Graph([step]), bench.shelf).digest
    Secret("appsapps")
    assert plan(Graph([step]), bench.shelf).digest == before
    bench.run(a_step("a", inputs="appsapps/notes s3 0"))
    assert [event.inputs_changed for event in bench.of(events.OpenBegin)] == [False]
