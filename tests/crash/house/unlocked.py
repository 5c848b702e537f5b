"""A stage of a backup that dead owners have locked: their locks go by consent, a living owner's stays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cluster.course import Course
from engine.journal import Disk
from engine.report import Report
from recovery.courses.unlocking import looked_at, unlock_course
from tests.crash.house.stages import House
from tests.recovery.test_locks import a_lock

DEAD, LIVING = ("a" * 64, "b" * 64), "c" * 64


class LockedHouse(House):
    """No cluster is there yet, and two dead locks stand in the way of its restores."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self.lock()

    def lock(self) -> None:
        """Two dead owners, and one that lives."""
        locks, now = self.home.store.repositories[self.lives.house.claims[0].open_as].locks, self.clock.now()
        locks |= {one: a_lock(one, now - 7200) for one in DEAD}
        locks[LIVING] = a_lock(LIVING, now + 86400, host="desk")  # renewed for as long as the stage is played
        self.approval = self.consent()

    @property
    def course(self) -> Course:
        house = self.lives.house
        return unlock_course(house, looked_at(self.home.look(), house, house.claims[0]), self.left_open())

    def live(self, disk: Disk) -> Report:
        return self.lives.live(self.course, disk, self.approval)

    def doubled(self) -> Sequence[str]:
        left = set(self.home.store.repositories[self.lives.house.claims[0].open_as].locks)
        return [] if left == {LIVING} else [f"locks that are left: {left}"]
