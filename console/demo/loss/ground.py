"""The modelled house that scenes of a loss are played in: runs the tool in it, and looks at it without the tool."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from adapters.volsync.results import FileEntry
from bootstrap.course import course as bootstrap_course
from cluster.course import Course
from console.demo.modelled import BACKED_UP, digest_of
from console.demo.story import Act, Story
from engine.errors import EXIT_HELD, EXIT_OK
from engine.report import Report
from house.model import BackedUpClaim, House
from lab.modelled.life import Lives
from lab.modelled.lost import lost_house
from lab.modelled.neighbours import Counts, Key, Watch
from lab.world.pve.vm import PowerEvent
from lab.world.store import StoredRepository, a_file
from recovery.course import course as recovery_course


@dataclass
class Ground:
    """One house, its story, and what must be on each claim's volume now (`truth`, by the lab's own digest)."""

    folder: Path
    story: Story
    lives: Lives = field(init=False)
    house: House = field(init=False)
    truth: dict[Key, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        state = self.folder / "state"
        self.lives = Lives(state, replace(lost_house(state), settings_file=self.folder / "blackstart.yaml"), seed=3)
        self.home, self.clock = self.lives.home, self.lives.clock
        self.house = self.lives.house
        for claim in self.house.claims:
            self.home.seed_backup(claim.mover_repository, BACKED_UP[claim.claim])

    def build(self) -> None:
        """The house as people live in it: built, restored, written to since, and every claim backed up after that."""
        assert self.run(bootstrap_course(self.house, {})).exit_code in (EXIT_OK, EXIT_HELD)
        assert self.run(recovery_course(self.house, self.house.claims)).exit_code == EXIT_OK
        (self.house.state_dir / "kubeconfig").touch()
        self.clock.sleep(60)
        for claim in self.house.claims:
            self.write(_key(claim), a_file(f"{claim.claim}/today.md", f"{claim.claim}: written today\n"))
            self.back_up(claim)

    # The tool.

    def run(self, course: Course, *, consented: bool = False) -> Report:
        """One run; `consented`: to all that its plan of now asks consent for."""
        return self.lives.survived(course, self.lives.consent(self.lives.plan(course)) if consented else None)

    def claim(self, key: Key) -> BackedUpClaim:
        """The declared claim."""
        return next(one for one in self.house.claims if _key(one) == key)

    # The house, without the tool.

    def entries(self, key: Key) -> tuple[FileEntry, ...]:
        """What is on the volume."""
        return self.home.kube.objects().claims[key].entries

    def digest(self, key: Key) -> str:
        """The lab's own digest of the volume, "" where no volume is bound."""
        claim = self.home.kube.objects().claims.get(key)
        return digest_of(claim.entries) if claim is not None and claim.bound else ""

    def write(self, key: Key, *files: FileEntry, instead: bool = False) -> None:
        """The application writes: these too, or (`instead`) these alone. It is the truth from here on."""
        claim = self.home.kube.objects().claims[key]
        claim.entries = files if instead else (*claim.entries, *files)
        self.truth[key] = self.digest(key)

    def repository(self, claim: BackedUpClaim) -> StoredRepository:
        """Where its backups lie."""
        return self.home.store.repositories[claim.mover_repository]

    def back_up(self, claim: BackedUpClaim) -> None:
        """Its schedule is due, and the backup ends."""
        objects = self.home.kube.objects()
        source = objects.sources[(claim.namespace, claim.source)]
        source.wanted = True
        self.home.volsync.nudge(objects, source)
        self.clock.sleep(30)

    def lose(self, *names: str) -> None:
        """The VMs of these nodes are gone, with their disks."""
        for name in names:
            vm = self.home.proxmox.vms[self.house.node(name).vm_id]
            self.home.proxmox.power(vm, PowerEvent.STOPPED)
            self.home.proxmox.remove(vm)

    def voters(self) -> dict[str, str]:
        """Who votes in the etcd of now: names and ids."""
        return {one.hostname: f"{one.member_id:016x}" for one in self.home.talos.etcd.clusters[-1].voters()}

    def watch(self, *keys: Key) -> Watch:
        """Begin to look at these as their users do."""
        return Watch(self.home, *keys)

    # What is told.

    def show(self, act: Act, holds: bool, told: str) -> None:
        """See Story.show."""
        self.story.show(act, holds, told)

    def show_data(self, act: Act, *keys: Key) -> None:
        """Each claim's volume holds what it must, by the lab's own digest."""
        for key in keys:
            now, wanted = self.digest(key), self.truth[key]
            told = f"{'/'.join(key)}: the lab's own digest is {now[:12] or 'none'}, and must be {wanted[:12]}"
            self.show(act, now == wanted, told)

    def show_undisturbed(self, act: Act, counts: dict[Key, Counts]) -> None:
        """Nobody beside it noticed anything."""
        for key, count in counts.items():
            self.show(act, count.undisturbed, f"{'/'.join(key)} meanwhile: {count.told}")


def problems(report: Report) -> str:
    """What went wrong, in the run's own words."""
    return "; ".join(f"{step.id}: {step.error or step.detail}" for step in report.root_causes)


def _key(claim: BackedUpClaim) -> Key:
    return (claim.namespace, claim.claim)
