"""One life of the tool in the modelled house: runs a course until its report, or until the armed death. Knows no terminal."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from adapters.leased import leased
from adapters.surface import read_only
from cluster.course import Course
from engine import executor
from engine.approval import Approval, approve
from engine.errors import OurError
from engine.events import Sink, nowhere
from engine.journal import Disk, open_journal
from engine.plan import Plan, plan
from engine.report import Report
from engine.verify import verify
from house.model import House
from lab.modelled.house import ModelledHome
from lab.ports.faulty import faulty
from lab.ports.journal_disk import FencedDisk
from lab.world.clock import VirtualClock
from lab.world.faults import Death

_DAY_S = 86400.0


@dataclass
class Lives:
    """A modelled house, and the folder that the tool's journal lives in from life to life."""

    folder: Path
    given: House
    seed: int = 0
    sink: Sink = nowhere
    count: int = 0
    clock: VirtualClock = field(init=False)
    home: ModelledHome = field(init=False)

    def __post_init__(self) -> None:
        self.clock = VirtualClock(self.seed)
        self.home = ModelledHome(self.given, self.clock, self.seed)
        self.clock.drives(self.home.world)

    @property
    def house(self) -> House:
        """The house as its settings say, image checksum filled in."""
        return self.home.house

    def plan(self, course: Course) -> Plan:
        """What a run would do now."""
        return plan(course.graph(), read_only(self.home.act("look")))

    def consent(self, made: Plan) -> Approval | None:
        """A person's, of now and for a day, to all that this plan asks it for; None where it asks for nothing."""
        if not made.acts:
            return None
        now = self.clock.now()
        return approve(made.digest, acts=made.acts, plan_digest=made.digest, journalled=(), now=now, valid_s=_DAY_S)

    def verify(self, course: Course) -> Report:
        """One look at everything."""
        return verify(course.graph(), read_only(self.home.act("look")), clock=self.clock)

    def live(self, course: Course, disk: Disk | None = None, approval: Approval | None = None) -> Report:
        """One start of the tool, through doors that play the armed faults. Raises Death when it is killed."""
        self.count += 1
        run = f"run-{self.count}"
        act = faulty(self.home.act(run), self.home.world, self.clock)
        disk = disk or FencedDisk(self.clock.fence)
        act, lease = leased(act, "this-machine", self.clock.workers())
        with open_journal(self.folder, lineage=self.house.id, run=run, disk=disk, now=self.clock.now) as journal:
            report = executor.run(
                course.graph(), read_only(act), act, journal=journal, clock=self.clock, workers=self.clock.workers(),
                sink=self.sink, approval=approval, guards=course.guards,
            )  # fmt: skip
            lease.drop()
            return report

    def live_or_die(self, course: Course, approval: Approval | None = None) -> Report | None:
        """As `live`; None when it was killed. Either way the next life begins with this one's threads buried."""
        try:
            return self.live(course, approval=approval)
        except (Death, OurError):
            return None
        finally:
            self.clock.bury()
            self.clock.new_life()

    def survived(self, course: Course, approval: Approval | None = None) -> Report:
        """As `live_or_die`, of a life that nobody ends. AssertionError when it ended all the same."""
        report = self.live_or_die(course, approval)
        assert report is not None, "a run died that nobody killed"
        return report
