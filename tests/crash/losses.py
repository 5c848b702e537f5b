"""Stages of a house of which a part is lost: a node that is made anew."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bootstrap.replace_node import course as replacement
from cluster.course import Course
from engine.approval import approve
from engine.journal import Disk
from engine.report import Report
from house.model import House as HouseModel
from lab.world.pve_vm import PowerEvent
from tests.crash.stages import HeldHouse
from tests.scenario.test_replace_node import spendable


class LostNode(HeldHouse):
    """A built house, one control plane's VM dead: it is given up and made anew, by approval."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self.home.look().cluster.nodes()
        self.home.proxmox.power(self.home.proxmox.vms[8002], PowerEvent.STOPPED)
        self.clock.sleep(60)
        plan = self.plan()
        self.approval = approve(
            plan.digest, acts=plan.acts, plan_digest=plan.digest, journalled=(), now=self.clock.now(), valid_s=86400.0
        )
        self.world.faults.forget()
        self.bootstrapped = len(self.world.happenings)

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



