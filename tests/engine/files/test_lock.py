"""The house's lock: a living run refuses at once; a dead run's programs are waited for."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.errors import JournalBusy, JournalUnwritable
from engine.files.lock import HouseLock
from engine.journal import open_journal, read_state
from engine.sealed.entries import Note

HOLD = """
import os, subprocess, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from engine.files.lock import HouseLock
lock = HouseLock(Path(sys.argv[1]), "dead-run", "then")
# A program of the run keeps a duplicate of the lock for a second after the run is gone.
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1.0)"], pass_fds=(lock.fileno(),))
"""


def test_a_living_run_refuses_at_once_and_says_who(tmp_path: Path) -> None:
    first = HouseLock(tmp_path / "lock", "run-1", "now")
    began = time.monotonic()
    with pytest.raises(JournalBusy) as refused:
        HouseLock(tmp_path / "lock", "run-2", "now")
    assert time.monotonic() - began < 10
    assert f"run run-1, process {os.getpid()}" in refused.value.evidence[0]
    first.close()
    HouseLock(tmp_path / "lock", "run-2", "now").close()


def test_the_programs_of_a_dead_run_are_waited_for(tmp_path: Path) -> None:
    root = str(Path(__file__).parents[3])
    subprocess.run([sys.executable, "-c", HOLD, str(tmp_path / "lock"), root], check=True, timeout=30)
    HouseLock(tmp_path / "lock", "run-2", "now").close()


def test_a_program_that_a_dead_run_left_hanging_is_not_called_a_run(tmp_path: Path) -> None:
    root = str(Path(__file__).parents[3])
    subprocess.run([sys.executable, "-c", HOLD, str(tmp_path / "lock"), root], check=True, timeout=30)
    with pytest.raises(JournalBusy, match="is gone, but a program that it started is not") as refused:
        HouseLock(tmp_path / "lock", "run-2", "now", dead_holder_s=0.0)
    assert "Ctrl-C" not in refused.value.hint and "dead-run" in refused.value.evidence[0]


def test_a_number_that_was_given_to_somebody_else_is_a_dead_holder(tmp_path: Path) -> None:
    """The run's process is gone, a program of it still holds the lock, and some other process has its number by now."""
    path = tmp_path / "lock"
    held = HouseLock(path, "run-1", "now")
    line = path.read_text()
    assert f"process {os.getpid()} of " in line
    path.write_text(line.replace(line.split(" of ")[1].split()[0], "01d-b007:1"))
    with pytest.raises(JournalBusy, match="last run of this house is gone"):
        HouseLock(path, "run-2", "now", dead_holder_s=0.1)
    path.write_text(f"run run-1, process {os.getpid()} on {socket.gethostname()}, since then, invoke\n")  # an older version's
    with pytest.raises(JournalBusy, match="another run of this house is at work"):
        HouseLock(path, "run-2", "now", dead_holder_s=0.1)
    held.close()


def test_a_lock_file_that_was_removed_locks_nobody_out_of_the_new_one(tmp_path: Path) -> None:
    """Two runs, one on the removed file and one on the new, would both write."""
    path = tmp_path / "lock"
    first = HouseLock(path, "run-1", "now")
    path.unlink()
    second = HouseLock(path, "run-2", "now")
    with pytest.raises(JournalBusy):
        HouseLock(path, "run-3", "now", dead_holder_s=0.0)
    assert second.excludes() and not first.excludes()
    second.close()
    first.close()


def test_whoever_holds_a_removed_lock_writes_nothing_more(tmp_path: Path) -> None:
    with open_journal(tmp_path, lineage="house-1", run="run-1") as journal:
        (tmp_path / "lock").unlink()
        with open_journal(tmp_path, lineage="house-1", run="run-2") as other:
            with pytest.raises(JournalUnwritable, match="lock of this house was removed"):
                journal.append(Note("", "run", "run-1"))
            other.append(Note("", "run", "run-2"))
    assert read_state(tmp_path, lineage="house-1").last_run == "run-2"


def in_the_way(kind: str, path: Path) -> None:
    """Something that is no file of ours, where the lock should be."""
    elsewhere = path.with_name("elsewhere")
    elsewhere.write_text("a word of somebody's\n")
    makers = {
        "link": lambda: path.symlink_to(elsewhere), "link that leads nowhere": lambda: path.symlink_to(path.with_name("none")),
        "folder": path.mkdir, "pipe": lambda: os.mkfifo(path), "device": lambda: path.symlink_to("/dev/full"),
    }  # fmt: skip
    makers[kind]()


@pytest.mark.parametrize("kind", ["link", "link that leads nowhere", "folder", "pipe", "device"])
def test_what_is_no_file_is_told_by_its_name_and_stays_as_it_is(tmp_path: Path, kind: str) -> None:
    """Behind a link the word of somebody else was written over; a pipe was locked, and then 'Invalid argument'."""
    path = tmp_path / "lock"
    in_the_way(kind, path)
    with pytest.raises(JournalUnwritable, match="cannot be opened") as refused:
        open_journal(tmp_path, lineage="1", run="run-1")
    assert str(path) in refused.value.evidence[0]
    assert (tmp_path / "elsewhere").read_text() == "a word of somebody's\n" and not (tmp_path / "none").exists()
    path.rmdir() if kind == "folder" else path.unlink()
    open_journal(tmp_path, lineage="1", run="run-1").close()


def test_a_disk_without_room_for_its_holder_s_name_is_told_by_the_lock_s_and_nothing_keeps_it(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(JournalUnwritable) as refused:
            open_journal(tmp_path, lineage="1", run="run-1")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(tmp_path / "lock") in refused.value.evidence[0]
    open_journal(tmp_path, lineage="1", run="run-2").close()


def test_a_run_that_was_stopped_is_not_called_at_work(tmp_path: Path) -> None:
    """Ctrl-C "where it runs" does nothing there: it hears it when it goes on."""
    hold = f"import time\n{HOLD.partition('# A')[0]}\nprint(flush=True)\ntime.sleep(60)"
    root = str(Path(__file__).parents[3])
    with subprocess.Popen([sys.executable, "-c", hold, str(tmp_path / "lock"), root], stdout=subprocess.PIPE) as run:
        assert run.stdout is not None and run.stdout.readline()
        run.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, run.pid, os.WSTOPPED | os.WNOWAIT)
        with pytest.raises(JournalBusy, match="was stopped in the middle") as refused:
            HouseLock(tmp_path / "lock", "run-2", "now")
        assert refused.value.next_command == f"kill -CONT {run.pid}"
        run.send_signal(signal.SIGCONT)
        os.waitid(os.P_PID, run.pid, os.WCONTINUED | os.WNOWAIT)
        with pytest.raises(JournalBusy, match="is at work"):
            HouseLock(tmp_path / "lock", "run-2", "now")
        run.kill()
