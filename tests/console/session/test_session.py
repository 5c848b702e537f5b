"""Every way a verb can end, through a session with modelled doors: its exit code, its last JSON line, and what it leaves."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.context import ActContext
from cluster.course import Course
from console.ending import guarded
from console.screens.unlooked import remembered
from console.session import Session
from console.verbs.cluster import bootstrap as cluster_verbs
from engine import errors
from engine.journal import open_journal, read_state
from engine.sealed.entries import Begin, Note
from engine.step import StepId
from house.model import Requirement
from recovery.course import course as recovery_course
from tests.console.modelled_doors import Desk

Printed = pytest.CaptureFixture[str]


def result_of(printed: Printed) -> dict[str, object]:
    """The last line's `result`, after making sure that every line is one JSON object."""
    lines = [json.loads(line) for line in printed.readouterr().out.splitlines()]
    assert all(isinstance(line, dict) for line in lines)
    assert [line for line in lines[:-1] if "result" in line] == []
    result = lines[-1]["result"]
    assert {"verb", "outcome", "counts", "seconds", "exit_code"} <= set(result)
    assert isinstance(result["seconds"], float)
    return dict(result)


def applied(desk: Desk, course: Course, *, verb: str = "cluster.bootstrap", approved: str = "") -> int:
    """Apply through a session with --json, as a verb does."""
    return guarded(verb, True, lambda: desk.session(verb, json=True).apply(course, approved))


