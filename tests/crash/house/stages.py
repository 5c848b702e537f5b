"""What the crash matrix is played over: a modelled house in each of its courses, and what must be true of it at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from adapters.hold.results import HoldState
from bootstrap.course import course as bootstrap_course
from bootstrap.new_secrets import course as secrets_course
from cluster.course import Course
from engine.approval import Approval, approve
from engine.journal import Disk, read_state
from engine.plan import Plan
from engine.report import Report
from house.model import BackedUpClaim
from house.model import House as HouseModel
from house.values.databases import Database
from lab.modelled.life import Lives
from lab.world.clock import VirtualClock
from lab.world.store import a_file
from lab.world.world import World
from recovery.course import course as recovery_course
from recovery.courses.holding import hold_course
from recovery.courses.releasing import release_course
from tests.builders import a_house
from tests.scenario.restore.test_sources import NAS, two_places
from tests.scenario.running import DATA


class House:
    """A stage of the matrix: one modelled house, its backups an hour old, and the course that is run to its end."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.lives = Lives(folder, self.given(), seed)
        self.home = self.lives.home
        self.furnish()
        for claim in self.lives.house.claims:
            self.home.seed_backup(claim.mover_repository, DATA)
        self.pin = ""

    def given(self) -> HouseModel:
        """Which house it is."""
        return a_house()

    def furnish(self) -> None:
        """What stands in it from the beginning."""

    @property
    def claims(self) -> tuple[BackedUpClaim, ...]:
        """Whose data the course is about."""
        return self.lives.house.claims

    @property
    def world(self) -> World:
        return self.home.world

    @property
    def clock(self) -> VirtualClock:
        return self.lives.clock

    @property
    def course(self) -> Course:
        return bootstrap_course(self.lives.house, {})

    def live(self, disk: Disk) -> Report:
        return self.lives.live(self.course, disk)

    def plan(self) -> Plan:
        return self.lives.plan(self.course)

    def consent(self, course: Course | None = None) -> Approval | None:
        """To all that a plan of now asks consent for, None where that is nothing."""
        plan = self.lives.plan(course if course is not None else self.course)
        if not plan.acts:
            return None
        now = self.clock.now()
        return approve(plan.digest, acts=plan.acts, plan_digest=plan.digest, journalled=(), now=now, valid_s=86400.0)

    def left_open(self) -> Sequence[str]:
        return tuple(read_state(self.lives.folder, lineage=self.lives.house.id).in_flight)

    def doubled(self) -> Sequence[str]:
        """Four VMs of ours and no other, one etcd, one backup as it was."""
        wrong = []
        vms = sorted(self.home.proxmox.vms)
        if vms != sorted(node.vm_id for node in self.lives.house.nodes):
            wrong.append(f"VMs: {vms}")
        made = Counter(h.what for h in self.world.happenings if " created on " in h.what)
        wrong += [f"{what}: {count} times" for what, count in made.items() if count > 1]
        clusters = {
            machine.etcd_dir.cluster.cluster_id
            for machine in self.home.talos.machines.values()
            if machine.etcd_dir is not None and machine.etcd_dir.cluster is not None
        }
        if len(clusters) != 1:
            wrong.append(f"{len(clusters)} etcd clusters")
        for repository in self.home.store.repositories.values():
            if repository.snapshots[0].entries != DATA:
                wrong.append("the backup is not what it was")
        return wrong


class HeldHouse(House):
    """The same house after a clean bootstrap: the restore is what meets the faults."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self.lived(bootstrap_course(self.lives.house, {}), later_s=0.0)
        self.settle()
        self.begin()

    def settle(self) -> None:
        """Who moves in before anything else happens."""

    def lived(self, course: Course, *, consent: Approval | None = None, later_s: float = 60.0) -> None:
        """This course has come to its end, by a process of its own, and some time has passed since."""
        assert self.lives.live(course, None, consent).converged
        self.clock.bury()
        self.clock.new_life()
        self.clock.sleep(later_s)

    def begin(self) -> None:
        """From here on faults are met, and what happens is the course's."""
        self.world.faults.forget()
        self.bootstrapped = len(self.world.happenings)

    @property
    def course(self) -> Course:
        return recovery_course(self.lives.house, self.claims)

    def doubled(self) -> Sequence[str]:
        wrong = list(super().doubled())
        restored = Counter(h.what for h in self.world.happenings[self.bootstrapped :] if h.what.startswith("restores"))
        wrong += [f"{what}: {count} times" for what, count in restored.items() if count > 1]
        if self.home.kube.objects().claims[("apps", "notes")].entries != DATA:
            wrong.append("the claim's data are not what was backed up")
        return wrong


