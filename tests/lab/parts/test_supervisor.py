"""Programs start when they are ready, end in order, and nothing outlives the lab, killed or not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.parts.errors import PartFailed
from lab.parts.supervisor import ProcessId, Program, Rank, Supervisor

SLEEP = ("sleep", "600")


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    made = Supervisor(tmp_path)
    yield made
    made.down()


def test_start_returns_when_the_program_says_it_is_ready(supervisor: Supervisor, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    script = f"sleep 0.1; touch {flag}; sleep 600"
    supervisor.start(Program("slow", ("sh", "-c", script), Rank.CLIENT, ready=flag.exists))
    assert flag.exists()
    assert set(supervisor.running()) == {"slow"}


def test_a_program_that_dies_while_starting_is_told_with_its_last_lines(supervisor: Supervisor) -> None:
    program = Program("broken", ("sh", "-c", "echo no such flag; exit 3"), Rank.CLIENT, ready=lambda: False)
    with pytest.raises(PartFailed, match="ended while starting") as told:
        supervisor.start(program)
    assert told.value.evidence == ("no such flag",)


def test_a_program_that_never_gets_ready_is_told(supervisor: Supervisor) -> None:
    with pytest.raises(PartFailed, match="was not ready"):
        supervisor.start(Program("deaf", SLEEP, Rank.CLIENT, ready=lambda: False, ready_s=0.1))


def test_the_second_of_a_name_is_refused(supervisor: Supervisor) -> None:
    supervisor.start(Program("one", SLEEP, Rank.CLIENT))
    with pytest.raises(PartFailed, match="runs already"):
        supervisor.start(Program("one", SLEEP, Rank.CLIENT))


def test_stop_ends_the_whole_group_even_against_its_will(supervisor: Supervisor, tmp_path: Path) -> None:
    pids = tmp_path / "children"
    script = f"trap '' TERM; sleep 600 & echo $! > {pids}; wait; sleep 600"
    supervisor.start(
        Program("stubborn", ("sh", "-c", script), Rank.CLIENT, ready=lambda: pids.exists() and bool(pids.read_text()))
    )
    child = ProcessId.of(int(pids.read_text()))
    assert child is not None
    supervisor.stop("stubborn", grace_s=0.1)
    assert child.wait_gone(5.0)
    assert supervisor.running() == {}


def test_down_ends_clients_before_the_store(supervisor: Supervisor, tmp_path: Path) -> None:
    ends = tmp_path / "ends"
    at_end = f"test -d /proc/$STORE && echo store-lives >> {ends}; exit"
    script = f"trap '{at_end}' TERM; touch {tmp_path}/up; while :; do sleep 0.02; done"
    store = supervisor.start(Program("store", SLEEP, Rank.STORE))
    client = Program(
        "client", ("sh", "-c", script), Rank.CLIENT, {"STORE": str(store.pid)}, ready=(tmp_path / "up").exists
    )
    supervisor.start(client)
    supervisor.down()
    assert ends.read_text() == "store-lives\n"


def test_environment_holds_nothing_of_the_developer(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", "/home/me/keys.txt")
    monkeypatch.setenv("https_proxy", "http://proxy")
    supervisor.start(Program("env", ("env",), Rank.CLIENT))
    until_gone(supervisor, "env")
    said = supervisor.log("env").read_text()
    assert "SOPS" not in said
    assert "proxy" not in said
    assert f"HOME={supervisor.root}" in said


def test_exit_code_of_a_signal_is_told_as_a_shell_does(supervisor: Supervisor) -> None:
    supervisor.start(Program("ends", ("sh", "-c", "exit 7"), Rank.CLIENT))
    until_gone(supervisor, "ends")
    assert supervisor.exit_code("ends") == 7
    identity = supervisor.start(Program("killed", SLEEP, Rank.CLIENT))
    assert supervisor.exit_code("killed") is None
    os.kill(identity.pid, signal.SIGKILL)
    until_gone(supervisor, "killed")
    assert supervisor.exit_code("killed") == 137


def test_what_a_killed_lab_left_is_swept_with_and_without_its_pid_file(tmp_path: Path) -> None:
    left = killed_lab(tmp_path)
    (tmp_path / "pids" / "b.pid").unlink()  # as if it had died before it could write it
    after = Supervisor(tmp_path)
    assert set(after.sweep()) == {i.pid for i in left.values()}
    assert not any(i.alive() for i in left.values())
    assert list((tmp_path / "pids").iterdir()) == []


def test_sweep_spares_a_stranger_with_a_recorded_number_and_another_lab(tmp_path: Path) -> None:
    other = Supervisor(tmp_path / "other")
    mine = other.start(Program("theirs", SLEEP, Rank.CLIENT))
    lab = Supervisor(tmp_path / "mine")
    (tmp_path / "mine" / "pids" / "old.pid").write_text(f"{mine.pid} {mine.started - 1} 0\n")
    assert lab.sweep() == ()
    assert other.alive("theirs")
    other.down()


def test_a_program_that_survived_its_lab_can_be_taken_over(tmp_path: Path) -> None:
    left = killed_lab(tmp_path)
    after = Supervisor(tmp_path)
    assert after.adopt(Program("a", (), Rank.CLIENT))
    assert not after.adopt(Program("never", (), Rank.CLIENT))
    assert after.running() == {"a": left["a"].pid}
    after.down()
    assert not any(i.alive() for i in left.values())


def test_a_paused_program_is_ended_all_the_same(supervisor: Supervisor) -> None:
    identity = supervisor.start(Program("frozen", SLEEP, Rank.STORE))
    supervisor.pause("frozen")
    supervisor.stop("frozen", grace_s=1.0)
    assert not identity.alive()


def killed_lab(root: Path) -> dict[str, ProcessId]:
    """Start two programs from a process that is then killed; who they are comes back."""
    code = (
        "import sys, pathlib; from lab.parts.supervisor import *\n"
        "s = Supervisor(pathlib.Path(sys.argv[1]))\n"
        "for n in 'ab': print(n, s.start(Program(n, ('sleep', '600'), Rank.CLIENT)).pid, flush=True)\n"
        "import signal; signal.pause()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(root)], stdout=subprocess.PIPE, text=True) as lab:
        assert lab.stdout is not None
        found = {}
        for _ in range(2):
            name, pid = lab.stdout.readline().split()
            identity = ProcessId.of(int(pid))
            assert identity is not None
            found[name] = identity
        lab.kill()
        lab.communicate()
    assert all(i.alive() for i in found.values())
    return found


def until_gone(supervisor: Supervisor, name: str) -> None:
    deadline = time.monotonic() + 90
    while supervisor.alive(name):
        assert time.monotonic() < deadline
        time.sleep(0.01)
