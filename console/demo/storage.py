"""The demo of what stands under the data: a NAS that is off and degraded, a claim from it, one from a bucket, a database.

Modelled: in-process doors and a virtual clock. No NAS serves files here and no PostgreSQL runs; the first and the last line say so.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from adapters.volsync.results import FileEntry
from bootstrap.course import course as bootstrap_course
from cluster.course import Course
from cluster.storage.nas.check import nas_checks
from console.demo.modelled import BACKED_UP, digest_of, played
from console.demo.story import Act, Story
from console.views.page import Page
from engine.errors import EXIT_HELD
from engine.report import Outcome, Report
from house.model import BackedUpClaim
from lab.modelled.life import Lives
from lab.modelled.stored import ARCHIVE, DATABASE, NAS, NAS_HOST, NAS_VM, ROWS, stored_database, stored_house
from lab.troubles.nas import NAS_FAULTS
from lab.world.nas import LabUser, sample_nas
from lab.world.pve.vm import PowerEvent
from recovery.course import course as recovery_course

GATE, UNDER = "nas.start/nas", "storage.nas/nas.under-mnt-tank-backup"


def play() -> int:
    """Play it; answers 0 when all of it held."""
    return played(Stored)


class Stored:
    """The house whose machines are gone, its NAS off, and the story of how its data come back."""

    def __init__(self, folder: Path, page: Page) -> None:
        self.lives = Lives(folder / "state", stored_house(), seed=2)
        self.story = Story(page, self.lives.clock.monotonic)
        self.home, now = self.lives.home, self.lives.clock.now()
        self.vm = self.home.plug_nas(sample_nas(now, LabUser("blackstart", "3-demo")), NAS_VM, NAS_HOST)
        for claim in self.lives.house.claims:
            self.home.seed_backup(claim.mover_repository, BACKED_UP[claim.claim])
        self.home.store.databases[ARCHIVE] = stored_database(now)
        self.home.proxmox.power(self.vm, PowerEvent.STOPPED)
        NAS_FAULTS["nas-pool-degraded"].begin(self.home.nas["nas"], now)

    def play(self) -> None:
        """All acts."""
        self._off()
        self._built()
        self._stopped()
        self._from_the_nas()
        self._database()
        self._clean()

    def _off(self) -> None:
        with self.story.act("every node is gone and the NAS is off; a look tells so, and starts nothing") as act:
            report = self.lives.verify(self._whole)
            told = report[GATE].detail
            self.story.show(act, report[GATE].outcome is Outcome.FAILED and "apps/notes" in told, told)
            self.story.show(act, not self.vm.running, f"VM {NAS_VM} is {'on' if self.vm.running else 'off still'}")

    def _built(self) -> None:
        with self.story.act("cluster.bootstrap: the NAS is started first, its pools are waited for, the rest is built") as act:
            report = self.lives.survived(bootstrap_course(self.lives.house, {}))
            self.story.show(act, report[GATE].outcome is Outcome.CHANGED and self.vm.running, f"{GATE}: {report[GATE].detail}")
            held = [claim.key for claim in self.home.look().hold.record().claims if claim.state.value == "held"]
            self.story.show(act, report.exit_code == EXIT_HELD and len(held) == 2, f"held: {', '.join(held)}")

    def _stopped(self) -> None:
        with self.story.act("dr.restore: the NAS's pool is degraded, which stops the one claim that is read from it") as act:
            report = self.lives.survived(recovery_course(self.lives.house, self.lives.house.claims))
            causes = [step.id for step in report.root_causes]
            self.story.show(act, causes == [UNDER], f"one problem, {', '.join(causes)}: {report[UNDER].detail}")
            notes = report["recovery.pin/apps/notes"].outcome
            self.story.show(act, notes is Outcome.BLOCKED, f"apps/notes, which lies on the NAS: its restore is {notes.value}")
            self._same(act, report, "wiki", "from the bucket")

    def _from_the_nas(self) -> None:
        with self.story.act("the settings accept just that (nas.nas.accepted), for it may hold the only copy") as act:
            accepting = replace(NAS, accepted=(("pool tank FAULTED_DEV_R", "a disk is on its way"),))
            house = replace(self.lives.house, nas=(accepting,))
            report = self.lives.survived(recovery_course(house, house.claims))
            self._same(act, report, "notes", "from the NAS")
            self.story.show(act, "DEGRADED" in report[UNDER].detail, f"told all the same: {report[UNDER].detail}")

    def _database(self) -> None:
        (one,) = self.lives.house.restorable
        course = recovery_course(self.lives.house, (), databases=(one,))
        pin, prove = f"dr.database-pin/{one.key}", f"dr.database-prove/{one.key}"
        with self.story.act("the database: a point of its archive pinned, a recovery written for review, made by consent") as act:
            report = self.lives.survived(course)
            self.story.show(act, report[pin].outcome is Outcome.CHANGED, report[pin].detail)
            made = self.lives.plan(course)
            self.story.show(act, len(made.acts) == 1, f"consent to: {made.acts[0].words if made.acts else 'nothing'}")
            report = self.lives.survived(course, self.lives.consent(made))
            self.story.show(act, report[prove].outcome is Outcome.HELD, f"by what it says of itself: {report[prove].detail}")
            rows = self.home.kube.objects().clusters[DATABASE].rows
            self.story.show(act, rows == ROWS, f"its rows: {', '.join(rows)}")

    def _clean(self) -> None:
        with self.story.act("an hour later: each backup is still the good one, and the degraded pool is still red") as act:
            self.lives.clock.sleep(3600)
            for claim in self.lives.house.claims:
                newest = self.home.store.repositories[claim.mover_repository].snapshots[-1].entries
                same = digest_of(newest) == digest_of(BACKED_UP[claim.claim])
                self.story.show(act, same, f"{claim.key}: {len(newest)} files in the newest, {'the same' if same else 'OTHERS'}")
            report = self.lives.verify(self._whole)
            red = [step.id for step in report.root_causes]
            self.story.show(act, "storage.nas/nas.pools" in red, f"cluster.verify: red is {', '.join(red)}")

    @property
    def _whole(self) -> Course:
        house = self.lives.house
        return bootstrap_course(house, {}).with_checks(nas_checks(house))

    def _same(self, act: Act, report: Report, name: str, whence: str) -> None:
        claim = next(one for one in self.lives.house.claims if one.claim == name)
        released = report[f"recovery.release/{claim.key}"].outcome is Outcome.CHANGED
        entries = self._volume(claim)
        before, after = digest_of(BACKED_UP[name])[:12], digest_of(entries)[:12]
        told = f"{claim.key}, {whence}: {len(entries)} files, the lab's own digest {before} in the backup, {after} in the volume"
        self.story.show(act, released and before == after, told)

    def _volume(self, claim: BackedUpClaim) -> tuple[FileEntry, ...]:
        return self.home.kube.objects().claims[(claim.namespace, claim.claim)].entries
