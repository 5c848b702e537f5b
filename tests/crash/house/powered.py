"""Stages of a house that is switched off, or saved at rest: cut off anywhere it comes to that, or comes back as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bootstrap.power import start_course, stop_course
from cluster.course import Course
from cluster.machines.parting import parting
from engine.journal import Disk
from engine.report import Report
from house.model import House as HouseModel
from lab.world.cluster.databases import Commit, StoredDatabase, number_of
from lab.world.cluster.rook import LabRook
from lab.world.nas import LabUser, sample_nas
from lab.world.store import a_file
from recovery.course import course as recovery_course
from recovery.courses.checkpoint import checkpoint_course
from tests.crash.house.stages import HeldHouse, House
from tests.databases import KEY as DATABASE
from tests.databases import OLD, a_database, a_house_with, an_archive
from tests.hands import only
from tests.scenario.faults.test_nas import a_nas_house

KEY = ("apps", "notes")
MINE = (a_file("notes/one.md", "written this morning"),)


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
    """The same with a database and Rook's Ceph, on again by whoever comes back later: as it was, whatever of it was done."""

    begun = False

    def given(self) -> HouseModel:
        return a_house_with(a_database(recovers=True))

    def furnish(self) -> None:
        self.home.store.databases[OLD] = an_archive(self.clock.now())

    def settle(self) -> None:
        self.rook = LabRook.healthy(self.clock.now())
        self.rook.flags.add("nodeep-scrub")  # by somebody else
        self.home.kube.objects().rook.append(self.rook)

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
        if self.rook.flags != {"nodeep-scrub"} or self.rook.marked:
            wrong.append(f"Ceph's flags are not as they were: {self.rook.flags}, ours {self.rook.marked}")
        if objects.resting or objects.kustomizations["apps/notes"].suspended or not objects.claims[KEY].app_ready:
            wrong.append("the application is not as it was")
        database = objects.clusters[DATABASE]
        if database.asleep or database.to_sleep or database.rows != ("row-1", "row-2", "row-3"):
            wrong.append(f"the database is not as it was: {database}")
        return wrong


class CheckpointedHouse(HeldHouse):
    """The same house with a database, restored, alive and written to since: all of it is saved at rest, by approval."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder / "state"
        super().__init__(folder, seed)
        self.lived(recovery_course(self.lives.house, self.lives.house.claims))
        self.home.kube.objects().claims[KEY].entries = MINE
        self.archives()
        self.lives.house.state_dir.mkdir(parents=True, exist_ok=True)
        (self.lives.house.state_dir / "kubeconfig").touch()  # a cluster that is there is asked for its claims
        self.approval = self.consent()
        self.begin()

    def given(self) -> HouseModel:
        return replace(a_house_with(a_database(recovers=True)), state_dir=self.folder)

    def furnish(self) -> None:
        self.home.store.databases[OLD] = an_archive(self.clock.now())

    def archives(self) -> None:
        """A base backup of the database was made since, and its log is archived up to half of what it has written."""
        self.database = self.home.kube.objects().clusters[DATABASE]
        assert self.database.reached is not None
        first = Commit(self.clock.now() - 600, self.database.reached.lsn // 2, "row-1")
        self.home.store.databases[self.database.writes] = StoredDatabase(
            self.database.reached.system_id, (first,), self.database.reached.timeline
        )

    @property
    def course(self) -> Course:
        return checkpoint_course(self.lives.house, {})

    def live(self, disk: Disk) -> Report:
        return self.lives.live(self.course, disk, self.approval)

    def doubled(self) -> Sequence[str]:
        wrong, claim = list(House.doubled(self)), self.lives.house.claims[0]
        saved = self.home.store.repositories[claim.mover_repository].snapshots[-1]
        if saved.entries != MINE:
            wrong.append("the newest snapshot is not what the application wrote last")
        wrong += self.unsaved()
        return wrong if KEY in self.home.kube.objects().resting else [*wrong, "the application runs"]

    def unsaved(self) -> Sequence[str]:
        """What of the database's log is in no archive, or may not be, in words."""
        one, archive = self.database, self.home.store.databases[self.database.writes]
        if not one.asleep or one.reached is None or one.left is None or archive.ended is None:
            return [f"the database has not ended with its log archived: {one}"]
        segment, closed = archive.ended
        if one.left.lsn != one.reached.lsn or segment < number_of(one.reached.lsn) or closed < one.left.time:
            return [f"the archive ends before the database did: {archive.ended}, {one}"]
        return []


class DarkHosts(House):
    """A house whose nodes are off, and a NAS that is a VM: its hosts go off too, by approval, until none answers; then a hand
    switches the first on, and one that nobody can wake, and all of them come back."""

    was_dark = False

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self.approval = self.consent()

    def given(self) -> HouseModel:
        house = a_nas_house()
        return replace(house, claims=house.claims[:1], flux_apps=house.flux_apps[:-1])

    def furnish(self) -> None:
        self.home.plug_nas(sample_nas(self.clock.now(), LabUser("blackstart", "3-key")), 105, "pve-2")
        for host in self.home.proxmox.hosts.values():
            host.wake_mac = "" if host.name == "pve-3" else "02:00:00:00:00:01"

    @property
    def course(self) -> Course:
        house = self.lives.house
        if not self.was_dark:
            return stop_course(house, parting(self.home.look(), house))
        return only(start_course(house, self.left_open(), hosts=True), "start.hosts", "stop.", "nas.", "proxmox.lift", "preflight.")

    def live(self, disk: Disk) -> Report:
        if not self.was_dark:
            if self.home.proxmox.online:
                report = self.lives.live(self.course, disk, self.approval)
                if self.home.proxmox.online:
                    return report
            self.was_dark = True
        for name in ("pve-1", "pve-3"):
            if not self.home.proxmox.hosts[name].online:
                self.home.proxmox.host_up(name)
        return self.lives.live(self.course, disk)

    def doubled(self) -> Sequence[str]:
        hosts = self.home.proxmox.hosts.values()
        wrong = [f"{host.name} is off" for host in hosts if not host.online]
        since = [h.what for h in self.world.happenings]
        wrong += [f"{host.name} went off {count} times" for host in hosts if (count := since.count(f"host {host.name} off")) != 1]
        if since.index("VM 105 stopped") > since.index("host pve-2 off"):
            wrong.append("the NAS went off with its host")
        return wrong if self.home.proxmox.vms[105].running else [*wrong, "the NAS is off"]
