"""The VolumeSnapshotClasses that backups name: a name that is no class's is told before anything waits for a snapshot of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bootstrap.checks.backups.snapshot_classes import checks
from cluster.course import Course
from engine.probe import Condition, Probe
from engine.step import Severity
from house.data.snapshot_classes import snapshot_classes
from house.declared.kinds import NO_KINDS
from tests.hands import is_a_command, see
from tests.house.data.test_data import rendered
from tests.scenario.running import Running

ROW = "preflight.snapshot-classes"
SOURCE = """apiVersion: volsync.backube/v1alpha1
kind: ReplicationSource
metadata: {name: notes, namespace: apps}
spec: {sourcePVC: notes, restic: {repository: notes, copyMethod: Snapshot, volumeSnapshotClassName: block}}
"""
CLASS = "apiVersion: snapshot.storage.k8s.io/v1\nkind: VolumeSnapshotClass\nmetadata: {name: block}\ndriver: csi.invalid\n"
RELEASE = """apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: ceph}
spec: {chart: {spec: {chart: cluster}}, values: VALUES}
"""
DATABASE = """apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata: {name: pg, namespace: apps}
spec: {backup: {volumeSnapshot: {className: block, walClassName: log}}}
"""


def told(house: Running, *texts: str, unseen: tuple[str, ...] = ()) -> Probe:
    house.house = replace(house.house, rendered=rendered(*texts), kinds=replace(NO_KINDS, unseen=unseen))
    return see(house, house.bootstrap, ROW)


@pytest.mark.parametrize(
    "maker",
    [CLASS, RELEASE.replace("VALUES", "{cephBlockPoolsVolumeSnapshotClass: {enabled: true, name: block}}"),
     RELEASE.replace("VALUES", "{volumeSnapshotClasses: [{name: other}, {name: block}]}"),
     RELEASE.replace("VALUES", "{csi: {snapshotClass: {name: block}}}")],
    ids=["Git", "Rook's chart", "a list of a chart", "deeper"],
)  # fmt: skip
def test_one_that_git_makes_is_well_in_a_dark_house(bare: Running, maker: str) -> None:
    assert told(bare, SOURCE, maker).condition is Condition.SATISFIED


def test_what_nobody_can_know_keeps_no_bootstrap_of_a_dark_house_waiting(bare: Running) -> None:
    house = replace(bare.house, rendered=rendered(SOURCE), kinds=replace(NO_KINDS, unseen=("a chart",)))
    before = bare.clock.monotonic()
    report = bare.apply(Course(checks=tuple(checks(house)), steps=()))
    assert report[ROW].condition is Condition.UNKNOWN
    assert bare.clock.monotonic() - before < 1.0


@pytest.mark.parametrize(
    "maker",
    [CLASS.replace("name: block", "name: blocks"),
     CLASS.replace("VolumeSnapshotClass", "StorageClass").replace("snapshot.storage", "storage"),
     RELEASE.replace("VALUES", "{cephBlockPoolsVolumeSnapshotClass: {enabled: false, name: block}}"),
     RELEASE.replace("VALUES", "{cephBlockPoolsVolumeSnapshotClass: {name: block}}"),
     RELEASE.replace("VALUES", "{backup: {volumeSnapshotClassName: block}}")],
    ids=["another name", "a storage class", "switched off", "not switched on", "no more than a name"],
)  # fmt: skip
def test_one_that_nothing_makes_is_named_with_who_names_it(bare: Running, maker: str) -> None:
    seen = told(bare, SOURCE, maker)
    assert (seen.condition, "nothing makes block" in seen.detail) == (Condition.MISSING, True)
    assert any(line.startswith("block: ReplicationSource apps/notes names it, a.yaml:") for line in seen.evidence)
    if "blocks" in maker:
        assert "block: the nearest that there is, is blocks" in seen.evidence


def test_what_nobody_rendered_may_make_it_which_is_no_yes(bare: Running) -> None:
    seen = told(bare, SOURCE, unseen=("HelmRelease storage/csi",))
    assert seen.condition is Condition.UNKNOWN
    assert "no cluster says whether it is there: no API server answers" in seen.detail


def test_a_cluster_that_lives_says_what_it_has(built: Running) -> None:
    assert told(built, SOURCE, unseen=("HelmRelease storage/csi",)).condition is Condition.UNKNOWN
    built.home.kube.objects().snapshot_classes.add("block")
    assert told(built, SOURCE, unseen=("HelmRelease storage/csi",)).condition is Condition.SATISFIED
    seen = told(built, SOURCE)
    assert (seen.condition, "nothing would bring it to a new one" in seen.detail) == (Condition.DRIFTED, True)


def test_names_of_databases_count_and_a_variable_is_left_to_others() -> None:
    found = snapshot_classes(rendered(DATABASE, SOURCE.replace("block", '"${CLASS}"')))
    assert [(one.name, one.subject) for one in found.named] == [("block", "Cluster apps/pg"), ("log", "Cluster apps/pg")]


def test_without_a_name_there_is_no_row_and_it_stops_nothing(bare: Running) -> None:
    bare.house = replace(bare.house, rendered=rendered(SOURCE.replace(", volumeSnapshotClassName: block", "")))
    assert [*checks(bare.house)] == []
    bare.house = replace(bare.house, rendered=rendered(SOURCE))
    (check,) = checks(bare.house)
    assert check.severity is Severity.ADVISORY and is_a_command(check.by_hand())
