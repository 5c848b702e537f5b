"""Programs that flee, times the ways a run ends: what is alive 2 s after the next run can have the lock.

`python -m tests.crash.processes.escape` prints the table. Each cell is a process of its own with the real session, journal, lock
and keeper; its one step runs the program. Where everything of ours was killed at once, the next run ends what the journal names.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from adapters.process.groups import end_group
from adapters.process.keeper import Keeper
from adapters.process.kin import kin_of
from cluster.course import Course
from console.ending import guarded
from console.session import Session
from engine.journal import open_journal
from engine.probe import Probe, missing, satisfied
from engine.programs import Programs, end_leftovers
from engine.step import BaseStep, Notes, StepId

ROOT = Path(__file__).resolve().parents[3]
TOKEN = "ESCAPE_TOKEN"
WRITE = "while :; do echo x >> OUT; sleep 0.05; done"
PROGRAMS = {
    "stays": ["sh", "-c", WRITE],
    "timeout(1)": ["timeout", "60", "sh", "-c", WRITE],
    "calls timeout(1)": ["sh", "-c", f"timeout 60 sh -c '{WRITE}'"],
    "set -m": ["bash", "-c", f"set -m; ({WRITE}) & wait"],
    "setsid": ["sh", "-c", f"setsid sh -c '{WRITE}' & wait"],
    "double fork": ["sh", "-c", f"(setsid sh -c '({WRITE}) & exit' &) ; sleep 60"],
    "ignores SIGTERM": ["sh", "-c", f"trap '' TERM INT HUP; {WRITE}"],
    "floods": ["sh", "-c", f"({WRITE}) & trap '' TERM; while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done"],
}
DONE, FAILED = "done", "failed"
SIGNALS: dict[str, tuple[signal.Signals, ...]] = {
    "Ctrl-C": (signal.SIGINT,),
    "Ctrl-C twice": (signal.SIGINT, signal.SIGINT),
    "SIGTERM": (signal.SIGTERM,),
    "SIGHUP": (signal.SIGHUP,),
    "SIGKILL": (signal.SIGKILL,),
}
KILLED_WHOLE = "SIGKILL to all"
ENDS = (DONE, FAILED, *SIGNALS, KILLED_WHOLE)
LIMIT_S = 40.0


@dataclass
class RunIt(BaseStep):
    """The one step: runs the program; it is done when that ended well."""

    keeper: Keeper
    argv: list[str]
    token: str
    ran: bool = False
    id = StepId("escape.run/it")
    title = "a program that flees"
    system = "escape"
    inputs = "it"

    def probe(self, look: object) -> Probe:
        return satisfied("ran") if self.ran else missing("not run")

    def apply(self, act: object, seen: Probe, notes: Notes) -> None:
        self.keeper.run(self.argv, env={TOKEN: self.token}, timeout_s=120.0)
        self.ran = True

    def by_hand(self) -> str:
        return "true"


class Doors:
    """Doors with a keeper behind, and nothing else."""

    def __init__(self, state: Path, journal: Any) -> None:
        self.programs = Programs()
        self.end_group = end_group
        self.keeper = Keeper(state / "programs", on_start=self.programs.noted)
        if journal is not None:
            self.keeper.hold(journal.lock_fileno())
        self.look = self.act = SimpleNamespace()

    def end_programs(self, grace_s: float) -> None:
        self.keeper.end_all(grace_s)

    def close(self) -> tuple[str, ...]:
        self.keeper.close()
        return ()


def child(folder: Path, token: str, argv: list[str]) -> int:
    """A whole run whose one step is the program."""
    state = folder / "state"
    limits = SimpleNamespace(parallel=4, proxmox_parallel=2, restore_parallel=2)
    house = SimpleNamespace(state_dir=state, id="escape", simulated=False, notes=(), nodes=(), limits=limits)
    step = RunIt(None, argv, token)  # type: ignore[arg-type]

    def opened(_house: object, _run: str, _clock: object, journal: Any) -> Doors:
        doors = Doors(state, journal)
        step.keeper = doors.keeper
        return doors

    def body() -> int:
        return Session("escape.run", house, opened, first_s=1.0).apply(Course((), (step,)))  # type: ignore[arg-type]

    return guarded("escape.run", False, body)


def alive(token: str) -> list[int]:
    """Living processes with this token, but for ourselves."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if not entry.name.isdigit() or f"{TOKEN}={token}".encode() not in (entry / "environ").read_bytes().split(b"\0"):
                continue
            if (entry / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX":
                found.append(int(entry.name))
    return found


def until(said: Any, seconds: float = LIMIT_S) -> bool:
    """Wait for it; False when it did not come."""
    deadline = time.monotonic() + seconds
    while not said():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def play(program: str, end: str) -> str:
    """One cell: "0" when all is well, else what was seen."""
    token = uuid.uuid4().hex
    with tempfile.TemporaryDirectory(prefix="escape-") as name:
        folder = Path(name)
        argv = [word.replace("OUT", str(folder / "writes")) for word in PROGRAMS[program]]
        if end in (DONE, FAILED):  # the program itself ends, and leaves behind what it started
            waits = f"while [ ! -s {folder}/writes ]; do sleep 0.05; done"
            argv = ["sh", "-c", f'"$@" & {waits}; exit {0 if end == DONE else 3}', "sh", *argv]
        run = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.processes.escape", "child", name, token, *argv], cwd=ROOT, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            if not until(lambda: (folder / "writes").exists() or run.poll() is not None):
                return "never started"
            _end(run, end)
            began = time.monotonic()
            with open_journal(folder / "state", lineage="escape", run="next") as journal:
                waited = time.monotonic() - began
                if end == KILLED_WHOLE:
                    end_leftovers(journal.state.programs, end_group)
                until(lambda: not alive(token), 2.0)
                left = alive(token)
                return str(len(left)) if waited < LIMIT_S else f"lock after {waited:.0f} s"
        finally:
            run.kill()
            run.wait()
            for pid in alive(token):
                os.kill(pid, signal.SIGKILL)


def _end(run: subprocess.Popen[bytes], end: str) -> None:
    if end == KILLED_WHOLE:
        ours = (run.pid, *(pid for pid in kin_of(run.pid) if not _is_program(pid)))
        for pid in ours:
            os.kill(pid, signal.SIGSTOP)
        for pid in ours:
            os.kill(pid, signal.SIGKILL)
    for number in SIGNALS.get(end, ()):
        time.sleep(0.3)
        with suppress(ProcessLookupError):
            run.send_signal(number)
    run.wait(LIMIT_S)


def _is_program(pid: int) -> bool:
    with suppress(OSError):
        return TOKEN.encode() in Path(f"/proc/{pid}/environ").read_bytes()
    return True


def table(programs: tuple[str, ...] = tuple(PROGRAMS), ends: tuple[str, ...] = ENDS) -> Iterator[tuple[str, str, str]]:
    """(program, end, what was seen) for every pair."""
    for program in programs:
        for end in ends:
            yield program, end, play(program, end)


def main() -> int:
    """Print the table; 1 when anything outlived the lock."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup keeps it from us, and what is started here inherits that
    out, wrong = sys.stdout, 0
    out.write(" " * 18 + "".join(f"{end:>16}" for end in ENDS))
    for program, end, seen in table():
        wrong += seen != "0"
        out.write((f"\n{program:<18}" if end == ENDS[0] else "") + f"{seen:>16}")
        out.flush()
    out.write(f"\n\nalive 2 s after the lock could be taken; {wrong} of {len(PROGRAMS) * len(ENDS)} cells are not 0\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        sys.exit(child(Path(sys.argv[2]), sys.argv[3], sys.argv[4:]))
    sys.exit(main())
