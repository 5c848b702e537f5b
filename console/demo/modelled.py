"""The modelled demo: in-process doors and a virtual clock, no programs and no network. Its first and last line say so."""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from adapters.hold.results import HoldState
from adapters.volsync.results import FileEntry
from bootstrap.course import course as bootstrap_course
from cluster.course import Course
from console.demo.story import Act, Story
from console.views.page import Kind, Page
from engine.errors import EXIT_OK, EXIT_STEP_FAILED
from engine.plan import Planned
from house.model import BackedUpClaim, Requirement
from lab.modelled.life import Lives
from lab.modelled.sample import sample_house
from lab.world.faults import Fault
from lab.world.store import a_file
from recovery.course import course as recovery_course

NOTES = tuple(a_file(f"notes/{n:03}.md", f"note {n}\n" * (n + 1)) for n in range(812))
MODELLED = Kind(
    "[modelled] ",
    "MODELLED: in-process doors and a clock that is turned by hand; no program is started and no real house is touched.",
)
BACKED_UP = {
    name: tuple(a_file(f"{name}/{n:02}.md", f"{name} {n}\n" * (n + 1)) for n in range(many))
    for name, many in (("notes", 40), ("wiki", 25))
}  # fmt: skip
"""What lies in the backups of the demos of one part, by claim."""


class Demo(Protocol):
    """What is played here: acts, told by its story."""

    story: Story

    def play(self) -> None:
        """All acts. AssertionError where the story cannot go on."""


def play() -> int:
    """Play it; answers 0 when all of it held."""
    return played(Modelled)


def played(made: Callable[[Path, Page], Demo]) -> int:
    """Play a modelled demo in a folder of its own, and say so at both ends; answers 0 when all of it held."""
    page = Page(sys.stdout, MODELLED)
    page.banner()
    with tempfile.TemporaryDirectory(prefix="blackstart-modelled-") as folder:
        demo = made(Path(folder), page)
        try:
            demo.play()
        except AssertionError as error:
            demo.story.say(f"the story broke off: {error}")
            demo.story.acts.append(Act("the story broke off", held=False))
        page.say()
        page.show(demo.story.table("modelled s"))
    holds = demo.story.holds
    page.say("\nEverything that was shown held." if holds else "\nNOT everything held: see above.")
    page.banner()
    return EXIT_OK if holds else EXIT_STEP_FAILED


