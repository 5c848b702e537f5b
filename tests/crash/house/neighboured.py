"""Every course of a bad day beside a neighbour: wherever it dies, the application that it is not about must notice nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cluster.course import Course
from house.model import BackedUpClaim
from house.model import House as HouseModel
from lab.modelled.lost import LOSER, NEIGHBOUR, lost_house
from lab.modelled.neighbours import SCHEDULE_S, Counts, Watch
from lab.world.store import a_file
from recovery.course import course as recovery_course
from tests.crash.house.losses import LostNode, SavedEtcd, StillEtcd
from tests.crash.house.powered import CheckpointedHouse, StoppedThenStarted
from tests.crash.house.stages import AliveHouse, HeldHouse, House
from tests.crash.house.survived import SurvivedHouse
from tests.crash.house.undeleted import PrunedHouse
from tests.crash.house.undone import UndoneHouse
from tests.crash.house.unlocked import LockedHouse

MINE = (a_file("wiki/page.md", "written this morning"),)


class Beside(HeldHouse):
    """Two applications. The neighbour is probed and its schedule falls due from before the bad day until after its end."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        super().__init__(folder, seed)
        self.watch.counts[NEIGHBOUR] = Counts()

    def given(self) -> HouseModel:
        return lost_house(self.folder / "state")

    @property
    def claims(self) -> tuple[BackedUpClaim, ...]:
        """The neighbour is no part of it."""
        return tuple(one for one in self.lives.house.claims if (one.namespace, one.claim) == LOSER)

    def settle(self) -> None:
        super().settle()
        (neighbour,) = (one for one in self.lives.house.claims if (one.namespace, one.claim) == NEIGHBOUR)
        self.lived(recovery_course(self.lives.house, (neighbour,)))
        self.home.kube.objects().claims[NEIGHBOUR].entries = MINE
        for source in self.home.kube.objects().sources.values():
            source.retain_last = 50  # as many rounds as a visit may take: the backup that is restored must stay
        self.watch = Watch(self.home, NEIGHBOUR)

    def own(self) -> Sequence[str]:
        """What the stage itself says."""
        return super().doubled()

    def disturbed(self) -> Sequence[str]:
        """What the neighbour noticed."""
        self.clock.sleep(2 * SCHEDULE_S)
        count = self.watch.counts[NEIGHBOUR]
        return [] if count.undisturbed and count.backups else [f"the neighbour was disturbed: {count.told}"]

    def afterwards(self, *, restarts: int) -> Sequence[str]:
        """What it noticed until now was to be expected, but for more starts than these; from now on it must notice nothing."""
        count = self.watch.counts[NEIGHBOUR]
        wrong = [f"the neighbour was started {count.restarts} times"] if count.restarts > restarts else []
        if not restarts and count.missed_probes:
            wrong.append(f"the neighbour did not serve: {count.told}")
        self.clock.sleep(SCHEDULE_S)  # the round that was due meanwhile
        self.watch.counts[NEIGHBOUR] = Counts()
        return [*wrong, *Beside.disturbed(self)]

    def doubled(self) -> Sequence[str]:
        wrong = [*self.own(), *self.disturbed()]
        if self.home.kube.objects().claims[NEIGHBOUR].entries != MINE:
            wrong.append("the neighbour's data are not what they were")
        return wrong


class NeighbouredHouse(Beside, AliveHouse):
    """One application is restored over, by approval."""


class UndoneBeside(Beside, UndoneHouse):
    """What that has replaced comes back."""


class SurvivedBeside(Beside, SurvivedHouse):
    """One application's volume outlived the cluster, and comes back."""


class LostNodeBeside(Beside, LostNode):
    """A control plane's VM is dead, and made anew."""


class SavedEtcdBeside(Beside, SavedEtcd):
    """etcd is saved."""


class StillEtcdBeside(Beside, StillEtcd):
    """etcd is made again: what runs goes on without it, but for backups, which nobody begins until it is there."""

    def disturbed(self) -> Sequence[str]:
        return self.afterwards(restarts=0)


class PrunedBeside(Beside, PrunedHouse):
    """One application's backup was pruned, and what it was comes to a place of its own."""

    @property
    def course(self) -> Course:
        return PrunedHouse.course.__get__(self)

    def own(self) -> Sequence[str]:
        return PrunedHouse.doubled(self)


class LockedBeside(Beside, LockedHouse):
    """One application's backup is locked by dead owners."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        LockedHouse.lock(self)

    def lock(self) -> None:
        """Not before both applications are there: no restore begins over a lock."""

    @property
    def course(self) -> Course:
        return LockedHouse.course.__get__(self)

    def own(self) -> Sequence[str]:
        return LockedHouse.doubled(self)


class SwitchedBeside(Beside, StoppedThenStarted):
    """The house is switched off and on, which everybody notices: once, and nothing is missed from then on."""

    def furnish(self) -> None:
        """No database: that is the other stage's."""

    def own(self) -> Sequence[str]:
        return House.doubled(self)

    def disturbed(self) -> Sequence[str]:
        return self.afterwards(restarts=1)


class CheckpointedBeside(Beside, CheckpointedHouse):
    """Both applications are saved at rest: neither is started before somebody says so."""

    def furnish(self) -> None:
        """No database: that is the other stage's."""

    def archives(self) -> None:
        """Nor its archive."""

    def unsaved(self) -> Sequence[str]:
        return []

    def disturbed(self) -> Sequence[str]:
        count, (_, wiki) = self.watch.counts[NEIGHBOUR], self.lives.house.claims
        wrong = [f"the neighbour was started {count.restarts} times"] if count.restarts else []
        saved = self.home.store.repositories[wiki.mover_repository].snapshots[-1]
        if saved.entries != MINE or NEIGHBOUR not in self.home.kube.objects().resting:
            wrong.append("the neighbour does not rest, or its newest snapshot is not what it wrote last")
        return wrong


BESIDE = (
    UndoneBeside, SurvivedBeside, LostNodeBeside, SavedEtcdBeside, StillEtcdBeside, PrunedBeside, LockedBeside, SwitchedBeside,
    CheckpointedBeside,
)  # fmt: skip
"""Visited by `make prove`; the restore, which is in every run of the tests, stands for them there."""
