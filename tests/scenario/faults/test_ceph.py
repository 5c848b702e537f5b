"""What stands under the data is looked at: each fault of a Ceph turns its own rows red, and stops what is restored onto it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.kubernetes.results import StorageClass
from cluster.course import Course
from cluster.storage.ceph.check import ceph_checks
from cluster.storage.under import gates
from engine.errors import EXIT_OK, EXIT_STEP_FAILED, PreflightRefused
from engine.report import Outcome, Report
from house.data.nouns import DeclaredData, Holder, Keeps
from lab.troubles.ceph import CEPH_TROUBLES, CephTrouble
from lab.troubles.rook import ROOK_TROUBLES, RookTrouble
from lab.world.cluster.ceph import FSID, LabCeph
from lab.world.cluster.rook import NAMESPACE, LabRook, classes
from tests.scenario.running import Running

ON_HOSTS, FILES = "storage.ceph/proxmox", "storage.ceph/proxmox.cephfs"
IN_ROOK, ROOK_FILES = f"storage.ceph/{NAMESPACE}", f"storage.ceph/{NAMESPACE}.cephfs"
CLAIM = "apps/notes"


@pytest.fixture
def house(held_house: Running) -> Running:
    """A house after its bootstrap, one claim held; its hosts have a Ceph, and Rook another."""
    held_house.home.proxmox.ceph = LabCeph.on(held_house.home.proxmox.hosts)
    held_house.home.kube.objects().rook.append(LabRook.healthy(held_house.clock.now()))
    return held_house


def rook(house: Running) -> LabRook:
    return house.home.kube.objects().rook[0]


def hosts_ceph(house: Running) -> LabCeph:
    assert house.home.proxmox.ceph is not None
    return house.home.proxmox.ceph


def verified(house: Running) -> Report:
    """As `cluster.verify` does: what is there is looked for first."""
    return house.verify(house.bootstrap.with_checks(ceph_checks(house.home.look())))


def red(report: Report) -> list[str]:
    return sorted(step.id for step in report.steps if step.outcome is Outcome.FAILED)


def restoring(house: Running) -> Course:
    """As `dr.restore` makes it."""
    return house.restore.with_checks(gates(house.home.look(), house.house, house.house.claims))


def on(house: Running, found: StorageClass) -> None:
    """The claim's class is this one, the default, as it will be of a claim that is not there yet."""
    objects = house.home.kube.objects()
    objects.storage_classes = {found.name: replace(found, default=True)}
    for claim in objects.claims.values():
        claim.storage_class = found.name


HOSTED = StorageClass("proxmox-rbd", "rbd.csi.ceph.com", (("clusterID", FSID), ("pool", "rbd")))
HOSTED_FILES = StorageClass("proxmox-cephfs", "cephfs.csi.ceph.com", (("clusterID", FSID), ("fsName", "cephfs")))
ROOK_BLOCK, ROOK_FS = classes()


def test_a_house_without_a_ceph_has_no_row_of_it(held_house: Running) -> None:
    assert not list(ceph_checks(held_house.home.look()))
    assert not gates(held_house.home.look(), held_house.house, held_house.house.claims)


def test_before_there_is_a_cluster_only_what_the_hosts_have_is_looked_for(empty_house: Running) -> None:
    assert not list(ceph_checks(empty_house.home.look()))
    empty_house.home.proxmox.ceph = LabCeph.on(empty_house.home.proxmox.hosts)
    assert [one.id for one in ceph_checks(empty_house.home.look())] == [ON_HOSTS, FILES]


def test_healthy_ones_are_told_with_what_could_not_be_seen(house: Running) -> None:
    report = verified(house)
    assert red(report) == []
    assert {step.id for step in report.steps if step.id.startswith("storage.")} == {ON_HOSTS, FILES, IN_ROOK, ROOK_FILES}
    assert "4 up and in" in report[ON_HOSTS].detail
    assert "not seen: placement groups" in report[IN_ROOK].detail


