"""A red gate before a restore: one problem for a sick system, passed only by a consent that names it and what it risks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from adapters.kubernetes.results import StorageClass
from cluster.course import Course
from cluster.storage.ceph.check import ceph_checks
from cluster.storage.longhorn.check import DRIVER, longhorn_checks
from cluster.storage.under import gates
from engine.errors import EXIT_OK, EXIT_STEP_FAILED, PreflightRefused
from engine.plan import Planned
from engine.report import Outcome, Report
from lab.troubles.ceph import CEPH_TROUBLES
from lab.troubles.longhorn import of_nodes, orphaned, pods
from lab.troubles.nas import NAS_FAULTS
from lab.world.cluster.ceph import FSID, LabCeph
from lab.world.cluster.rook import LabRook, classes
from lab.world.nas import LabUser, sample_nas
from lab.world.pve.access import everything
from tests.cluster.storage.test_longhorn import WHOLE
from tests.scenario.faults.test_nas import ON_NAS, a_nas_house
from tests.scenario.running import Running

HOSTED = StorageClass("proxmox-rbd", "rbd.csi.ceph.com", (("clusterID", FSID), ("pool", "rbd")))
LONGHORN = StorageClass("longhorn", DRIVER)
LIST = 'list resource "{}" in API group "{}"'
CEPH, HORN = "storage.ceph/proxmox", "storage.longhorn/under"
RELEASE = "recovery.release/apps/notes"


@pytest.fixture
def house(held_house: Running) -> Running:
    """A house after its bootstrap, one claim held; its hosts have a Ceph, and its cluster Longhorn."""
    held_house.home.proxmox.ceph = LabCeph.on(held_house.home.proxmox.hosts)
    held_house.home.kube.objects().longhorn = WHOLE
    return held_house


def on(house: Running, found: StorageClass) -> None:
    objects = house.home.kube.objects()
    objects.storage_classes = {found.name: replace(found, default=True)}
    for claim in objects.claims.values():
        claim.storage_class = found.name


def restoring(house: Running) -> Course:
    return house.restore.with_checks(gates(house.home.look(), house.house, house.house.claims))


def verified(house: Running) -> Report:
    look = house.home.look()
    return house.verify(house.bootstrap.with_checks((*ceph_checks(look), *longhorn_checks(look))))


def causes(report: Report) -> list[str]:
    return [step.id for step in report.root_causes]


def paused(house: Running) -> None:
    on(house, HOSTED)
    CEPH_TROUBLES["ceph-paused"].begin(house.home.proxmox.ceph or pytest.fail("no Ceph"))


def silent(house: Running) -> None:
    on(house, HOSTED)
    CEPH_TROUBLES["ceph-silent"].begin(house.home.proxmox.ceph or pytest.fail("no Ceph"))


def without_managers(house: Running) -> None:
    on(house, LONGHORN)
    house.home.kube.objects().longhorn = pods(0)(WHOLE)


def switched_off(house: Running) -> None:
    on(house, LONGHORN)
    house.home.kube.objects().longhorn = of_nodes(wanted=False)(WHOLE)


def deleting(house: Running) -> None:
    on(house, LONGHORN)
    house.home.kube.objects().longhorn = orphaned(("orphan-auto-deletion", "true"))(WHOLE)


SICK: dict[str, tuple[Callable[[Running], None], str, str]] = {
    "ceph-paused": (paused, CEPH, "OSDMAP_FLAGS"),
    "ceph-silent": (silent, CEPH, "nobody knows how it is"),
    "longhorn-without-managers": (without_managers, HORN, "0 of 3 pods ready"),
    "longhorn-switched-off": (switched_off, HORN, "0 of 3 nodes take replicas"),
    "longhorn-deletes-orphans": (deleting, HORN, "may be the only copy"),
}


@pytest.mark.parametrize("name", SICK)
def test_a_sick_system_is_one_problem_and_consent_that_names_it_passes(house: Running, name: str) -> None:
    strike, row, says = SICK[name]
    strike(house)
    refused = house.apply(restoring(house))
    assert causes(refused) == [row]
    assert refused.exit_code in (EXIT_STEP_FAILED, PreflightRefused.exit_code)
    assert "by consent" in str(refused[row].error and refused[row].error.hint)
    plan = house.plan(restoring(house))
    assert plan[row].verdict is Planned.REFUSED
    act, *more = plan.acts
    assert (act.step, act.hazard) == (row, "risks")
    assert all(other.step.startswith(f"{row}.") for other in more)  # its pool, of which nobody knows either
    assert says in act.words
    assert "The risk: " in act.words
    assert plan["recovery.pin/apps/notes"].verdict is Planned.CREATE  # what is behind it is looked at all the same
    passed = house.apply(restoring(house), house.consent(restoring(house)))
    assert passed.exit_code == EXIT_OK, [(step.id, step.detail) for step in passed.root_causes]
    assert passed[RELEASE].outcome is Outcome.CHANGED
    assert passed[row].detail.startswith("passed by consent, although ")


def test_a_consent_to_one_risk_is_none_to_a_worse_one(house: Running) -> None:
    deleting(house)
    given = house.consent(restoring(house))
    house.home.kube.objects().longhorn = pods(0)(orphaned(("orphan-auto-deletion", "true"))(WHOLE))
    assert causes(house.apply(restoring(house), given)) == [HORN]


def test_nor_is_one_to_what_is_known_a_consent_to_silence(house: Running) -> None:
    paused(house)
    given = house.consent(restoring(house))
    silent(house)
    assert causes(house.apply(restoring(house), given)) == [CEPH]


def test_what_is_well_again_needs_no_consent(house: Running) -> None:
    paused(house)
    given = house.consent(restoring(house))
    house.home.proxmox.ceph = LabCeph.on(house.home.proxmox.hosts)
    assert not house.plan(restoring(house)).acts
    assert house.apply(restoring(house), given).exit_code == EXIT_OK


@pytest.mark.parametrize("name", ["nas-pool-degraded", "nas-key-expired"])
def test_a_nas_is_passed_by_consent_too(empty_house: Running, name: str) -> None:
    house = Running(empty_house.folder / "nas", a_nas_house())
    house.home.nas["nas"] = sample_nas(house.clock.now(), LabUser("blackstart", "3-key"))
    house.backed_up()
    house.apply(house.bootstrap)
    NAS_FAULTS[name].begin(house.home.nas["nas"], house.clock.now())
    (act,) = [one for one in house.plan(house.restore).acts if one.step == ON_NAS]
    assert "only copy" in act.words
    assert ("nobody knows" in act.words) is (name == "nas-key-expired")
    assert house.apply(house.restore, house.consent(house.restore))[RELEASE].outcome is Outcome.CHANGED


# Who may not look is told so, and by which right.


def test_whoever_may_not_ask_for_longhorn_is_told_which_right_is_missing(house: Running) -> None:
    house.home.kube.objects().forbidden["longhorn"] = LIST.format("nodes", "longhorn.io")
    report = verified(house)
    assert causes(report) == ["storage.longhorn/nodes"]
    assert report.exit_code == EXIT_STEP_FAILED
    (cause,) = report.root_causes
    assert "may not be looked at" in cause.detail
    assert "list nodes.longhorn.io in all namespaces" in str(cause.error and cause.error.hint)


def test_whoever_may_not_ask_for_rooks_ceph_is_told_so(house: Running) -> None:
    house.home.kube.objects().forbidden["ceph_clusters"] = LIST.format("cephclusters", "ceph.rook.io")
    (cause,) = verified(house).root_causes
    assert cause.id == "storage.ceph/rook"
    assert "list cephclusters.ceph.rook.io" in str(cause.error and cause.error.hint)


def test_a_token_that_may_not_ask_for_the_hosts_ceph_is_told_so(house: Running) -> None:
    for token in house.home.proxmox.access.tokens.values():
        token.rights = {path: held - {"Sys.Audit", "Datastore.Audit"} for path, held in everything().items()}
    cause = verified(house)[CEPH]
    assert cause.outcome in (Outcome.FAILED, Outcome.BLOCKED)
    assert "Sys.Audit" in cause.detail


@pytest.mark.parametrize("system", ["longhorn", "ceph_clusters"])
def test_a_restore_onto_what_nobody_may_look_at_stops_and_names_the_right(house: Running, system: str) -> None:
    resource, row = {
        "longhorn": (("nodes", "longhorn.io"), HORN), "ceph_clusters": (("cephclusters", "ceph.rook.io"), "storage.ceph/rook"),
    }[system]  # fmt: skip
    house.home.kube.objects().rook.append(LabRook.healthy(house.clock.now()))
    on(house, LONGHORN if system == "longhorn" else classes()[0])
    house.home.kube.objects().forbidden[system] = LIST.format(*resource)
    report = house.apply(restoring(house))
    assert causes(report) == [row]
    assert f"list {'.'.join(resource)}" in str(report[row].error and report[row].error.hint)


def test_where_nobody_may_look_at_what_a_restore_does_not_use_it_goes_on(house: Running) -> None:
    house.home.kube.objects().forbidden |= {"longhorn": LIST.format("nodes", "longhorn.io")}
    on(house, HOSTED)
    assert house.apply(restoring(house)).exit_code == EXIT_OK


def test_before_there_is_a_cluster_nothing_in_it_is_missed(empty_house: Running) -> None:
    look = empty_house.home.look()
    assert [*ceph_checks(look), *longhorn_checks(look)] == []
