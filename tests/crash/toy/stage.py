"""The toy as a stage of the crash matrix."""

from __future__ import annotations

from pathlib import Path

from engine.approval import Approval, ApprovedAct
from engine.executor import run
from engine.graph import Graph
from engine.journal import Disk, open_journal, read_state
from engine.plan import Plan, plan
from engine.report import Report
from engine.step import Hazard, StepId
from lab.ports.faulty import faulty_port
from lab.world.clock import VirtualClock
from lab.world.world import World
from tests.crash.toy.course import Act, AllDry, Look, OpenBox, course
from tests.crash.toy.workshop import SURFACE, TARGETS, ModelledWorkshop


class ToyStage:
    """A workshop, a journal and a clock."""

    def __init__(self, folder: Path, seed: int, settle_s: float = 2.0) -> None:
        self.clock = VirtualClock(seed)
        self.world = World(self.clock, seed)
        self.clock.drives(self.world)
        self.workshop = ModelledWorkshop(self.world)
        self._folder = folder
        self._graph = Graph(course(settle_s))
        self._lives = 0
        sealing = ApprovedAct.to(OpenBox(), StepId("workshop.seal/box"), Hazard.DESTROYS)
        self._approval = Approval("abc", frozenset({sealing}), self.clock.now() + 1e6)

    def live(self, disk: Disk) -> Report:
        """Start the tool."""
        self._lives += 1
        door = faulty_port(self.workshop, SURFACE, TARGETS, self.world, self.clock)
        with open_journal(
            self._folder, lineage="toy", run=f"life-{self._lives}", disk=disk, now=self.clock.now
        ) as journal:
            return run(
                self._graph, Look(self.clock, door), Act(self.clock, door),
                journal=journal, clock=self.clock, workers=self.clock.workers(),
                approval=self._approval, guards={"workshop": AllDry()},
            )  # fmt: skip

    def plan(self) -> Plan:
        """Past all faults."""
        return plan(self._graph, Look(self.clock, self.workshop))

    def left_open(self) -> list[str]:
        return list(read_state(self._folder, lineage="toy").in_flight)

    def doubled(self) -> list[str]:
        """Every act once; never two things wet."""
        wrong = [f"{act} was done {count} times" for act, count in self.workshop.acts.items() if count != 1]
        return wrong + ([f"{self.workshop.most_wet} things were wet at once"] if self.workshop.most_wet > 1 else [])