class Modelled:
    """The house of the demo and its story."""

    def __init__(self, folder: Path, page: Page) -> None:
        given = sample_house()
        may_be_empty = Requirement(required=False, max_age=0.0, min_bytes=0)
        given = replace(given, claims=tuple(replace(claim, requirement=may_be_empty) for claim in given.claims))
        self.lives = Lives(folder / "state", given, seed=1)
        self.story = Story(page, self.lives.clock.monotonic)
        self.known: dict[str, str] = {}

    @property
    def claim(self) -> BackedUpClaim:
        """The one backed-up claim."""
        return self.lives.house.claims[0]

    def play(self) -> None:
        """All acts."""
        self._plan()
        self._bootstrap_killed_twice()
        self._data_and_backup()
        before = self._digest()
        self._lose_everything()
        self._restore(before)
        self._misspelt()

    def _plan(self) -> None:
        with self.story.act("plan: what would be done, nothing is") as act:
            made = self.lives.plan(self._bootstrap)
            creates = sum(line.verdict is Planned.CREATE for line in made.lines)
            self.story.show(act, made.exit_code == 2, f"{len(made.lines)} checks and steps, {creates} could begin at once")
            self.story.show(act, not self.lives.home.world.faults.reached, "not one mutation")

    def _bootstrap_killed_twice(self) -> None:
        faults = self.lives.home.world.faults
        with self.story.act("bootstrap, killed while Proxmox makes a VM and while a release is pending, resumed") as act:
            faults.arm("proxmox.create_vm/*#1", Fault.DIE_AFTER)
            dead = self.lives.live_or_die(self._bootstrap) is None
            tasks = [task.upid for task in self.lives.home.proxmox.tasks.running()]
            self.story.show(act, dead and bool(tasks), f"killed: Proxmox goes on without us, {', '.join(tasks) or 'no task runs'}")
            faults.arm("releases.sync/*/coredns#1", Fault.DIE_DURING)
            dead = self.lives.live_or_die(self._bootstrap) is None
            pending = [state.name for state in self.lives.home.look().releases.releases() if state.pending]
            self.story.show(act, dead and bool(pending), f"killed: left pending-install, {', '.join(pending) or 'nothing'}")
            report = self.lives.survived(self._bootstrap)
            resumed = [step.id for step in report.steps if step.resumed]
            self.story.show(act, report.exit_code == 6, f"converged; resumed: {', '.join(resumed)}")
            self._four_vms_one_etcd(act)

    def _four_vms_one_etcd(self, act: Act) -> None:
        vms = sorted(self.lives.home.proxmox.vms)
        clusters = {
            machine.etcd_dir.cluster.cluster_id for machine in self.lives.home.talos.machines.values()
            if machine.etcd_dir is not None and machine.etcd_dir.cluster is not None
        }  # fmt: skip
        self.story.show(act, len(vms) == 4 and len(clusters) == 1, f"VMs {vms}, {len(clusters)} etcd cluster")

    def _data_and_backup(self) -> None:
        with self.story.act("the application starts empty by approval, gets its data, and is backed up") as act:
            course = recovery_course(self.lives.house, (), never_backed_up=(self.claim,))
            made = self.lives.plan(course)
            report = self.lives.survived(course, self.lives.consent(made))
            self.story.show(act, report.converged, f"approved: {made.acts[0].identity}")
            self.lives.clock.sleep(60)
            objects = self.lives.home.kube.objects()
            objects.claims[(self.claim.namespace, self.claim.claim)].entries = NOTES
            source = objects.sources[(self.claim.namespace, self.claim.source)]
            source.wanted = True
            self.lives.home.volsync.nudge(objects, source)
            self.lives.clock.sleep(60)
            repository = self.lives.home.store.repositories[self.claim.mover_repository]
            self.known = {self.claim.key: repository.repository_id}
            newest = repository.snapshots[-1]
            self.story.show(act, newest.entries == NOTES, f"VolSync backed up {len(NOTES)} files")

    def _lose_everything(self) -> None:
        with self.story.act("every VM and every disk is destroyed; the cluster is built again, the claim held") as act:
            self.lives.home.lose_every_vm()
            report = self.lives.survived(self._bootstrap)
            entry = self.lives.home.look().hold.record().claims[0]
            self.story.show(act, report.exit_code == 6 and entry.state is HoldState.HELD, f"{entry.key} is {entry.state.value}")
            self.lives.clock.sleep(3600)
            snapshots = self.lives.home.store.repositories[self.claim.mover_repository].snapshots
            self.story.show(act, snapshots[-1].entries == NOTES, "an hour later the good backup is still the newest")

    def _restore(self, before: str) -> None:
        with self.story.act("dr.restore: pinned, restored, compared, filled, released, backed up again") as act:
            report = self.lives.survived(recovery_course(self.lives.house, (self.claim,), known=self.known))
            self.story.show(act, report.exit_code == 0, f"recovery.prove: {report[f'recovery.prove/{self.claim.key}'].detail}")
            after = self._digest()
            self.story.show(act, before == after, f"the lab's own digest: {before[:12]} before, {after[:12]} after")

    def _misspelt(self) -> None:
        with self.story.act("the same with the repository's prefix misspelt: the rest is built, the claim stays held") as act:
            self.lives.home.lose_every_vm()
            wrong = replace(self.claim, open_as=self.claim.open_as + "x", mover_repository=self.claim.mover_repository + "x")
            house = replace(self.lives.house, claims=(wrong,))
            report = self.lives.survived(bootstrap_course(house, self.known))
            refused = [step.id for step in report.root_causes]
            named = refused == [f"preflight.backup/{wrong.key}"] and report.exit_code == EXIT_STEP_FAILED
            self.story.show(act, named, f"refused by {', '.join(refused)}; exit {report.exit_code}")
            self._four_vms_one_etcd(act)
            entry = self.lives.home.look().hold.record().claims[0]
            self.lives.clock.sleep(3600)
            repositories = self.lives.home.store.repositories
            safe = wrong.mover_repository not in repositories and bool(repositories[self.claim.mover_repository].snapshots)
            told = "an hour later nothing was written to the misspelt place" if safe else "a mover wrote to the misspelt place"
            self.story.show(act, entry.state is HoldState.HELD and safe, f"{entry.key} is {entry.state.value}; {told}")

    @property
    def _bootstrap(self) -> Course:
        return bootstrap_course(self.lives.house, self.known)

    def _digest(self) -> str:
        claim = self.lives.home.kube.objects().claims[(self.claim.namespace, self.claim.claim)]
        return digest_of(claim.entries)


def digest_of(entries: Iterable[FileEntry]) -> str:
    """The lab's own digest of a volume: not the product's comparison."""
    lines = sorted(f"{e.path} {e.size} {e.mode:o} {e.uid} {e.gid} {e.sha256}" for e in entries)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
