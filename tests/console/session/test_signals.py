"""Signals outside of a run, one after another, and those that whoever started us does not want heard."""

from __future__ import annotations

import io
import json
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from console.ending import guarded
from console.signals import NUMBERS, Signals, ending
from console.views.jsonlines import JsonLines
from engine import errors
from engine.stop import Stop
from tests.console.modelled_doors import Desk, ModelledDoors
from tests.console.session.test_session import applied

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.usefixtures("hung_up")
Printed = pytest.CaptureFixture[str]


def sent(number: signal.Signals, times: int = 1) -> None:
    for _ in range(times):
        os.kill(os.getpid(), number)


@contextmanager
def ignored(number: signal.Signals) -> Iterator[None]:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("number", NUMBERS)
def test_what_follows_the_first_one_breaks_off_neither_the_end_nor_what_is_told(capsys: Printed, number: signal.Signals) -> None:
    """The second ended in a traceback or by itself, with nothing told."""
    closed = False

    def body() -> int:
        nonlocal closed
        try:
            sent(number)
        finally:
            sent(number, 2)
            closed = True
        return errors.EXIT_OK

    before = signal.getsignal(number)
    assert guarded("cluster.plan", True, body) == errors.EXIT_INTERRUPTED
    printed = capsys.readouterr()
    (line,) = printed.out.splitlines()
    assert closed and json.loads(line)["result"]["outcome"] == "interrupted"
    assert printed.err == "invoke cluster.plan was interrupted outside of a run: no step was cut off.\n"
    assert signal.getsignal(number) == before


@pytest.mark.parametrize("number", NUMBERS)
def test_one_that_falls_late_leaves_one_result_which_the_process_ends_with(capsys: Printed, number: signal.Signals) -> None:
    """A run had said "done", and then "interrupted"."""

    def body() -> int:
        JsonLines(sys.stdout).last({"outcome": "done", "exit_code": errors.EXIT_OK})
        sent(number)
        return errors.EXIT_OK

    assert guarded("cluster.bootstrap", True, body) == errors.EXIT_INTERRUPTED
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["result"]["exit_code"] == errors.EXIT_INTERRUPTED


def test_one_that_falls_while_the_result_is_told_changes_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Late(io.StringIO):
        def write(self, text: str) -> int:
            sent(signal.SIGTERM)
            return super().write(text)

    def body() -> int:
        for outcome in ("cleared", "done"):  # what a verb does in two runs is told as the second
            JsonLines(sys.stdout).last({"outcome": outcome})
        return errors.EXIT_OK

    monkeypatch.setattr(sys, "stdout", Late())
    assert guarded("dr.rehearse", True, body) == errors.EXIT_OK
    (line,) = sys.stdout.getvalue().splitlines()  # type: ignore[attr-defined]
    assert json.loads(line)["result"] == {"outcome": "done"}


def test_the_second_one_bounds_an_end_that_hangs() -> None:
    left = threading.Event()
    codes: list[int] = []

    def leave(code: int) -> None:
        codes.append(code)
        left.set()

    with pytest.raises(KeyboardInterrupt), ending(leave, 0.0):
        try:
            sent(signal.SIGTERM)
        finally:
            assert not left.wait(0.01), "one gets its time"
            sent(signal.SIGHUP)
            assert left.wait(5)
    assert codes == [errors.EXIT_INTERRUPTED]


@pytest.mark.parametrize("number", NUMBERS)
def test_one_that_is_ignored_from_the_beginning_stays_so(held_desk: Desk, capsys: Printed, number: signal.Signals) -> None:
    """`nohup invoke cluster.bootstrap &`, and the terminal is closed."""
    real = held_desk.doors

    def doors(*given: object) -> ModelledDoors:
        sent(number)  # the run is not on yet: it would be the end of the verb
        return real(*given)  # type: ignore[arg-type]

    held_desk.doors = doors  # type: ignore[method-assign]
    with ignored(number):
        assert applied(held_desk, held_desk.running.bootstrap) == errors.EXIT_HELD
        assert signal.getsignal(number) is signal.SIG_IGN


def test_sigquit_leaves_at_once_as_a_second_one_does() -> None:
    stop, graces, over = Stop(), list[float](), threading.Event()

    def end(grace_s: float) -> None:
        graces.append(grace_s)
        over.set()

    with Signals(stop, exit=lambda code: None, running=end).wired():
        sent(signal.SIGQUIT)
    assert over.wait(5) and graces == [0.0]
    assert (stop.at_once, stop.reason) == (True, "SIGQUIT")


def typed(body: str, number: int = 0) -> subprocess.CompletedProcess[str]:
    """`invoke config.schema`, in which the verb's own module is this one."""
    code = (
        "import os, sys\n"
        f"me, number = os.getpid(), {number}\n"
        f"class Verb:\n    @staticmethod\n    def schema():\n        {body}\n"
        "sys.modules['console.verbs.config'] = Verb\n"
        "from invoke.main import program\n"
        "sys.argv[:] = ['invoke', 'config.schema']\n"
        "program.run()\n"
    )  # fmt: skip
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_that_comes_while_modules_are_imported_is_told_and_130(number: signal.Signals) -> None:
    """SIGINT was 1 without a word, which is invoke's code for a command line that it does not know."""
    done = typed("os.kill(me, number)", number)
    assert (done.returncode, done.stdout) == (errors.EXIT_INTERRUPTED, "")
    assert done.stderr == "invoke config.schema was interrupted before it began, or after it had ended: no step was cut off.\n"


def test_one_that_comes_when_all_is_told_changes_no_exit_code() -> None:
    done = typed("import atexit; atexit.register(os.kill, me, number); return 3", signal.SIGTERM)
    assert (done.returncode, done.stderr) == (3, "")


def test_one_that_comes_while_python_itself_ends_changes_none_either() -> None:
    """By then Python has given signals back to the system: it was 143, behind a verb that had told its own code."""
    late = "\n".join((
        "class Late:", "            kill, me, number = os.kill, me, number",
        "            def __del__(self):", "                self.kill(self.me, self.number)",
        "        sys.late = Late()", "        return 3",
    ))  # fmt: skip
    done = typed(late, signal.SIGTERM)
    assert (done.returncode, done.stderr) == (3, "")


@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"])
def test_no_file_of_ours_gets_the_number_of_a_stream_that_was_closed(closed: str) -> None:
    """The lock became stderr, and Python's last words would have stood in it."""
    code = (
        "import os\nfrom console.views.outlet import outlets\n"
        "with outlets():\n    number = os.open('/dev/null', os.O_RDONLY)\n"
        "os._exit(number)"
    )  # fmt: skip
    done = subprocess.run(["sh", "-c", f'exec "$0" -c "$1" {closed}', sys.executable, code], cwd=ROOT, timeout=60, check=False)
    assert done.returncode > 2


def test_who_stops_a_view_with_ctrl_z_has_the_cursor_back_until_it_goes_on() -> None:
    """The shell that came then had none."""
    stops = "with cursor_kept():\n    os.kill(os.getpid(), signal.SIGTSTP)"
    code = f"import os, signal\nfrom console.signals import cursor_kept\n{stops}"
    ours, theirs = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=theirs) as view:
        os.close(theirs)
        os.waitid(os.P_PID, view.pid, os.WSTOPPED | os.WNOWAIT)
        assert os.read(ours, 100) == b"\x1b[?25h"
        view.send_signal(signal.SIGCONT)
        assert os.read(ours, 100) == b"\x1b[?25l"
    os.close(ours)
    assert view.returncode == 0
