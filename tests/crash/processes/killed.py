"""A run of the real executor over a folder of files, in a process of its own: made to be killed. See test_sigkill.py."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from engine.errors import OurError, PermanentError
from engine.executor import run
from engine.graph import Graph
from engine.journal import open_journal
from engine.probe import Probe, missing, satisfied
from engine.step import BaseStep, Notes, StepId
from engine.waiting import SystemClock
from engine.workers import Threads

STEPS = 40
TAKES_S = 0.003


@dataclass(frozen=True)
class MakeFile(BaseStep):
    """Makes one file; making it twice is an error, and a line in `twice`."""

    number: int
    system = "folder"
    settle_s = 0.02
    ready_s = 5.0

    @property
    def id(self) -> StepId:
        return StepId(f"file.make/{self.number:02}")

    @property
    def title(self) -> str:
        return f"file {self.number}"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"file.make/{(self.number - 1) // 2:02}",) if self.number else ()

    def probe(self, look: Path) -> Probe:
        return satisfied() if (look / str(self.number)).exists() else missing("no such file")

    def apply(self, act: Path, seen: Probe, notes: Notes) -> None:
        notes.put("name", str(self.number))
        time.sleep(TAKES_S)
        try:
            os.close(os.open(act / str(self.number), os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            (act / "twice").write_text(str(self.number))
            raise PermanentError(f"file {self.number} was made before") from None
        time.sleep(TAKES_S)

    def by_hand(self) -> str:
        return f"touch {self.number}"


def main(state: Path, world: Path) -> int:
    """One run; the exit code of its report."""
    try:
        with open_journal(state, lineage="killed", run=str(os.getpid())) as journal:
            graph = Graph([MakeFile(number) for number in range(STEPS)])
            return run(graph, world, world, journal=journal, clock=SystemClock(), workers=Threads()).exit_code
    except OurError as error:
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
