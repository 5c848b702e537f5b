"""The storage around a node that is given up: what only its disks may hold stops it, and no system is left unasked."""

from __future__ import annotations

import pytest

from adapters.kubernetes.results import StorageClass
from bootstrap.replace_node import course
from cluster.course import Course
from cluster.storage.kinds import storage_checks
from cluster.storage.longhorn.check import DRIVER
from engine.probe import Condition
from engine.report import Outcome
from lab.troubles.longhorn import LONGHORN_TROUBLES
from tests.cluster.storage.test_longhorn import WHOLE
from tests.hands import see
from tests.scenario.loss.test_replace_node import built as built
from tests.scenario.loss.test_replace_node import off
from tests.scenario.running import Running

SPARED, KNOWN, REBUILT = "preflight.storage.longhorn/volumes", "preflight.storage-known", "storage.longhorn/volumes"


@pytest.fixture
def house(built: Running) -> Running:
    """One lost control plane; Longhorn, and one of its volumes has no copy that is whole."""
    objects = built.home.kube.objects()
    objects.longhorn = LONGHORN_TROUBLES["longhorn-volume-lost"].change(WHOLE)
    objects.storage_classes = {"longhorn": StorageClass("longhorn", DRIVER, (), default=True)}
    off(built, "cp-2")
    built.home.look().cluster.nodes()
    return built


def replacing(house: Running, *, asked: bool = True) -> Course:
    rows = tuple(storage_checks(house.home.look(), house.house)) if asked else ()
    return course(house.house, house.house.node("cp-2"), rows)


def test_a_system_that_no_row_was_made_of_is_asked_before_a_disk_goes(house: Running) -> None:
    assert see(house, replacing(house), KNOWN).condition is Condition.SATISFIED
    seen = see(house, replacing(house, asked=False), KNOWN)
    assert (seen.condition, seen.detail) == (Condition.UNKNOWN, "a storage system was not asked")
    assert "volumes" in "; ".join(seen.evidence)


def test_a_volume_without_a_whole_copy_stops_it_and_consent_to_that_passes(house: Running) -> None:
    whole = replacing(house)
    seen = see(house, whole, SPARED)
    assert seen.condition is Condition.DRIFTED, seen
    assert "the last copy of something may be on the lost disks" in str(seen.identity)
    before = house.home.proxmox.vms[8002]
    refused = house.apply(whole)
    assert SPARED in {cause.id for cause in refused.root_causes}, refused
    assert house.home.proxmox.vms[8002] is before
    report = house.apply(whole, house.consent(whole))
    assert (report[SPARED].outcome, report["node.give-up/cp-2"].outcome) == (Outcome.OK, Outcome.CHANGED)
    assert house.home.proxmox.vms[8002] is not before
    assert report[REBUILT].outcome is Outcome.FAILED and report[REBUILT].advisory, "told, and stops nobody"
    assert SPARED in next(one for one in whole.steps if one.id == "node.give-up/cp-2").needs


def test_a_storage_that_is_well_stops_nobody_and_is_told_again_afterwards(house: Running) -> None:
    house.home.kube.objects().longhorn = WHOLE
    assert see(house, replacing(house), SPARED).condition is Condition.SATISFIED
    assert see(house, replacing(house), REBUILT).condition is Condition.SATISFIED


def test_where_no_disk_goes_nothing_is_asked(built: Running) -> None:
    built.home.kube.objects().longhorn = LONGHORN_TROUBLES["longhorn-volume-lost"].change(WHOLE)
    built.home.kube.objects().storage_classes = {"longhorn": StorageClass("longhorn", DRIVER, (), default=True)}
    for name in (SPARED, KNOWN):
        assert see(built, replacing(built), name).detail == "no disk is destroyed"