class TestWhatARunEndsWith:
    def test_0_done_and_nothing_held(self, held_desk: Desk, capsys: Printed) -> None:
        assert held_desk.running.apply(held_desk.running.restore).exit_code == 0
        assert applied(held_desk, held_desk.running.bootstrap) == errors.EXIT_OK
        result = result_of(capsys)
        assert (result["verb"], result["outcome"], result["simulated"]) == ("cluster.bootstrap", "done", True)

    def test_6_done_and_claims_are_held(self, held_desk: Desk, capsys: Printed) -> None:
        assert applied(held_desk, held_desk.running.bootstrap) == errors.EXIT_HELD
        result = result_of(capsys)
        assert result["outcome"] == "held"
        ok = len(held_desk.running.bootstrap.graph()) - 1
        assert result["counts"] == {"ok": ok, "changed": 0, "held": 1, "failed": 0, "blocked": 0, "interrupted": 0, "warning": 0}

    def test_11_another_run_holds_the_journal(self, held_desk: Desk, capsys: Printed) -> None:
        house = held_desk.running.house
        with open_journal(house.state_dir, lineage=house.id, run="the-other-run"):
            assert applied(held_desk, held_desk.running.bootstrap) == errors.JournalBusy.exit_code
        result = result_of(capsys)
        assert "the-other-run" in str(result["problem"])
        assert held_desk.opened == [], "doors were opened without the lock"

    def test_11_another_machine_holds_the_lease(self, held_desk: Desk, capsys: Printed) -> None:
        other = held_desk.running.home.act("x").cluster
        other.take_lease("another-machine", 60)
        # It lives: it renews its Lease between any two looks of ours.
        held_desk.spoil = on_look("cluster", "take_lease", lambda: other.take_lease("another-machine", 60))
        held_desk.running.home.kube.objects().namespaces.discard("apps")
        assert applied(held_desk, held_desk.running.bootstrap) == errors.JournalBusy.exit_code
        assert "apps" not in held_desk.running.home.kube.objects().namespaces
        assert "another-machine" in capsys.readouterr().out

    def test_12_the_journal_is_damaged(self, held_desk: Desk, capsys: Printed) -> None:
        journal = held_desk.running.house.state_dir / "journal"
        journal.write_bytes(journal.read_bytes().replace(b"begin", b"bogus", 1))
        assert applied(held_desk, held_desk.running.bootstrap) == errors.JournalDamaged.exit_code
        problem = str(result_of(capsys)["problem"])
        assert f"mv {journal}" in problem

    def test_12_the_journal_is_of_another_house(self, held_desk: Desk, capsys: Printed) -> None:
        held_desk.running.house = replace(held_desk.running.house, id="0000000000")
        assert applied(held_desk, held_desk.running.bootstrap) == errors.JournalDamaged.exit_code
        assert "another house" in capsys.readouterr().out

    @pytest.mark.parametrize("seen", ["quorum", "keys", "two checks"])
    def test_20_preflight_refuses_and_nothing_is_changed(self, desk: Desk, capsys: Printed, seen: str) -> None:
        home = desk.running.home
        for host in ("pve-2", "pve-3", "pve-4") if seen in ("quorum", "two checks") else ():
            home.proxmox.host_down(host)
        if seen in ("keys", "two checks"):
            home.files.bundle_problem = "no key opens it"
        assert applied(desk, desk.running.bootstrap) == errors.PreflightRefused.exit_code
        assert result_of(capsys)["outcome"] == "refused"
        assert home.proxmox.vms == {}

    def test_21_an_act_lacks_its_consent(self, held_desk: Desk, capsys: Printed) -> None:
        running = held_desk.running
        may_be_empty = replace(running.house.claims[0], requirement=Requirement(False, 0.0, 0))
        running.home.store.repositories.clear()
        course = recovery_course(running.house, (), never_backed_up=(may_be_empty,))
        assert applied(held_desk, course, verb="dr.restore") == errors.ApprovalMissing.exit_code
        assert result_of(capsys)["outcome"] == "failed"

    def test_21_an_approval_of_another_plan(self, held_desk: Desk, capsys: Printed) -> None:
        code = applied(held_desk, held_desk.running.bootstrap, approved="0123456789ab")
        assert code == errors.ApprovalMissing.exit_code
        assert result_of(capsys)["outcome"] == "refused"

    def test_30_a_step_failed(self, held_desk: Desk, capsys: Printed) -> None:
        held_desk.running.home.proxmox.vms[8004].options["cores"] = 2
        assert applied(held_desk, held_desk.running.bootstrap) == errors.EXIT_STEP_FAILED
        assert result_of(capsys)["outcome"] == "failed"

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_130_a_first_signal(self, held_desk: Desk, capsys: Printed, number: signal.Signals) -> None:
        before = signal.getsignal(number)
        held_desk.spoil = on_look("clone", "state", lambda: os.kill(os.getpid(), number))
        assert applied(held_desk, held_desk.running.bootstrap) == errors.EXIT_INTERRUPTED
        assert result_of(capsys)["outcome"] == "interrupted"
        assert signal.getsignal(number) == before
        held_desk.spoil = lambda act: act
        assert applied(held_desk, held_desk.running.bootstrap) == errors.EXIT_HELD

    def test_70_a_bug_of_ours_in_a_step(self, held_desk: Desk, capsys: Printed) -> None:
        def fail() -> None:
            raise ZeroDivisionError("a bug")

        held_desk.spoil = on_look("clone", "state", fail)
        assert applied(held_desk, held_desk.running.bootstrap) == errors.EXIT_BUG
        assert result_of(capsys)["outcome"] == "bug"
        (log,) = held_desk.running.house.state_dir.glob("runs/*/bug.log")
        assert "ZeroDivisionError" in log.read_text()

    def test_70_the_traceback_is_not_lost_when_the_log_cannot_be_written(self, held_desk: Desk, capsys: Printed) -> None:
        def fail() -> None:
            (run,) = held_desk.running.house.state_dir.glob("runs/*/")
            (run / "bug.log").mkdir()
            raise ZeroDivisionError("a bug")

        held_desk.spoil = on_look("clone", "state", fail)
        assert applied(held_desk, held_desk.running.bootstrap) == errors.EXIT_BUG
        printed = capsys.readouterr()
        assert "ZeroDivisionError: a bug" in printed.err
        assert "printed above on standard error" in printed.out
        assert "bug.log cannot be written: Is a directory" in printed.out

    def test_70_a_bug_of_ours_in_the_verb_itself(self, capsys: Printed) -> None:
        def body() -> int:
            raise KeyError("a bug")

        assert guarded("cluster.plan", True, body) == errors.EXIT_BUG
        assert result_of(capsys)["outcome"] == "bug"

    def test_130_ctrl_c_outside_of_a_run(self, capsys: Printed) -> None:
        def body() -> int:
            raise KeyboardInterrupt

        assert guarded("cluster.plan", True, body) == errors.EXIT_INTERRUPTED
        assert result_of(capsys)["outcome"] == "interrupted"

    def test_130_sigterm_outside_of_a_run(self, capsys: Printed) -> None:
        before = signal.getsignal(signal.SIGTERM)

        def body() -> int:
            os.kill(os.getpid(), signal.SIGTERM)
            raise AssertionError("it went on")

        assert guarded("cluster.plan", True, body) == errors.EXIT_INTERRUPTED
        assert result_of(capsys)["outcome"] == "interrupted"
        assert signal.getsignal(signal.SIGTERM) == before