def test_the_class_of_a_claim_is_that_of_no_mount_of_its_name(house: Running) -> None:
    """Git alone tells the class of a claim that is not in the cluster yet."""
    objects = house.home.kube.objects()
    objects.storage_classes = {HOSTED.name: HOSTED}
    objects.claims.clear()
    (claim, *_) = house.house.claims
    its = Holder(claim.namespace, claim.claim, Keeps.CLAIM, "1Gi", HOSTED.name, "a.yaml:1")
    mount = Holder(claim.namespace, claim.claim, Keeps.NFS, "", "nas:/tank", "a.yaml:9")
    found = replace(house.house, data=DeclaredData(holders=(its, mount)))
    assert f"storage.under/{claim.key}" in [one.id for one in gates(house.home.look(), found, (claim,))]


@pytest.mark.parametrize("trouble", CEPH_TROUBLES.values(), ids=list(CEPH_TROUBLES))
def test_each_trouble_of_the_hosts_ceph_turns_its_own_rows_red(house: Running, trouble: CephTrouble) -> None:
    trouble.begin(hosts_ceph(house))
    pve = house.home.proxmox
    if trouble.says:
        assert hosts_ceph(house).status("pve-1", pve.online)["health"]["status"] == trouble.says
    report = verified(house)
    own = red(report)
    if not trouble.stops:
        assert own == [], [(step.id, step.detail) for step in report.steps if step.id in own]
        return
    assert own == [FILES if trouble.cephfs else ON_HOSTS], [(step.id, step.detail) for step in report.steps if step.id in own]
    assert all(set(step.blocked_by) == {ON_HOSTS} for step in report.steps if step.outcome is Outcome.BLOCKED)
    cause = report[own[0]].error
    assert cause is not None
    assert len(cause.what) > 20


def test_ten_troubles_have_names_and_half_of_them_leave_ceph_saying_ok() -> None:
    stopping = [trouble for trouble in CEPH_TROUBLES.values() if trouble.stops]
    assert len(stopping) >= 14
    assert sum(trouble.says == "HEALTH_OK" for trouble in stopping) * 2 >= 10


@pytest.mark.parametrize("trouble", ROOK_TROUBLES.values(), ids=list(ROOK_TROUBLES))
def test_each_trouble_of_rooks_ceph_turns_its_own_row_red(house: Running, trouble: RookTrouble) -> None:
    trouble.begin(rook(house), house.clock.now() - trouble.age_s)
    assert (rook(house).cluster.health == "HEALTH_OK") is trouble.well
    report = verified(house)
    row = ROOK_FILES if trouble.cephfs else IN_ROOK
    assert red(report) == [row], [(step.id, step.detail) for step in report.steps if step.id.startswith("storage.")]


def test_when_the_hosts_do_not_answer_their_ceph_is_a_consequence(house: Running) -> None:
    for host in house.home.proxmox.hosts:
        house.home.proxmox.host_down(host)
    report = verified(house)
    assert ON_HOSTS not in red(report)
    assert report[ON_HOSTS].outcome is Outcome.BLOCKED


# Restores.


def refused(house: Running, found: StorageClass, rows: tuple[str, ...]) -> Report:
    """The restore of a claim of this class, which stops at exactly these rows before anything was changed."""
    on(house, found)
    house.home.world.faults.forget()
    report = house.apply(restoring(house))
    assert report.exit_code in (EXIT_STEP_FAILED, PreflightRefused.exit_code)
    assert tuple(step.id for step in report.root_causes) == rows, [(step.id, step.detail) for step in report.root_causes]
    assert report[f"recovery.pin/{CLAIM}"].outcome is Outcome.BLOCKED
    assert not [name for name in house.home.world.faults.reached if name.startswith("claims.")]
    return report


@pytest.mark.parametrize("found", [HOSTED, HOSTED_FILES, ROOK_BLOCK, ROOK_FS], ids=lambda found: found.name)
def test_onto_a_sound_ceph_a_restore_goes_through(house: Running, found: StorageClass) -> None:
    on(house, found)
    report = house.apply(restoring(house))
    assert report.exit_code == EXIT_OK, [(step.id, step.detail) for step in report.root_causes]
    assert report[f"storage.under/{CLAIM}"].outcome is Outcome.OK


