"""Stages of one application beside another: it is restored over, or that is undone, and the other must notice nothing of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cluster.course import Course
from house.model import House as HouseModel
from lab.lost import LOSER, NEIGHBOUR, lost_house
from lab.neighbours import SCHEDULE_S, Watch
from lab.world.store import a_file
from recovery.course import course as recovery_course
from tests.crash.stages import AliveHouse

MINE = (a_file("wiki/page.md", "written this morning"),)


class NeighbouredHouse(AliveHouse):
    """Two applications, both alive: one is restored over, by approval, while the other is probed and its schedule falls due."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        super().__init__(folder, seed)
        self.home.kube.objects().claims[NEIGHBOUR].entries = MINE
        for source in self.home.kube.objects().sources.values():
            source.retain_last = 50  # as many rounds as a visit may take: the backup that is restored must stay
        self.watch = Watch(self.home, NEIGHBOUR)

    def given(self) -> HouseModel:
        return lost_house(self.folder / "state")

    @property
    def course(self) -> Course:
        """As the verb with --claims: the neighbour is no part of it."""
        loser = tuple(claim for claim in self.lives.house.claims if (claim.namespace, claim.claim) == LOSER)
        if not hasattr(self, "as_of"):
            return recovery_course(self.lives.house, self.lives.house.claims)
        return recovery_course(self.lives.house, loser, again=() if self.is_replaced() else loser, as_of=self.as_of)

    def doubled(self) -> Sequence[str]:
        self.clock.sleep(2 * SCHEDULE_S)
        count, wrong = self.watch.counts[NEIGHBOUR], list(super().doubled())
        if not count.undisturbed or not count.backups:
            wrong.append(f"the neighbour was disturbed: {count.told}")
        if self.home.kube.objects().claims[NEIGHBOUR].entries != MINE:
            wrong.append("the neighbour's data are not what they were")
        return wrong
