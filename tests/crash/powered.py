"""Stages of a house that is switched off on purpose: cut off anywhere it goes off all the same, or comes back as it was."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bootstrap.power import start_course, stop_course
from cluster.course import Course
from engine.journal import Disk
from engine.report import Report
from recovery.course import course as recovery_course
from tests.crash.stages import HeldHouse, House

KEY = ("apps", "notes")


class StoppedHouse(HeldHouse):
    """The same house, restored and alive: it is switched off, by approval."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self.lived(recovery_course(self.lives.house, self.lives.house.claims))
        self.approval = self.consent()
        self.begin()

    @property
    def course(self) -> Course:
        return stop_course(self.lives.house)

    def live(self, disk: Disk) -> Report:
        return self.lives.live(self.course, disk, self.approval)

    def doubled(self) -> Sequence[str]:
        wrong = list(House.doubled(self))
        on = [vm.vm_id for vm in self.home.proxmox.vms.values() if vm.running]
        since = [h.what for h in self.world.happenings[self.bootstrapped :]]
        wrong += [f"VM {vm_id} runs" for vm_id in on]
        off = [what for what in since if what.endswith(" stopped")]
        return wrong if off[:1] == ["VM 8004 stopped"] else [*wrong, f"the worker was not the first: {off}"]


class StoppedThenStarted(StoppedHouse):
    """The same, on again by whoever changed his mind, or comes back later: as it was, whatever of the stop was done."""

    begun = False

    @property
    def course(self) -> Course:
        return start_course(self.lives.house) if self.begun else stop_course(self.lives.house)

    def live(self, disk: Disk) -> Report:
        if not self.begun:
            self.begun = True
            self.lives.live(stop_course(self.lives.house), disk, self.approval)
        return self.lives.live(start_course(self.lives.house, self.left_open()), disk)

    def doubled(self) -> Sequence[str]:
        wrong, objects = list(House.doubled(self)), self.home.kube.objects()
        wrong += [f"VM {vm.vm_id} is off" for vm in self.home.proxmox.vms.values() if not vm.running]
        if objects.resting or objects.kustomizations["apps/notes"].suspended or not objects.claims[KEY].app_ready:
            wrong.append("the application is not as it was")
        return wrong
