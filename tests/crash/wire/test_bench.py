"""A run that gets nowhere is not waited for without end; one that is copied is a process as any other. Starts no house."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lab.houses.nouns import CHECKOUT
from tests.crash.wire import bench, warm
from tests.crash.wire.bench import Ended, Running
from tests.crash.wire.warm import Copy, Warm

INVOKE = str(Path(sys.executable).with_name("invoke"))


@pytest.mark.parametrize("wait", [
    lambda run: run.kill_at(3, 0.0, group=True), lambda run: run.kill_after_begin(0.0, group=True), Running.end,
], ids=["items", "begin", "end"])  # fmt: skip
def test_one_that_says_nothing_is_killed_in_time_and_is_no_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wait: Callable[[Running], Ended]
) -> None:
    monkeypatch.setattr(bench, "LIMIT_S", 0.2)
    report = tmp_path / "report"
    report.write_bytes(b"")
    run = Running(subprocess.Popen(["/bin/sleep", "30"], start_new_session=True), report, time.monotonic())
    with pytest.raises(subprocess.TimeoutExpired):
        wait(run)
    assert run.process.returncode == -signal.SIGKILL


def test_what_is_copied_has_the_verbs_of_every_room() -> None:
    rooms = {path.relative_to(CHECKOUT).with_suffix("") for path in (CHECKOUT / "console" / "verbs").rglob("*.py")}
    assert {".".join(one.parts) for one in rooms if one.name != "__init__"} <= set(warm.verbs())


TASKS = """import os, sys, time
from invoke import task

@task
def told(c, code=0):
    print(sys.argv[1:], os.environ, os.getsid(0) == os.getpid(), flush=True)
    print("to stderr", file=sys.stderr)
    sys.exit(code)

@task
def hang(c):
    print("begun", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def copied(tmp_path: Path) -> Iterator[Callable[..., tuple[Copy, Path]]]:
    """Begin a copy with these words and this environment; what it prints comes in the file beside it, and in that with `.err`."""
    (tmp_path / "tasks.py").write_text(TASKS)
    process = Warm([], CHECKOUT, bare=True)

    def begin(*words: str, **environment: str) -> tuple[Copy, Path]:
        report = tmp_path / words[0]
        with report.open("wb") as out, report.with_suffix(".err").open("wb") as err:
            return process.begin([INVOKE, *words], tmp_path, environment, out.fileno(), err.fileno()), report

    yield begin
    process.close()


def test_a_copy_has_its_own_words_environment_files_and_session(copied: Callable[..., tuple[Copy, Path]]) -> None:
    run, report = copied("told", "--code", "7", ONE="1")
    assert (run.wait(30), run.poll()) == (7, 7)
    assert report.read_text() == "['told', '--code', '7'] environ({'ONE': '1'}) True\n"
    assert report.with_suffix(".err").read_text() == "to stderr\n"
    run, report = copied("told", TWO="2")
    assert run.wait(30) == 0
    assert "{'TWO': '2'}" in report.read_text(), "nothing of the one before"


def test_a_copy_can_be_waited_for_and_killed_while_others_run(copied: Callable[..., tuple[Copy, Path]]) -> None:
    run, report = copied("hang")
    other, _ = copied("told")
    assert other.wait(30) == 0
    with pytest.raises(subprocess.TimeoutExpired):
        run.wait(0.0)
    assert run.poll() is None
    Running(run, report, time.monotonic())._until(lambda: report.read_text() == "begun\n")
    os.killpg(run.pid, signal.SIGKILL)
    assert run.wait(30) == -signal.SIGKILL


def test_a_copy_leads_its_group_as_soon_as_it_is_known(copied: Callable[..., tuple[Copy, Path]]) -> None:
    for _ in range(20):
        run, _ = copied("hang")
        os.killpg(run.pid, signal.SIGKILL)
        assert run.wait(30) == -signal.SIGKILL


def test_a_process_that_is_copied_and_says_nothing_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "LIMIT_S", 0.2)
    silent = Warm([], CHECKOUT, bare=True)
    os.kill(silent.pid, signal.SIGSTOP)
    try:
        with pytest.raises(TimeoutError):
            silent.ask({"ended": silent.pid})
    finally:
        os.kill(silent.pid, signal.SIGKILL)
        silent.close()


def test_who_asks_side_by_side_gets_the_answer_to_its_own_order(copied: Callable[..., tuple[Copy, Path]]) -> None:
    runs = {code: copied("told", "--code", str(code))[0] for code in range(3, 9)}
    began = threading.Barrier(2 * len(runs))

    def waited(code: int) -> int:
        began.wait(30)
        return runs[code].wait(30)

    with ThreadPoolExecutor(2 * len(runs)) as threads:  # each is waited for twice, and its end asked for once
        assert list(threads.map(waited, [*runs, *runs])) == [*runs, *runs]


def test_an_answer_that_comes_too_late_is_nobody_else_s(
    copied: Callable[..., tuple[Copy, Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (one, _), (other, _) = copied("told", "--code", "3"), copied("told", "--code", "4")
    os.kill(one._warm.pid, signal.SIGSTOP)
    with monkeypatch.context() as short, pytest.raises(TimeoutError):
        short.setattr(warm, "LIMIT_S", 0.2)
        one.wait(30)
    os.kill(one._warm.pid, signal.SIGCONT)
    with pytest.raises(ConnectionError):
        other.wait(30)