def on_look(port: str, name: str, first: Callable[[], None]) -> Callable[[ActContext], ActContext]:
    """Doors that do `first` at this look of this port."""

    def spoil(act: ActContext) -> ActContext:
        real = getattr(act, port)

        class Spoilt:
            def __getattr__(self, asked: str) -> object:
                if asked == name:
                    first()
                return getattr(real, asked)

        return replace(act, **{port: Spoilt()})  # type: ignore[arg-type]  # a door by its name

    return spoil


class TestPlanVerifyAndPreflight:
    def test_a_plan_ends_with_2_when_there_is_something_to_do_and_with_0_when_not(self, desk: Desk, capsys: Printed) -> None:
        course = desk.running.bootstrap
        assert desk.session("cluster.plan", json=True).plan(course, act="") == errors.EXIT_PLAN_HAS_CHANGES
        assert result_of(capsys)["outcome"] == "changes"
        assert not (desk.running.house.state_dir / "journal").exists()
        desk.running.apply(course)
        assert desk.session("cluster.plan", json=True).plan(course, act="") == errors.EXIT_OK
        assert result_of(capsys)["outcome"] == "noop"

    def test_a_bug_beside_the_rows_is_told_with_the_plan_that_was_made_without_it(self, held_desk: Desk, capsys: Printed) -> None:
        """Nobody heard of it: rows ask for one node, and what asks for all of them was only slower for it."""

        def fail() -> None:
            raise ZeroDivisionError("a bug")

        held_desk.spoil = on_look("talos", "machines", fail)
        assert held_desk.session("cluster.plan", json=True).plan(held_desk.running.bootstrap, act="") == errors.EXIT_OK
        (told,) = result_of(capsys)["closing"]  # type: ignore[misc, attr-defined]  # a list, of JSON
        assert "ZeroDivisionError at " in told and "asked by themselves" in told

    def test_verify_ends_with_3_on_drift_and_with_30_when_it_could_not_look(self, held_desk: Desk, capsys: Printed) -> None:
        course = held_desk.running.bootstrap
        held_desk.running.home.kube.objects().namespaces.discard("apps")
        assert held_desk.session("cluster.verify", json=True).verify(course) == errors.EXIT_DRIFT
        assert result_of(capsys)["exit_code"] == errors.EXIT_DRIFT
        held_desk.session("cluster.verify").verify(course)
        assert "Next: invoke cluster.plan" in capsys.readouterr().out, "the same look again would mend nothing"
        held_desk.running.home.kube.objects().namespaces.add("apps")
        held_desk.running.home.store.down = True
        assert held_desk.session("cluster.verify", json=True).verify(course) == errors.EXIT_STEP_FAILED

    def test_preflight_refuses_with_the_code_that_a_run_would_have(self, desk: Desk, capsys: Printed) -> None:
        checks = desk.running.bootstrap.checks_of("preflight")
        assert desk.session("cluster.preflight", json=True).preflight(checks) == errors.EXIT_OK
        desk.running.home.store.repositories.clear()
        desk.running.home.store.down = False
        capsys.readouterr()
        assert desk.session("cluster.preflight", json=True).preflight(checks) == errors.PreflightRefused.exit_code
        assert result_of(capsys)["outcome"] == "refused"


