"""A stage of a backup that somebody has pruned: what it was comes to a place of its own, whatever breaks off in between."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from adapters.versions.results import Keeping, StoreGuard
from cluster.course import Course
from engine.journal import Disk
from engine.report import Report
from lab.world.store import a_file
from recovery.courses.undeleting import place_of, undelete_course
from tests.crash.house.stages import House

DAY = 86400.0


class PrunedHouse(House):
    """No cluster is there yet; of three snapshots two were deleted."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        store, now, address = self.home.store, self.clock.now(), self.lives.house.claims[0].open_as
        bucket, _, _ = address.removeprefix("s3:").rpartition("/")
        store.guards[bucket] = StoreGuard(bucket, Keeping.KEPT)
        for days in (2, 1):
            store.back_up(address, (a_file("notes/one.md", f"{days} days ago"),), now - days * DAY)
        store.repositories[address].snapshots.sort(key=lambda one: one.time)
        store.prune(address, now - 600, keep=1)
        self.moment = now - 700
        self.approval = self.consent()

    @property
    def course(self) -> Course:
        return undelete_course(self.lives.house, self.lives.house.claims[0], self.moment)

    def live(self, disk: Disk) -> Report:
        return self.lives.live(self.course, disk, self.approval)

    def doubled(self) -> Sequence[str]:
        claim, there = self.lives.house.claims[0], self.home.store.repositories
        old, new = there[claim.open_as], there.get(place_of(claim, self.moment))
        wrong = [] if len(old.snapshots) == 1 and len(old.removed) == 2 else ["the old place is not as it was"]
        if new is None or len({one.snapshot_id for one in new.snapshots}) != len(new.snapshots) or len(new.snapshots) != 3:
            wrong.append("what was brought is not the three snapshots, each once")
        return wrong
