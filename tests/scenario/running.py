"""A modelled house with a run in the hand: plan, apply and verify under a clock that only sleeping moves."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from adapters.volsync.results import FileEntry
from bootstrap.course import course as bootstrap_course
from cluster.course import Course
from engine import executor
from engine.approval import Approval, approve
from engine.errors import EXIT_OK
from engine.journal import open_journal
from engine.plan import Plan, plan
from engine.report import Report
from engine.verify import verify
from house.model import House
from lab.modelled.house import ModelledHome
from lab.ports.journal_disk import FencedDisk
from lab.world.clock import VirtualClock
from lab.world.store import a_file
from recovery.course import course as recovery_course
from tests.builders import a_house
from tests.copied import copied

DATA: tuple[FileEntry, ...] = (a_file("notes/one.md", "the first note"), a_file("notes/two.md", "the second " * 50))


@dataclass
class Running:
    """One house, and the folder that its journal lives in."""

    folder: Path
    given: House = field(default_factory=a_house)
    seed: int = 0
    runs: int = 0

    def __post_init__(self) -> None:
        self.clock = VirtualClock(self.seed)
        self.home = ModelledHome(self.given, self.clock, self.seed)
        self.clock.drives(self.home.world)
        self.house = self.home.house

    @classmethod
    def bootstrapped(cls, folder: Path, given: House | None = None) -> Self:
        """One after its bootstrap, every claim backed up before it and held since: a copy of the first of its kind."""
        return copied(cls._bootstrapped, folder, given or a_house())

    @classmethod
    def _bootstrapped(cls, folder: Path, given: House) -> Self:
        made = cls(folder, given)
        made.backed_up()
        report = made.apply(made.bootstrap)
        assert report.converged, report.root_causes
        return made

    @classmethod
    def restored(cls, folder: Path, given: House | None = None) -> Self:
        """The same after a restore of every claim."""
        return copied(cls._restored, folder, given or a_house())

    @classmethod
    def _restored(cls, folder: Path, given: House) -> Self:
        made = cls.bootstrapped(folder, given)
        report = made.apply(made.restore)
        assert report.exit_code == EXIT_OK, report.root_causes
        return made

    @property
    def bootstrap(self) -> Course:
        """The bootstrap course of this house, without a lock file."""
        return bootstrap_course(self.house, {})

    @property
    def restore(self) -> Course:
        """The recovery course of every claim."""
        return recovery_course(self.house, self.house.claims)

    def backed_up(self, entries: tuple[FileEntry, ...] = DATA) -> None:
        """Every claim has one snapshot of these entries, an hour old."""
        for claim in self.house.claims:
            self.home.seed_backup(claim.mover_repository, entries)

    def plan(self, course: Course) -> Plan:
        """Plan, and require that nothing was mutated."""
        before = list(self.home.world.faults.reached)
        made = plan(course.graph(), self.home.look())
        assert self.home.world.faults.reached == before, "a plan mutated something"
        return made

    def apply(self, course: Course, approval: Approval | None = None) -> Report:
        """One run from a new process's point of view."""
        self.runs += 1
        run = f"run-{self.runs}"
        disk = FencedDisk(self.clock.fence)
        with open_journal(self.folder, lineage=self.house.id, run=run, disk=disk, now=self.clock.now) as journal:
            return executor.run(
                course.graph(), self.home.look(), self.home.act(run), journal=journal, clock=self.clock,
                workers=self.clock.workers(), approval=approval, guards=course.guards,
            )  # fmt: skip

    def consent(self, course: Course) -> Approval:
        """What `--approve DIGEST` makes of the plan of now."""
        plan = self.plan(course)
        return approve(plan.digest, acts=plan.acts, plan_digest=plan.digest, journalled=(), now=self.clock.now(), valid_s=3600)

    def verify(self, course: Course) -> Report:
        """One look at everything."""
        return verify(course.graph(), self.home.look(), clock=self.clock)
