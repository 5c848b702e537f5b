"""An open house: what is told when its closing goes wrong, and that neither a screen nor a thread can stop or outlive a run."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from console.ending import guarded
from console.views.screen import NotShown, Screen
from engine import errors
from engine.events import Event, Stopping
from tests.console.modelled_doors import Desk
from tests.console.session.test_session import applied, on_look, result_of

Printed = pytest.CaptureFixture[str]
ROOT = Path(__file__).resolve().parents[3]


def with_trouble(desk: Desk, *told: str) -> None:
    """The doors of the next sessions have these troubles while they close."""
    real = desk.doors

    def doors(*given: object) -> object:
        opened = real(*given)  # type: ignore[arg-type]
        opened.troubles = told
        return opened

    desk.doors = doors  # type: ignore[method-assign, assignment]


def test_trouble_at_closing_stands_beside_the_report_and_never_in_its_place(held_desk: Desk, capsys: Printed) -> None:
    with_trouble(held_desk, "could not give the Lease back: the API is down")
    assert applied(held_desk, held_desk.running.bootstrap) == errors.EXIT_HELD
    result = result_of(capsys)
    assert result["outcome"] == "held" and result["closing"] == ["could not give the Lease back: the API is down"]
    held_desk.running.home.proxmox.vms[8004].options["cores"] = 2
    session = held_desk.session("cluster.bootstrap")
    assert session.apply(held_desk.running.bootstrap) == errors.EXIT_STEP_FAILED
    told = capsys.readouterr().out
    assert "warning: could not give the Lease back" in told and "proxmox.create-vm/" in told, "root causes are told as ever"


def test_a_bug_on_a_thread_of_ours_stops_the_run_in_order_and_ends_with_70(held_desk: Desk, capsys: Printed) -> None:
    def fail() -> None:
        def body() -> None:
            raise ZeroDivisionError("renewal")

        thread = threading.Thread(target=body, name="renewal of the Lease")
        thread.start()
        thread.join()

    held_desk.spoil = on_look("clone", "state", fail)
    assert applied(held_desk, held_desk.running.bootstrap) == errors.EXIT_BUG
    assert result_of(capsys)["outcome"] == "bug"
    (log,) = held_desk.running.house.state_dir.glob("runs/*/bug.log")
    assert "ZeroDivisionError: renewal" in log.read_text()


def test_a_traceback_with_what_is_no_text_is_written_all_the_same(held_desk: Desk, capsys: Printed) -> None:
    def fail() -> None:
        raise ZeroDivisionError("lone \ud800 surrogate")

    held_desk.spoil = on_look("clone", "state", fail)
    assert applied(held_desk, held_desk.running.bootstrap) == errors.EXIT_BUG
    (log,) = held_desk.running.house.state_dir.glob("runs/*/bug.log")
    assert "lone \\ud800 surrogate" in log.read_text()
    assert result_of(capsys)["outcome"] == "bug"


@pytest.mark.usefixtures("hung_up")
def test_a_hangup_asks_a_run_to_stop_and_it_reports(held_desk: Desk, capsys: Printed) -> None:
    before = signal.getsignal(signal.SIGHUP)
    held_desk.spoil = on_look("clone", "state", lambda: os.kill(os.getpid(), signal.SIGHUP))
    assert applied(held_desk, held_desk.running.bootstrap) == errors.EXIT_INTERRUPTED
    assert result_of(capsys)["outcome"] == "interrupted"
    assert signal.getsignal(signal.SIGHUP) == before

    def body() -> int:
        os.kill(os.getpid(), signal.SIGHUP)
        raise AssertionError("it went on")

    assert guarded("cluster.plan", True, body) == errors.EXIT_INTERRUPTED


def test_json_lines_are_ascii_whatever_is_in_them(held_desk: Desk, capsys: Printed) -> None:
    held_desk.session("cluster.bootstrap", json=True).lines.write({"detail": "Grüße \ud800 \u2028"})
    line = capsys.readouterr().out
    assert line.isascii() and json.loads(line) == {"detail": "Grüße \ud800 \u2028", "simulated": True}


# A screen.


class Slow:
    """A view that shows nothing until it may."""

    def __init__(self) -> None:
        self.may, self.shown = threading.Event(), list[Event]()

    def __call__(self, event: Event) -> None:
        self.may.wait(10)
        self.shown.append(event)


def test_a_screen_that_takes_nothing_holds_nobody_up_and_says_what_it_left_out() -> None:
    view = Slow()
    screen = Screen(view, most=4)
    for at in range(20):
        screen(Stopping(float(at), 1, "asked"))
    view.may.set()
    while len(view.shown) < 4:
        time.sleep(0.001)
    screen(Stopping(20.0, 1, "asked"))
    troubles = screen.close()
    left_out = [event.count for event in view.shown if isinstance(event, NotShown)]
    assert sum(left_out) + len(view.shown) - len(left_out) == 21 and left_out
    assert troubles == ()


def test_a_screen_that_never_comes_back_is_left_behind() -> None:
    view = Slow()
    screen = Screen(view)
    screen(Stopping(1.0, 1, "asked"))
    (told,) = screen.close(wait_s=0.05)
    assert "did not take all" in told and "events.jsonl" in told
    view.may.set()


def test_what_a_view_raises_comes_out_of_the_next_event_or_of_the_end() -> None:
    def view(event: Event) -> None:
        raise ZeroDivisionError("view")

    screen = Screen(view)
    with pytest.raises(ZeroDivisionError):
        for at in range(1000):
            screen(Stopping(float(at), 1, "asked"))
            time.sleep(0.001)
    screen = Screen(view)
    screen(Stopping(1.0, 1, "asked"))
    assert screen.close() == ("the screen failed: ZeroDivisionError: view",)


# Leaving at once, with a process of its own.

CHILD = """
import sys, time
from pathlib import Path
from typing import IO
from types import SimpleNamespace as NS
from cluster.course import Course
from console.ending import guarded
from console.session import Session
from engine.probe import missing
from engine.programs import Programs
from engine.step import BaseStep
folder = Path(sys.argv[1])
class Act(BaseStep):
    title, system, inputs, needs = "acts without end", "toy", "it", ()
    def __init__(self, name, needs=()):
        self.id, self.needs = name, needs
    def probe(self, look): return missing("not there")
    def by_hand(self): return "true"
    def apply(self, act, seen, notes):
        while True:
            with (folder / "writes").open("a") as file:
                file.write("x")
            time.sleep(0.01)
