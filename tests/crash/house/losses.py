"""Stages of a house of which a part is lost: a node that is made anew, an etcd that is saved, and one that is made again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bootstrap.checks.etcd.recoverable import newest
from bootstrap.recover_etcd import course as recovery
from bootstrap.recover_etcd import saving
from bootstrap.replace_node import course as replacement
from cluster.course import Course
from engine.journal import Disk
from engine.report import Report
from house.model import House as HouseModel
from lab.world.pve.vm import PowerEvent
from tests.crash.house.stages import HeldHouse
from tests.scenario.loss.test_replace_node import spendable


class LostNode(HeldHouse):
    """A built house, one control plane's VM dead: it is given up and made anew, by approval."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self.home.look().cluster.nodes()
        self.home.proxmox.power(self.home.proxmox.vms[8002], PowerEvent.STOPPED)
        self.clock.sleep(60)
        self.approval = self.consent()
        self.begin()

    def given(self) -> HouseModel:
        return spendable()

    @property
    def course(self) -> Course:
        return replacement(self.lives.house, self.lives.house.node("cp-2"))

    def live(self, disk: Disk) -> Report:
        return self.lives.live(self.course, disk, self.approval)

    def doubled(self) -> Sequence[str]:
        since = [h.what for h in self.world.happenings[self.bootstrapped :]]
        wrong = []
        for what, count in (("VM 8002 created on pve-2", 1), ("Node cp-2 deleted", 1), ("made a new cluster", 0)):
            found = sum(what in one for one in since)
            if found != count:
                wrong.append(f"{what}: {found} times")
        (etcd,) = self.home.talos.etcd.clusters
        if sorted(one.hostname for one in etcd.voters()) != ["cp-1", "cp-2", "cp-3"]:
            wrong.append(f"etcd has {[one.hostname for one in etcd.members.values()]}")
        if sorted(self.home.proxmox.vms) != sorted(node.vm_id for node in self.lives.house.nodes):
            wrong.append(f"VMs: {sorted(self.home.proxmox.vms)}")
        dark = [what for what in since if "dark" in what and "bc:24:11:00:00:02" not in what]
        return [*wrong, *(f"a neighbour went down: {what}" for what in dark)]


class SavedEtcd(HeldHouse):
    """A built house whose etcd works: it is saved."""

    @property
    def course(self) -> Course:
        return saving(self.lives.house)

    def doubled(self) -> Sequence[str]:
        kept = self.home.look().etcd.kept()
        return [] if kept and all(one.sound and one.hashed for one in kept) else [f"kept: {kept}"]


class StillEtcd(HeldHouse):
    """The same house, two control planes gone: etcd is made again from the copy off the third one's disk, by approval."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self.home.kube.objects().namespaces.add("since-the-beginning")
        for vm_id in (8002, 8003):
            self.home.proxmox.power(self.home.proxmox.vms[vm_id], PowerEvent.STOPPED)
            self.home.proxmox.remove(self.home.proxmox.vms[vm_id])
        self.clock.sleep(60)
        assert self.lives.live(saving(self.lives.house)).exit_code in (0, 30)
        self.clock.bury()
        self.clock.new_life()
        self.approval = self.consent()
        self.begin()

    def given(self) -> HouseModel:
        return spendable()

    @property
    def course(self) -> Course:
        return recovery(self.lives.house, newest(self.home.look().etcd.kept()), self.lives.house.bootstrap_node)

    def live(self, disk: Disk) -> Report:
        return self.lives.live(self.course, disk, self.approval)

    def doubled(self) -> Sequence[str]:
        since = [h.what for h in self.world.happenings[self.bootstrapped :]]
        begun = sum("made a new cluster" in what for what in since)
        wrong = [] if begun == 1 else [f"etcd was begun {begun} times"]
        made = self.home.talos.etcd.clusters[-1]
        if sorted(one.hostname for one in made.voters()) != ["cp-1", "cp-2", "cp-3"]:
            wrong.append(f"etcd has {[one.hostname for one in made.members.values()]}")
        if "since-the-beginning" not in self.home.kube.objects().namespaces:
            wrong.append("the cluster does not hold what the snapshot holds")
        return wrong
