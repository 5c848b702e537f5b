"""The crash matrix over the whole modelled house: faults at the mutations of a bootstrap, a restore and every other course.

Here a part that stands for all of it (`tests.crash.matrix.some`); `python -m tests.crash.matrices` visits every point.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from adapters.hold.results import HoldState
from adapters.surface import surfaces
from adapters.trials.results import Tried
from bootstrap.course import course as bootstrap_course
from bootstrap.new_secrets import course as secrets_course
from cluster.course import Course
from engine.approval import approve
from engine.journal import Disk
from engine.plan import Plan
from engine.report import Report
from house.model import Database
from house.model import House as HouseModel
from lab.life import Lives
from lab.world.clock import VirtualClock
from lab.world.nas import LabUser, sample_nas
from lab.world.pve_vm import LabVm, PowerEvent
from lab.world.store import a_file
from lab.world.world import World
from recovery.course import course as recovery_course
from recovery.holding import hold_course
from recovery.releasing import release_course
from recovery.steps import probe_write, prove_snapshots
from tests.builders import a_house
from tests.crash.matrix import Choose, MakeStage, Matrix, Point, explore, some
from tests.databases import KEY, OLD, a_database, a_house_with, an_archive
from tests.hands import only
from tests.rehearsal.stage import DrilledClaim
from tests.scenario.running import DATA
from tests.scenario.test_nas import a_nas_house
from tests.scenario.test_sources import NAS, two_places


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
        assert self.lives.live(bootstrap_course(self.lives.house, {})).converged
        self.clock.bury()
        self.clock.new_life()
        self.world.faults.forget()
        self.bootstrapped = len(self.world.happenings)

    @property
    def course(self) -> Course:
        return recovery_course(self.lives.house, self.lives.house.claims)

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
        claims = self.lives.house.claims
        assert self.lives.live(recovery_course(self.lives.house, claims)).converged
        self.clock.bury()
        self.clock.new_life()
        self.clock.sleep(60)
        self.old = self.home.kube.objects().claims[("apps", "notes")]
        self.old.entries = (a_file("ruined", "by a bad upgrade"),)
        self.as_of = self.clock.now() - 3000
        plan = self.plan()
        now = self.clock.now()
        self.approval = approve(
            plan.digest, acts=plan.acts, plan_digest=plan.digest, journalled=(), now=now, valid_s=86400.0
        )
        self.world.faults.forget()
        self.bootstrapped = len(self.world.happenings)

    @property
    def course(self) -> Course:
        claims = self.lives.house.claims
        # What the verb chooses: once the claim is replaced and released there is nothing left to do again.
        entry = self.home.kube.objects().record
        replaced = entry is not None and entry[("apps", "notes")].state is HoldState.RELEASED and self._replaced()
        return recovery_course(self.lives.house, claims, again=() if replaced else claims, as_of=self.as_of)

    def _replaced(self) -> bool:
        claim = self.home.kube.objects().claims.get(("apps", "notes"))
        return claim is not None and claim is not self.old

    def live(self, disk: Disk) -> Report:
        return self.lives.live(self.course, disk, self.approval)


class LostSecrets(House):
    """The same house before any bootstrap, its Talos secrets bundle lost: new ones are made, by approval."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self.home.files.bundle = ""
        plan = self.plan()
        self.approval = approve(
            plan.digest, acts=plan.acts, plan_digest=plan.digest, journalled=(), now=self.clock.now(), valid_s=86400.0
        )

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
        self.world.faults.forget()
        self.bootstrapped = len(self.world.happenings)

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
        return release_course(self.claim, "enough"), release_course(self.database, "it was a trial")

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
        assert self.lives.live(recovery_course(self.lives.house, self.lives.house.claims)).converged
        self.clock.bury()
        self.clock.new_life()
        self.clock.sleep(60)
        objects = self.home.kube.objects()
        self.good = [s.snapshot_id for s in self.home.store.repositories[self.address].snapshots]
        del objects.claims[("apps", "notes")], objects.destinations[("apps", "notes-bootstrap")], objects.sources[("apps", "notes")]
        # Later than any second life begins: once VolSync has filled it unseen, only consent replaces what stands there.
        self.world.after(400, "flux makes it again", lambda: self.home.flux.apply_again(objects, "apps/notes"))
        # As it is while Flux is at it: what is not there yet is on its way.
        objects.kustomizations["apps/notes"] = replace(objects.kustomizations["apps/notes"], reconciling=True)
        self.world.faults.forget()
        self.bootstrapped = len(self.world.happenings)

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
        assert self.lives.live(recovery_course(self.lives.house, self.lives.house.claims)).converged
        self.clock.bury()
        self.clock.new_life()
        self.clock.sleep(60)
        source = self.home.kube.objects().sources[("apps", "notes")]
        source.wanted = True
        self.home.act("before").claims.nudge("ReplicationSource", "apps", "notes")
        self.world.faults.forget()
        self.bootstrapped = len(self.world.happenings)

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
        plan = self.plan()
        if plan.acts:
            now = self.clock.now()
            given = approve(plan.digest, acts=plan.acts, plan_digest=plan.digest, journalled=(), now=now, valid_s=600.0)
            report = self.lives.live(self.course, disk, given)
        return report

    def doubled(self) -> Sequence[str]:
        wrong, found = list(House.doubled(self)), self.home.kube.objects().clusters
        made = [h.what for h in self.world.happenings if h.what.startswith("makes apps/pg")]
        if len(made) > 1 or found[KEY].rows != ("row-1", "row-2", "row-3"):
            wrong.append(f"the database is not what it was: {made}")
        (entry,) = self.home.look().hold.record().pinned
        if not entry.proven or entry.refuted or not self.home.kube.objects().kustomizations["apps/pg"].ours:
            wrong.append(f"not proven, or Flux may apply Git's own over it: {entry}")
        return wrong


STAGES = (
    LostDatabase, NasHouse, DrilledClaim, LostHouse, HoldNowHouse, House, HeldHouse, TwoPlacesHouse, PushedHouse, AliveHouse,
    ReleasedHouse,
    LostSecrets, TriedHouse,
)  # fmt: skip


def _of_claims(points: Sequence[Point]) -> Sequence[Point]:
    """What is done to claims and their movers alone: all else is met in the other stages."""
    return some([point for point in points if point.place.startswith("claims.")])


CHOICES: dict[object, Choose] = {TwoPlacesHouse: _of_claims}


@pytest.fixture(scope="module")
def matrices(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Matrix]:
    """What stands for the matrix of every stage: explored once for all tests of this module."""
    folder = tmp_path_factory.mktemp("matrices")
    return {
        stage.__name__: explore(cast("MakeStage", stage), folder / stage.__name__, choose=CHOICES.get(stage, some))
        for stage in STAGES
    }


@pytest.mark.parametrize("stage", [stage.__name__ for stage in STAGES])
def test_faults_at_every_mutation_converge_and_double_nothing(
    stage: str, matrices: dict[str, Matrix], capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print(f"\n{stage}: {matrices[stage]}")  # noqa: T201 - the count is part of the proof
    assert matrices[stage].points > 0
    assert matrices[stage].failures == []


def test_every_mutating_method_of_every_port_is_met(matrices: dict[str, Matrix]) -> None:
    met = {name for matrix in matrices.values() for name in matrix.met}
    known = {f"{port.name}.{name}" for port in surfaces().values() for name in port.mutations}
    assert known - met == set()