def test_onto_a_sick_one_it_stops_with_one_problem(house: Running) -> None:
    CEPH_TROUBLES["ceph-muted"].begin(hosts_ceph(house))
    (cause,) = refused(house, HOSTED, (ON_HOSTS,)).root_causes
    assert cause.error is not None
    assert "muted by hand" in " ".join(cause.error.evidence)
    assert cause.error.hint


def test_what_rook_says_since_when_is_in_the_problem(house: Running) -> None:
    rook(house).says("HEALTH_ERR", "OSD_FULL!", now=1_800_000_000.0)
    (cause,) = refused(house, ROOK_BLOCK, (IN_ROOK,)).root_causes
    assert "since 2027-01-15T08:00Z" in str(cause.error)


def test_nobody_knows_is_refused_too(house: Running) -> None:
    CEPH_TROUBLES["ceph-silent"].begin(hosts_ceph(house))
    refused(house, HOSTED, (ON_HOSTS,))


def test_a_claim_on_anything_else_does_not_wait_for_a_ceph(house: Running) -> None:
    CEPH_TROUBLES["ceph-full"].begin(hosts_ceph(house))
    rook(house).says("HEALTH_ERR", "OSD_FULL!", now=house.clock.now())
    assert house.apply(restoring(house)).exit_code == EXIT_OK


def test_each_ceph_stops_its_own_claims_alone(house: Running) -> None:
    CEPH_TROUBLES["ceph-full"].begin(hosts_ceph(house))
    on(house, ROOK_BLOCK)
    assert house.apply(restoring(house)).exit_code == EXIT_OK


def test_block_devices_do_not_wait_for_a_metadata_server(house: Running) -> None:
    CEPH_TROUBLES["ceph-mds-gone"].begin(hosts_ceph(house))
    on(house, HOSTED)
    assert house.apply(restoring(house)).exit_code == EXIT_OK


def test_filesystems_do(house: Running) -> None:
    CEPH_TROUBLES["ceph-mds-hung"].begin(hosts_ceph(house))
    refused(house, HOSTED_FILES, (FILES,))


def test_a_full_pool_stops_claims_in_that_pool_alone(house: Running) -> None:
    CEPH_TROUBLES["ceph-pool-full"].begin(hosts_ceph(house))
    refused(house, HOSTED, (f"{ON_HOSTS}.pool-rbd",))
    on(house, replace(HOSTED, parameters=(("clusterID", FSID), ("pool", "cephfs_data"))))
    assert house.apply(restoring(house)).exit_code == EXIT_OK


def test_a_pool_that_is_not_there_is_said_by_name(house: Running) -> None:
    gone = replace(HOSTED, parameters=(("clusterID", FSID), ("pool", "gone")))
    (cause,) = refused(house, gone, (f"{ON_HOSTS}.pool-gone",)).root_causes
    assert "there is none of that name" in str(cause.error)


@pytest.mark.parametrize("cluster", ["another-namespace", "0c5f1d52-0000-4000-8000-000000000001", ""])
def test_a_class_of_a_ceph_that_nobody_can_ask_is_unknown(house: Running, cluster: str) -> None:
    far = replace(HOSTED, parameters=(("clusterID", cluster), ("pool", "rbd")))
    (cause,) = refused(house, far, (f"storage.ceph/{cluster or 'no-cluster'}",)).root_causes
    assert "neither the hosts nor Rook" in str(cause.error)


def test_one_that_rook_only_knows_is_asked_where_it_runs(house: Running) -> None:
    rook(house).cluster = replace(rook(house).cluster, external=True, fsid=FSID, phase="Connected", parts=())
    CEPH_TROUBLES["ceph-paused"].begin(hosts_ceph(house))
    outside = replace(ROOK_BLOCK, parameters=(("clusterID", NAMESPACE), ("pool", "rbd")))
    refused(house, outside, (ON_HOSTS,))


def test_once_it_is_mended_the_same_again_goes_through(house: Running, tmp_path: Path) -> None:
    CEPH_TROUBLES["ceph-osds-down"].begin(hosts_ceph(house))
    refused(house, HOSTED, (ON_HOSTS,))
    house.home.proxmox.ceph = LabCeph.on(house.home.proxmox.hosts)
    assert house.apply(restoring(house)).exit_code == EXIT_OK
