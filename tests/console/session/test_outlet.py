"""What is shown can be lost: the reader of a pipe leaves, a log's disk is full. The verb goes on and ends as it would have."""

from __future__ import annotations

import io
import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from console.ending import guarded
from console.opened.real_doors import open_real_doors
from console.views.outlet import Outlet, outlets
from engine import errors
from engine.waiting import SystemClock
from tests.builders import a_house
from tests.console.modelled_doors import Desk

Printed = pytest.CaptureFixture[str]


@pytest.fixture
def unread_pipe() -> Iterator[TextIO]:
    """A pipe whose reader is gone, as stdout after `| head`."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as pipe:
        yield pipe


def bootstrapped(desk: Desk, *, json: bool) -> int:
    """A bootstrap that has one namespace left to make; answers the exit code."""
    desk.running.home.kube.objects().namespaces.discard("apps")
    course = desk.running.bootstrap
    return guarded("cluster.bootstrap", json, lambda: desk.session("cluster.bootstrap", json=json).apply(course))


def test_a_run_whose_reader_left_goes_on_to_its_own_end(
    held_desk: Desk, unread_pipe: TextIO, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", unread_pipe)
    assert bootstrapped(held_desk, json=False) == errors.EXIT_HELD
    assert "apps" in held_desk.running.home.kube.objects().namespaces
    assert capsys.readouterr().err == "standard output cannot be written any more (Broken pipe): what follows is not in it.\n"


def test_a_run_that_a_program_followed_stops_in_order_when_that_is_gone(
    held_desk: Desk, unread_pipe: TextIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", unread_pipe)
    assert bootstrapped(held_desk, json=True) == errors.EXIT_INTERRUPTED
    assert "apps" not in held_desk.running.home.kube.objects().namespaces
    monkeypatch.undo()
    assert bootstrapped(held_desk, json=True) == errors.EXIT_HELD


def test_a_problem_whose_reader_left_keeps_its_exit_code(unread_pipe: TextIO, monkeypatch: pytest.MonkeyPatch) -> None:
    def body() -> int:
        raise errors.JournalBusy("another run of this house is at work")

    monkeypatch.setattr(sys, "stdout", unread_pipe)
    monkeypatch.setattr(sys, "stderr", unread_pipe)
    assert guarded("cluster.bootstrap", True, body) == errors.JournalBusy.exit_code
    assert guarded("cluster.bootstrap", False, body) == errors.JournalBusy.exit_code


def test_a_full_disk_under_the_log_does_not_stop_the_run(held_desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: Printed) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        session = held_desk.session
        run = guarded("cluster.bootstrap", False, lambda: session("cluster.bootstrap").apply(held_desk.running.bootstrap))
    assert run == errors.EXIT_HELD
    assert "No space left on device" in capsys.readouterr().err
    (kept,) = held_desk.running.house.state_dir.glob("runs/*/events.jsonl")
    assert '"RunEnded"' in kept.read_text()


def test_a_run_whose_folder_cannot_be_made_begins_nothing(held_desk: Desk, capsys: Printed) -> None:
    (held_desk.running.house.state_dir / "runs").write_text("no folder")
    session = held_desk.session
    run = guarded("cluster.bootstrap", False, lambda: session("cluster.bootstrap").apply(held_desk.running.bootstrap))
    assert run == errors.JournalDamaged.exit_code
    assert "the run's folder" in capsys.readouterr().err
    assert held_desk.opened == []


def test_a_sign_that_the_encoding_lacks_is_written_as_its_number() -> None:
    bytes_ = io.BytesIO()
    outlet = Outlet(io.TextIOWrapper(bytes_, encoding="ascii"), "it")
    outlet.write("✗ refused")
    outlet.flush()
    assert bytes_.getvalue() == b"\\u2717 refused"


def test_no_stdout_at_all_is_nobody_who_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with outlets():
        sys.stdout.write("nobody reads this")
        assert not sys.stdout.isatty()


def test_a_state_folder_on_a_full_disk_is_one_clear_problem(tmp_path: Path) -> None:
    house = a_house(state_dir=tmp_path / "state")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))  # no byte fits into any file
    try:
        with pytest.raises(errors.SettingsInvalid, match="cannot be written to"):
            open_real_doors(house, "run-1", SystemClock(), None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