class TwoPlacesHouse(HeldHouse):
    """The same house whose claim has a NAS beside its bucket, with something newer on it: its destination is turned to that."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self.home.seed_backup(NAS, DATA, 600)

    def given(self) -> HouseModel:
        return two_places()

    def doubled(self) -> Sequence[str]:
        wrong = list(super().doubled())
        there = self.home.look().claims.destination("apps", "notes-bootstrap")
        if (there.repository, there.instead_of, there.restore_as_of) != ("notes-volsync-secret", "", ""):
            wrong.append(f"the destination is not as Git has it: {there}")
        record = self.home.kube.objects().record
        if record is None or record[("apps", "notes")].origin != "notes-nas":
            wrong.append("it was not restored from the NAS")
        return wrong


class PushedHouse(HeldHouse):
    """The same house after its bootstrap, and Git has moved on since: the next bootstrap has Flux fetch it."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self.home.kube.git_commit = "c0ffee0000000000000000000000000000000002"

    @property
    def course(self) -> Course:
        return bootstrap_course(self.lives.house, {})

    def doubled(self) -> Sequence[str]:
        return House.doubled(self)


class AliveHouse(HeldHouse):
    """The same house with its claim restored and alive, to be restored once more over what is in it, by approval."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self.lived(recovery_course(self.lives.house, self.claims))
        self.old = self.home.kube.objects().claims[("apps", "notes")]
        self.old.entries = (a_file("ruined", "by a bad upgrade"),)
        self.as_of = self.clock.now() - 3000
        self.approval = self.consent()
        self.begin()

    @property
    def course(self) -> Course:
        claims = self.claims
        return recovery_course(self.lives.house, claims, again=() if self.is_replaced() else claims, as_of=self.as_of)

    def is_replaced(self) -> bool:
        """As the verb looks: once the claim is replaced and released there is nothing left to do again."""
        record, claim = self.home.kube.objects().record, self.home.kube.objects().claims.get(("apps", "notes"))
        released = record is not None and record[("apps", "notes")].state is HoldState.RELEASED
        return released and claim is not None and claim is not self.old

    def live(self, disk: Disk) -> Report:
        return self.lives.live(self.course, disk, self.approval)


class LostSecrets(House):
    """The same house before any bootstrap, its Talos secrets bundle lost: new ones are made, by approval."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self.home.files.bundle = ""
        self.approval = self.consent()

    @property
    def course(self) -> Course:
        return secrets_course(self.lives.house)

    def live(self, disk: Disk) -> Report:
        return self.lives.live(self.course, disk, self.approval)

    def doubled(self) -> Sequence[str]:
        made = self.home.files.bundles_made
        return [] if made == 1 else [f"{made} bundles were made"]


