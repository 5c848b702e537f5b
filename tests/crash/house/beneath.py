"""Stages of what stands under the data: storage that is tried, a NAS that is off, a lost database; and all stages there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from adapters.trials.results import Tried
from cluster.course import Course
from engine.journal import Disk
from engine.report import Report
from house.model import House as HouseModel
from lab.world.nas import LabUser, sample_nas
from lab.world.pve.vm import LabVm, PowerEvent
from recovery.course import course as recovery_course
from recovery.steps.volumes import probe_write, prove_snapshots
from tests.crash.house.certified import CertifiedHouse
from tests.crash.house.losses import LostNode, SavedEtcd, StillEtcd
from tests.crash.house.neighboured import NeighbouredHouse
from tests.crash.house.powered import CheckpointedHouse, DarkHosts, StoppedHouse, StoppedThenStarted
from tests.crash.house.stages import (
    AliveHouse,
    HeldHouse,
    HoldNowHouse,
    House,
    LostHouse,
    LostSecrets,
    PushedHouse,
    ReleasedHouse,
    TwoPlacesHouse,
)
from tests.crash.house.survived import SurvivedHouse
from tests.crash.house.undeleted import PrunedHouse
from tests.crash.house.undone import UndoneHouse
from tests.crash.house.unlocked import LockedHouse
from tests.databases import KEY, NEW, OLD, a_database, a_house_with, an_archive
from tests.hands import only
from tests.rehearsal.stage import DrilledClaim
from tests.scenario.faults.test_nas import a_nas_house


class TriedHouse(HeldHouse):
    """The same house, on whose storage class a write is tried and snapshots are proven."""

    @property
    def course(self) -> Course:
        classes = ("lab",)
        return Course((), (*probe_write.steps(dict.fromkeys(classes, ())), *prove_snapshots.steps(classes)))

    def doubled(self) -> Sequence[str]:
        objects = self.home.kube.objects()
        wrong = [*House.doubled(self), *(f"a trial of {name} has left something" for name in objects.trials_left)]
        if {tried for tried, _ in objects.trials} != set(Tried):
            wrong.append(f"no marker of each: {list(objects.trials)}")
        return wrong


class NasHouse(HeldHouse):
    """A built house whose claim's backup lies on a NAS, that NAS's VM off: what a restore does before it looks at the backup."""

    vm: LabVm

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self.home.proxmox.power(self.vm, PowerEvent.STOPPED)
        self.bootstrapped = len(self.world.happenings)

    def given(self) -> HouseModel:
        house = a_nas_house()
        return replace(house, claims=house.claims[:1], flux_apps=house.flux_apps[:-1])

    def furnish(self) -> None:
        self.vm = self.home.plug_nas(sample_nas(self.clock.now(), LabUser("blackstart", "3-key")), 105, "pve-2")

    @property
    def course(self) -> Course:
        return only(recovery_course(self.lives.house, self.lives.house.claims), "nas.", "proxmox.", "preflight.")

    def doubled(self) -> Sequence[str]:
        since = [h.what for h in self.world.happenings[self.bootstrapped :]]
        wrong = [] if since.count("VM 105 started") == 1 else [f"the NAS was started {since.count('VM 105 started')} times"]
        vms = sorted(self.home.proxmox.vms)
        return wrong if vms == [105, *sorted(node.vm_id for node in self.lives.house.nodes)] else [*wrong, f"VMs: {vms}"]


class LostDatabase(HeldHouse):
    """The same house with a database that is gone and of which Git declares no recovery: ours is written, and made by approval."""

    one = a_database(recovers=False)

    def given(self) -> HouseModel:
        return replace(a_house_with(self.one), databases=())

    def furnish(self) -> None:
        self.home.store.databases[OLD] = an_archive(self.clock.now())

    @property
    def course(self) -> Course:
        return recovery_course(self.lives.house, (), databases=(self.one,))

    def live(self, disk: Disk) -> Report:
        """As a person does: what was written is read, and the same again with its digest."""
        report = self.lives.live(self.course, disk)
        given = self.consent()
        return report if given is None else self.lives.live(self.course, disk, given)

    def doubled(self) -> Sequence[str]:
        wrong, found = list(House.doubled(self)), self.home.kube.objects().clusters
        made = [h.what for h in self.world.happenings if h.what.startswith("makes apps/pg")]
        if len(made) > 1 or found[KEY].rows != ("row-1", "row-2", "row-3"):
            wrong.append(f"the database is not what it was: {made}")
        (entry,) = self.home.look().hold.record().pinned
        if not entry.proven or entry.refuted or not self.home.kube.objects().kustomizations["apps/pg"].ours:
            wrong.append(f"not proven, or Flux may apply Git's own over it: {entry}")
        return wrong


class HandedOver(LostDatabase):
    """The same house after that, and by now Git has the database archive elsewhere: Flux is let at it again."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self.lives.live(self.course, None)  # writes the recovery, for review
        self.lived(self.course, consent=self.consent())
        self.one = replace(self.one, writes=NEW)
        self.begin()

    def doubled(self) -> Sequence[str]:
        wrong, (entry,) = list(House.doubled(self)), self.home.look().hold.record().pinned
        now = self.home.kube.objects().kustomizations["apps/pg"]
        return wrong if entry.proven and not now.suspended else [*wrong, f"not proven, or still kept from Flux: {entry}, {now}"]


STAGES = (
    LostDatabase, HandedOver, NasHouse, DrilledClaim, LostHouse, HoldNowHouse, House, HeldHouse, TwoPlacesHouse, PushedHouse,
    AliveHouse, ReleasedHouse, LostSecrets, LostNode, SavedEtcd, StillEtcd, TriedHouse, UndoneHouse, SurvivedHouse, LockedHouse,
    PrunedHouse, StoppedHouse, StoppedThenStarted, DarkHosts, CheckpointedHouse, NeighbouredHouse, CertifiedHouse,
)  # fmt: skip
