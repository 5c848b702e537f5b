"""A demo that was killed leaves no verb running: the next one finds it, and nobody else."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from console.demo.driving import end_left_over, remember
from lab.parts.supervisor import ProcessId


def sleeper() -> int:
    return os.posix_spawn("/bin/sleep", ["sleep", "300"], {}, setsid=True)


def ended(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_what_a_killed_demo_drove_is_ended_by_the_next_one(tmp_path: Path) -> None:
    settings, pid = tmp_path / "blackstart.yaml", sleeper()
    remember(settings, pid)
    assert end_left_over(settings) == pid
    assert ended(pid) == -signal.SIGKILL
    assert end_left_over(settings) is None


def test_a_pid_that_somebody_else_has_by_now_is_let_alone(tmp_path: Path) -> None:
    settings, pid = tmp_path / "blackstart.yaml", sleeper()
    remember(settings, pid)
    (file,) = tmp_path.iterdir()
    file.write_text(f"{pid} {int(file.read_text().split()[1]) - 1}\n")
    assert end_left_over(settings) is None
    assert ProcessId.of(pid) is not None
    os.kill(pid, signal.SIGKILL)
    assert ended(pid) == -signal.SIGKILL


def test_a_demo_that_died_while_it_wrote_is_no_error(tmp_path: Path) -> None:
    settings = tmp_path / "blackstart.yaml"
    assert end_left_over(settings) is None
    (tmp_path / "driven.pid").write_text("47")
    assert end_left_over(settings) is None
