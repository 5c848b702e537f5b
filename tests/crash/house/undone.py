"""Stages of one application on a living cluster: what a restore has replaced comes back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from adapters.hold.results import HoldState
from cluster.course import Course
from engine.journal import Disk
from engine.report import Report
from lab.world.store import a_file
from recovery.course import course as recovery_course
from recovery.courses.undoing import cut_off_course, to_undo, undo_course
from tests.crash.house.stages import HeldHouse, House

MINE = (a_file("notes/one.md", "written this morning"),)
KEY = ("apps", "notes")


class UndoneHouse(HeldHouse):
    """The house whose living claim was restored over by consent: it gets its volume of before back, by consent as well."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        claims = self.claims
        for course in (recovery_course(self.lives.house, claims), recovery_course(self.lives.house, claims, again=claims)):
            self.lived(course, consent=self.consent(course))
            self.home.kube.objects().claims[KEY].entries = MINE
        (kept,) = self.home.look().kept.volumes()
        self.home.kube.objects().kept[kept.name].entries = MINE
        self.volume, self.old = kept.name, self.home.kube.objects().claims[KEY].uid
        claim, _ = to_undo(self.home.look(), self.lives.house, "notes")
        self.whole = undo_course(self.lives.house, claim, self.volume)
        self.approval = self.consent(self.whole)
        self.begin()

    @property
    def course(self) -> Course:
        """What the verb makes: once all is done it would be about what has gone out of use, by another consent."""
        entry, kept = self.home.look().hold.record().claim(*KEY), self.home.look().kept.volumes()
        claim = self.lives.house.claims[0]
        left = cut_off_course(self.home.look(), self.lives.house, claim, self.left_open())
        if left is not None:
            return left
        done = entry is not None and entry.state is HoldState.RELEASED and all(one.name != self.volume for one in kept)
        return Course((), ()) if done else self.whole

    def live(self, disk: Disk) -> Report:
        report = self.lives.live(self.course, disk, self.approval)
        self.clock.sleep(60)
        return report

    def doubled(self) -> Sequence[str]:
        wrong, objects = list(House.doubled(self)), self.home.kube.objects()
        claim = objects.claims[KEY]
        if (claim.entries, claim.bound_to, claim.app_ready) != (MINE, self.volume, True):
            wrong.append(f"it is not what it was: {claim}")
        if [one.uid for one in self.home.look().kept.volumes()] != [self.old]:
            wrong.append("what was in use is not kept, or more than that")
        if objects.kustomizations["apps/notes"].suspended:
            wrong.append("Flux is kept still")
        return wrong