class Doors:
    look = act = NS()
    programs, end_group = Programs(), None
    def end_programs(self, grace_s): pass
    def close(self): return ()
steps = (Act("toy.act/it"), *(Act(f"toy.then/{n}", ("toy.act/it",)) for n in range(2000)))
house = NS(state_dir=folder / "state", id="toy", simulated=False, notes=(), nodes=(),
           limits=NS(parallel=4, proxmox_parallel=2, restore_parallel=2))
verb = lambda: Session("toy.act", house, lambda *given: Doors()).apply(Course((), steps))
sys.exit(guarded("toy.act", False, verb))
"""


@contextmanager
def acting(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A run that acts without end, its output in a pipe that nobody reads."""
    reading, writing = os.pipe()
    command = [sys.executable, "-c", CHILD, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=writing, stderr=subprocess.DEVNULL) as run:
        os.close(writing)
        try:
            while not (folder / "writes").exists():
                assert run.poll() is None
                time.sleep(0.01)
            yield run
        finally:
            run.kill()
            os.close(reading)


def taken(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def test_after_a_second_signal_the_lock_is_free_only_when_nothing_acts_any_more(tmp_path: Path) -> None:
    with acting(tmp_path) as run:
        run.send_signal(signal.SIGINT)
        time.sleep(0.2)
        asked = time.monotonic()
        with (tmp_path / "state" / "lock").open("r+") as lock:
            while not taken(lock):
                run.send_signal(signal.SIGINT)  # again: two that come before a busy machine has heard one are one
                assert time.monotonic() - asked < 60.0, "it does not leave"
                time.sleep(0.2)
            free, size = time.monotonic(), (tmp_path / "writes").stat().st_size
            assert run.wait(1.0) == errors.EXIT_INTERRUPTED
            time.sleep(0.2)
            assert (tmp_path / "writes").stat().st_size == size, "it acted after another run could have begun"
        assert free - asked < 8.0, "leaving at once has a bound, also with a pipe that nobody reads"