def test_10_settings_that_cannot_be_used(tmp_path: Path, capsys: Printed) -> None:
    settings = tmp_path / "blackstart.yaml"
    settings.write_text("hous: {}\n")
    assert cluster_verbs.plan(str(settings), True, True, "") == errors.SettingsInvalid.exit_code
    assert result_of(capsys)["outcome"] == "refused"
    assert cluster_verbs.plan(str(tmp_path / "none.yaml"), False, True, "") == errors.SettingsInvalid.exit_code
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("what      ")


def test_the_environment_names_the_settings_where_the_command_line_does_not(
    tmp_path: Path, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    named, given = tmp_path / "named.yaml", tmp_path / "given.yaml"
    monkeypatch.setenv("BLACKSTART_SETTINGS", str(named))
    assert cluster_verbs.plan("", True, True, "") == errors.SettingsInvalid.exit_code
    assert str(named) in str(result_of(capsys)["problem"])
    assert cluster_verbs.plan(str(given), True, True, "") == errors.SettingsInvalid.exit_code
    told = str(result_of(capsys)["problem"])
    assert str(given) in told and str(named) not in told


def test_every_session_closes_its_doors_whatever_happens(held_desk: Desk) -> None:
    session = held_desk.session("cluster.bootstrap")
    session.apply(held_desk.running.bootstrap)

    def fail() -> None:
        raise ZeroDivisionError("a bug")

    held_desk.spoil = on_look("clone", "state", fail)
    with pytest.raises(ZeroDivisionError):
        held_desk.session("cluster.plan").plan(held_desk.running.bootstrap, act="")
    assert [doors.closed for doors in held_desk.opened] == [1, 1]


def test_the_run_s_folder_keeps_every_event_as_json_also_without_the_option(held_desk: Desk, capsys: Printed) -> None:
    held_desk.session("cluster.bootstrap").apply(held_desk.running.bootstrap, "", "invoke dr.restore", "Cluster built")
    (kept,) = held_desk.running.house.state_dir.glob("runs/*/events.jsonl")
    events = [json.loads(line)["event"] for line in kept.read_text().splitlines()]
    assert (events[0], events[-1]) == ("RunStarted", "RunEnded")
    out = capsys.readouterr().out
    assert all(line.startswith("[simulated] ") for line in out.splitlines() if line)
    assert "Cluster built. 1 claim held, no backups are being written for it.\n[simulated] Next: invoke dr.restore" in out


def test_the_rows_of_a_plan_share_the_list_of_vms(held_desk: Desk, capsys: Printed) -> None:
    asked: list[str] = []
    vms = held_desk.running.home.look().proxmox.vms
    held_desk.spoil = on_look("proxmox", "vms", lambda: asked.append("vms"))
    assert held_desk.session("cluster.plan", json=True).plan(held_desk.running.bootstrap, act="") == errors.EXIT_OK
    assert (result_of(capsys)["outcome"], asked, len(vms())) == ("noop", ["vms"], len(held_desk.running.house.nodes))


def test_status_tells_what_the_journal_remembers_and_opens_no_door(held_desk: Desk, capsys: Printed) -> None:
    house = held_desk.running.house
    session: Session = held_desk.session("cluster.status", json=True)
    assert remembered(session, read_state(house.state_dir, lineage=house.id)) == errors.EXIT_OK
    result = result_of(capsys)
    assert result["outcome"] == "remembered"
    assert held_desk.opened == []


def test_status_tells_what_a_step_in_flight_had_noted_for_whoever_looks_after_it(held_desk: Desk, capsys: Printed) -> None:
    house = held_desk.running.house
    with open_journal(house.state_dir, lineage=house.id, run="dead") as journal:
        journal.append(Begin(StepId("proxmox.start-vm/cp-1"), ""), Note("proxmox.start-vm/cp-1", "task", "UPID:pve-1:4711"))
    remembered(held_desk.session("cluster.status"), read_state(house.state_dir, lineage=house.id))
    assert "begun by run dead; task: UPID:pve-1:4711" in " ".join(capsys.readouterr().out.split())
    remembered(held_desk.session("cluster.status", json=True), read_state(house.state_dir, lineage=house.id))
    assert result_of(capsys)["notes"] == {"proxmox.start-vm/cp-1": {"task": "UPID:pve-1:4711"}}
