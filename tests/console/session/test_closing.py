"""What a run says of the run before it and while it closes: programs that were left, signals that come late, disks that fill."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.process.groups import end_group, start_of
from console.report.checking import check_all
from console.screens.tables import print_report
from engine import errors
from engine.errors import StillChanging
from engine.journal import open_journal, read_state
from engine.report import Report
from engine.sealed.entries import Begin, Note
from engine.step import StepId
from tests.console.modelled_doors import Desk, ModelledDoors
from tests.console.session.test_session import applied, on_look

Printed = pytest.CaptureFixture[str]
Doors = Callable[..., ModelledDoors]


def with_doors(desk: Desk, change: Callable[[ModelledDoors], None]) -> None:
    """The next sessions' doors, changed."""
    real: Doors = desk.doors

    def doors(*given: object) -> ModelledDoors:
        opened = real(*given)
        change(opened)
        return opened

    desk.doors = doors  # type: ignore[method-assign]


def ending_programs(doors: ModelledDoors) -> None:
    doors.end_group = end_group


def test_a_program_that_a_dead_run_left_is_ended_once_and_told(held_desk: Desk, capsys: Printed) -> None:
    house = held_desk.running.house
    with subprocess.Popen(["sleep", "100"], start_new_session=True) as left:
        with open_journal(house.state_dir, lineage=house.id, run="dead") as journal:
            told = json.dumps([left.pid, start_of(left.pid), "helm upgrade cilium"])
            journal.append(Note("", "run", "dead"), Note("", "program", told))
        with_doors(held_desk, ending_programs)
        assert held_desk.session("cluster.bootstrap").apply(held_desk.running.bootstrap) == errors.EXIT_HELD
        assert left.wait(5) != 0
    assert capsys.readouterr().out.count("ended a program of a dead run: helm upgrade cilium") == 1
    (kept,) = house.state_dir.glob("runs/*/events.jsonl")
    assert [json.loads(line)["event"] for line in kept.read_text().splitlines()].count("LeftoverEnded") == 1
    assert held_desk.session("cluster.bootstrap").apply(held_desk.running.bootstrap) == errors.EXIT_HELD
    assert "dead run" not in capsys.readouterr().out, "it is told once, by the run that ended it"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_doors_close_does_not_deny_what_is_in_flight(
    held_desk: Desk, capsys: Printed, number: signal.Signals
) -> None:
    """It said "outside of a run: no step was cut off", and the report was lost."""

    def signalled(doors: ModelledDoors) -> None:
        closing = doors.close

        def close() -> tuple[str, ...]:
            os.kill(os.getpid(), number)
            return closing()

        doors.close = close  # type: ignore[method-assign]

    def still() -> None:
        raise StillChanging("Proxmox task UPID:pve-1:4711 still runs after 600 s")

    held_desk.running.home.kube.objects().namespaces.discard("apps")
    held_desk.spoil = on_look("cluster", "create_namespace", still)
    with_doors(held_desk, signalled)
    assert applied(held_desk, held_desk.running.bootstrap) == errors.EXIT_STEP_FAILED
    printed = capsys.readouterr()
    assert "no step was cut off" not in printed.err + printed.out
    result = json.loads(printed.out.splitlines()[-1])["result"]
    assert result["outcome"] == "failed" and "still runs" in str(result["steps"])
    house = held_desk.running.house
    assert len(read_state(house.state_dir, lineage=house.id).in_flight) == 1


def test_what_another_verb_began_is_not_called_gone(held_desk: Desk, capsys: Printed) -> None:
    house, pinned = held_desk.running.house, StepId("recovery.pin/apps/notes")
    with open_journal(house.state_dir, lineage=house.id, run="dead") as journal:
        journal.append(Begin(pinned, "digest"))
    for _ in range(2):
        held_desk.session("cluster.bootstrap").apply(held_desk.running.bootstrap)
        told = capsys.readouterr().out
        assert f"{pinned}  begun by run dead, not ended; looking at the world: it is no step of this verb" in told
    assert pinned in read_state(house.state_dir, lineage=house.id).in_flight


def test_a_run_that_a_full_disk_ended_says_so_with_the_disk_s_own_words(held_desk: Desk, capsys: Printed) -> None:
    failure = errors.JournalUnwritable("the journal cannot be written", evidence=(f"OSError: {os.strerror(errno.ENOSPC)}",))
    session = held_desk.session("cluster.bootstrap")
    print_report(session.page, Report("run", "1", (), 1.0, failure=failure), "dr.restore")
    assert "the journal cannot be written; OSError: No space left on device" in capsys.readouterr().out


def test_a_journal_that_its_disk_refuses_is_what_ended_the_run_in_json_and_in_the_evidence(
    held_desk: Desk, tmp_path: Path, capsys: Printed
) -> None:
    """It was called interrupted, by nobody, and neither said why."""
    house = held_desk.running.house
    held_desk.running.home.kube.objects().namespaces.discard("apps")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def full() -> None:
        room = (house.state_dir / "journal").stat().st_size + 1
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))

    def room_again(doors: ModelledDoors) -> None:
        def close() -> tuple[str, ...]:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            return ()

        doors.close = close  # type: ignore[method-assign]

    held_desk.spoil = on_look("clone", "state", full)
    with_doors(held_desk, room_again)
    session = replace(held_desk.session("cluster.bootstrap", json=True), report=str(tmp_path / "evidence"))
    try:
        assert session.apply(held_desk.running.bootstrap) == errors.JournalUnwritable.exit_code
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    result = json.loads(capsys.readouterr().out.splitlines()[-1])["result"]
    assert (result["outcome"], result["problem"]["what"]) == ("failed", "the journal cannot be written")
    assert str(house.state_dir / "journal") in result["problem"]["evidence"][0]
    (told,) = check_all(tmp_path / "evidence")
    assert (told.evidence["verdict"]["word"], told.evidence["verdict"]["tone"]) == ("failed", "bad")
    assert told.evidence["verdict"]["sentence"].startswith(f"the journal cannot be written; {house.state_dir / 'journal'}: ")
    held_desk.spoil = lambda act: act
    assert applied(held_desk, held_desk.running.bootstrap) == errors.EXIT_HELD
