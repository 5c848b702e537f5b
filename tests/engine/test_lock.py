"""The house's lock: a living run refuses at once; a dead run's programs are waited for."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.errors import JournalBusy
from engine.lock import HouseLock

HOLD = """
import os, subprocess, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from engine.lock import HouseLock
lock = HouseLock(Path(sys.argv[1]), "dead-run", "then")
# A program of the run keeps a duplicate of the lock for a second after the run is gone.
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1.0)"], pass_fds=(lock.fileno(),))
"""


def test_a_living_run_refuses_at_once_and_says_who(tmp_path: Path) -> None:
    first = HouseLock(tmp_path / "lock", "run-1", "now")
    began = time.monotonic()
    with pytest.raises(JournalBusy) as refused:
        HouseLock(tmp_path / "lock", "run-2", "now")
    assert time.monotonic() - began < 0.5
    assert f"run run-1, process {os.getpid()}" in refused.value.evidence[0]
    first.close()
    HouseLock(tmp_path / "lock", "run-2", "now").close()


def test_the_programs_of_a_dead_run_are_waited_for(tmp_path: Path) -> None:
    root = str(Path(__file__).parents[2])
    subprocess.run([sys.executable, "-c", HOLD, str(tmp_path / "lock"), root], check=True, timeout=30)
    HouseLock(tmp_path / "lock", "run-2", "now").close()


def test_a_program_that_a_dead_run_left_hanging_is_not_called_a_run(tmp_path: Path) -> None:
    root = str(Path(__file__).parents[2])
    subprocess.run([sys.executable, "-c", HOLD, str(tmp_path / "lock"), root], check=True, timeout=30)
    with pytest.raises(JournalBusy, match="is gone, but a program that it started is not") as refused:
        HouseLock(tmp_path / "lock", "run-2", "now", dead_holder_s=0.0)
    assert "Ctrl-C" not in refused.value.hint and "dead-run" in refused.value.evidence[0]