class ReleasedHouse(HeldHouse):
    """The same house in the middle of a replacement, which is then lifted by hand, and a database that is accepted by hand."""

    database = Database("apps", "postgres", "apps/notes", archives=True, recovers=False, declared_in="kubernetes/apps/db.yaml:1")

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self.claim = self.lives.house.claims[0]
        assert self.lives.live(recovery_course(self.lives.house, (self.claim,))).converged
        objects, act = self.home.kube.objects(), self.home.act("before")
        assert objects.record is not None
        entry = objects.record[("apps", "notes")]
        there, uid = objects.destinations[("apps", "notes-bootstrap")], objects.claims[("apps", "notes")].uid
        assert there.image is not None
        objects.record[("apps", "notes")] = replace(entry, state=HoldState.PROVEN, image=there.image.name, replaces=uid)
        there.restore_as_of, there.ours = entry.pin, True
        act.flux.suspend("apps", "notes", on=True)
        act.cluster.rest(act.cluster.workloads("apps", "notes")[0])
        self.clock.bury()
        self.clock.new_life()
        self.clock.sleep(60)
        self.begin()

    @property
    def course(self) -> Course:
        return bootstrap_course(self.lives.house, {})

    def live(self, disk: Disk) -> Report:
        """As a person types it: one after the other, and the second only when the first has ended well."""
        for course in self.released:
            report = self.lives.live(course, disk)
            if not report.converged:
                break
        self.clock.sleep(60)
        return report

    @property
    def released(self) -> tuple[Course, Course]:
        """The courses of the verb, for the claim and for the database."""
        house = self.lives.house
        return release_course(house, self.claim, "enough"), release_course(house, self.database, "it was a trial")

    def _stopped(self) -> bool:
        (entry,) = self.home.look().hold.record().claims
        return entry.state is not HoldState.RELEASED or self.home.kube.objects().destinations[("apps", "notes-bootstrap")].ours

    def doubled(self) -> Sequence[str]:
        wrong, objects = list(super().doubled()), self.home.kube.objects()
        if not objects.claims[("apps", "notes")].app_ready:
            wrong.append("the application does not run")
        if objects.kustomizations["apps/notes"].suspended or self._stopped():
            wrong.append("something of the replacement is left")
        if set(objects.databases) != {("apps", "postgres")}:
            wrong.append("the database was not accepted")
        wrong += [f"{line.id} {line.verdict.value}" for course in self.released for line in self.lives.plan(course).changes]
        return wrong


class LostHouse(HeldHouse):
    """The same house, restored and released, whose claim was lost while etcd lives: the restore holds it anew first."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self.lived(recovery_course(self.lives.house, self.lives.house.claims))
        objects = self.home.kube.objects()
        self.good = [s.snapshot_id for s in self.home.store.repositories[self.address].snapshots]
        del objects.claims[("apps", "notes")], objects.destinations[("apps", "notes-bootstrap")], objects.sources[("apps", "notes")]
        # Later than any second life begins: once VolSync has filled it unseen, only consent replaces what stands there.
        self.world.after(400, "flux makes it again", lambda: self.home.flux.apply_again(objects, "apps/notes"))
        # As it is while Flux is at it: what is not there yet is on its way.
        now = objects.kustomizations["apps/notes"]
        objects.kustomizations["apps/notes"] = replace(now, reconciling=True, reason="Progressing")
        self.begin()

    @property
    def address(self) -> str:
        return self.lives.house.claims[0].mover_repository

    def doubled(self) -> Sequence[str]:
        wrong = list(super().doubled())
        there = [s.snapshot_id for s in self.home.store.repositories[self.address].snapshots]
        return [*wrong, *(f"good snapshot {good} is gone" for good in self.good if good not in there)]


class HoldNowHouse(HeldHouse):
    """The same house with its claim alive and a backup of it at work: it is held now."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self.lived(recovery_course(self.lives.house, self.lives.house.claims))
        source = self.home.kube.objects().sources[("apps", "notes")]
        source.wanted = True
        self.home.act("before").claims.nudge("ReplicationSource", "apps", "notes")
        self.begin()

    @property
    def course(self) -> Course:
        return hold_course(self.lives.house, self.lives.house.claims, {})

    def doubled(self) -> Sequence[str]:
        wrong, objects = list(super().doubled()), self.home.kube.objects()
        (entry,) = self.home.look().hold.record().claims
        if (entry.state, entry.uid) != (HoldState.HELD, objects.claims[("apps", "notes")].uid):
            wrong.append(f"not held: {entry}")
        if objects.sources[("apps", "notes")].running or not objects.claims[("apps", "notes")].app_ready:
            wrong.append("a backup is at work, or the application was stopped")
        return wrong
