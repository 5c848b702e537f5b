"""A stage of a rebuilt cluster whose claim had a volume that the loss did not reach: looked at, and brought back where it wins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cluster.course import Course
from engine.journal import Disk
from engine.report import Report
from house.known.inventory import VolumeRecord
from lab.world.cluster.volumes import Outlived
from lab.world.store import a_file
from recovery.courses.surviving import looking_course, with_survivors
from recovery.points.survivors import Survivor, winners
from tests.crash.house.stages import HeldHouse, House
from tests.scenario.running import DATA

KEY = ("apps", "notes")
VOLUME = VolumeRecord(
    "pvc-before", "apps/notes", "nfs.csi.k8s.io", "nas.lan#tank#notes", "1Gi", "lab", "Delete", ("ReadWriteOnce",), "Filesystem"
)


class SurvivedHouse(HeldHouse):
    """The same house after its bootstrap, a volume of the cluster before lying on a NAS with what no backup has."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        late = replace(a_file("notes/three.md", "never backed up"), mtime_ns=int(self.clock.now() * 1e9))
        self.data = (*DATA, late)
        self.home.kube.outlived[VOLUME.handle] = Outlived(self.data)

    @property
    def looking(self) -> Course:
        """What dr.survivors makes: a claim that has a volume again has no survivor."""
        house, claim = self.lives.house, self.home.kube.objects().claims.get(KEY)
        found = () if claim is not None and claim.bound else (Survivor(house.claims[0], VOLUME, self.clock.now()),)
        return looking_course(house, found, {})

    @property
    def course(self) -> Course:
        """What dr.restore makes then."""
        look, claims = self.home.look(), self.claims
        won = winners(look, claims)
        return with_survivors(Course((), ()), look, self.lives.house, claims, won, self.left_open(), 0.0)

    def live(self, disk: Disk) -> Report:
        report = self.lives.live(self.looking, disk)
        if not report.converged:
            return report
        report = self.lives.live(self.course, disk)
        self.clock.sleep(60)
        return report

    def doubled(self) -> Sequence[str]:
        wrong, objects = list(House.doubled(self)), self.home.kube.objects()
        claim = objects.claims[KEY]
        if (claim.entries, claim.bound_to, claim.app_ready) != (self.data, VOLUME.name, True):
            wrong.append(f"it is not what it was: {claim}")
        if objects.kept or set(objects.claims) != {(one.namespace, one.claim) for one in self.lives.house.claims}:
            wrong.append(f"left: {list(objects.kept)}, {list(objects.claims)}")
        if self.home.kube.outlived[VOLUME.handle].entries != self.data:
            wrong.append("the volume was written to")
        return wrong
