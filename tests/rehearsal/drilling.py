"""A modelled house that lives, and drills beside it: what the tests of rehearsals are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from adapters.drilled import drilled
from adapters.surface import read_only
from adapters.volsync.results import FileEntry
from bootstrap.course import course as bootstrap_course
from cluster.course import Course
from engine import executor
from engine.journal import Disk, open_journal, read_state
from engine.limits import Limits
from engine.report import Report
from engine.state import State
from house.model import House
from house.values.rehearsing import ClaimProbe, Preset, Rehearsal
from lab.modelled.life import Lives
from lab.ports.faulty import faulty
from lab.ports.journal_disk import FencedDisk
from lab.world.store import a_file
from recovery.course import course as recovery_course
from rehearsal.beginning import Begun, begin, outcome_of
from rehearsal.controls import Kind
from rehearsal.drill import Drill
from rehearsal.outcome import DrillOutcome
from tests.builders import a_claim, a_house, an_app

NAMES = ("notes", "photos", "wiki")


def data(name: str) -> tuple[FileEntry, ...]:
    """What an application's volume holds."""
    return (a_file(f"{name}/one.md", f"the first of {name}"), a_file(f"{name}/two.md", f"the second of {name} " * 50))


def three_claims() -> House:
    """The sample house with three applications whose claims are backed up."""
    claims = tuple(a_claim(name) for name in NAMES)
    apps = (an_app("volsync", namespace="volsync-system", wait=True), *(an_app(name, "volsync-system/volsync") for name in NAMES))
    return probed(replace(a_house(), claims=claims, flux_apps=apps))


def probed(house: House) -> House:
    """With a probe of each claim's restored data."""
    return replace(house, rehearsal=Rehearsal({claim.key: (ClaimProbe(Preset.FILES),) for claim in house.claims}))


@dataclass
class Drilling:
    """`lives` is the house; rehearsals keep a journal of their own beside its."""

    folder: Path
    given: House = field(default_factory=three_claims)
    seed: int = 1
    count: int = 0
    known: dict[str, str] = field(default_factory=dict)
    expected: dict[str, float] = field(default_factory=dict)
    fetched: dict[str, int] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        self.lives = Lives(self.folder / "house", self.given, self.seed)
        self.home, self.clock, self.house = self.lives.home, self.lives.clock, self.lives.house
        for claim in self.house.claims:
            older = data(claim.claim)[:1]
            self.home.seed_backup(claim.mover_repository, older, 90000.0)
            self.home.seed_backup(claim.mover_repository, data(claim.claim))
        assert self.lives.live(bootstrap_course(self.house, {})).converged
        assert self.lives.live(recovery_course(self.house, self.house.claims)).converged
        self.new_life()
        self.clock.sleep(60)
        self.home.world.faults.forget()

    def new_life(self) -> None:
        """The process has ended."""
        self.clock.bury()
        self.clock.new_life()

    def fresh(self, control: Kind = Kind.BYTE_FLIPPED, run: str = "") -> Drill:
        """A new drill of every claim."""
        self.count += 1
        run, now = run or f"drill-{self.count}", self.clock.now()
        past = {"expected": self.expected, "fetched": self.fetched}
        return Drill(self.house, run, now, self.house.claims, control, known=self.known, **past)

    def drill(self, control: Kind = Kind.BYTE_FLIPPED, house_in_flight: tuple[str, ...] = ()) -> DrillOutcome:
        """One start of the verb and what it showed."""
        begun, report = self.live(lambda: self.fresh(control), in_flight=house_in_flight)
        self.new_life()
        found = outcome_of(begun, report, self.state(), self.clock.now())
        assert found is not None, report
        return found

    def state(self) -> State:
        """The journal of rehearsals, folded."""
        return read_state(self.folder / "rehearsal", lineage=self.house.id)

    def live(
        self, fresh: Callable[[], Drill], disk: Disk | None = None, in_flight: tuple[str, ...] = (), only: Course | None = None
    ) -> tuple[Begun, Report]:
        """One process; with `only` it runs nothing but that."""
        raw = faulty(self.home.act(f"rehearsal-{self.count}"), self.home.world, self.clock)
        look, (act, lease) = read_only(raw), drilled(raw, "this-machine:rehearsal", self.clock.workers())
        disk = disk or FencedDisk(self.clock.fence)
        with open_journal(
            self.folder / "rehearsal", lineage=self.house.id, run=f"rehearsal-{self.count}", disk=disk, now=self.clock.now
        ) as journal:
            begun = Begun(only, None) if only is not None else begin(look, self.house, fresh, in_flight=in_flight)
            report = executor.run(
                begun.course.graph(), look, act, journal=journal, clock=self.clock, workers=self.clock.workers(), limits=self.limits
            )
            lease.drop()
            return begun, report

    @property
    def left(self) -> bool:
        """Whether anything of a drill is in the cluster."""
        objects = self.home.kube.objects()
        return objects.drill is not None or objects.drill_lease is not None
