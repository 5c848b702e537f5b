"""A run that gets nowhere is not waited for without end. Starts no house."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash.wire import bench
from tests.crash.wire.bench import Ended, Running


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
