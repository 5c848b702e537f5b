"""preflight.snapshot-class: a restore of a class that is not there would be waited for in vain, so it is not begun."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.probe import Condition, Probe
from recovery.checks.snapshot_class import checks
from recovery.course import course
from tests.hands import is_a_command, see
from tests.house.data.test_data import rendered
from tests.recovery.conftest import Restoring

CHECK = "preflight.snapshot-class/apps/notes"
DESTINATION = """apiVersion: volsync.backube/v1alpha1
kind: ReplicationDestination
metadata: {name: notes-bootstrap, namespace: apps}
spec: {restic: {copyMethod: Snapshot, volumeSnapshotClassName: block}}
"""
CLASS = "apiVersion: snapshot.storage.k8s.io/v1\nkind: VolumeSnapshotClass\nmetadata: {name: block}\ndriver: csi.invalid\n"


def told(house: Restoring, *texts: str) -> Probe:
    house.house = replace(house.house, rendered=rendered(*texts))
    return see(house, course(house.house, house.house.claims), CHECK)


def test_one_that_is_there_will_do(held: Restoring) -> None:
    held.home.kube.objects().snapshot_classes.add("block")
    assert told(held, DESTINATION).condition is Condition.SATISFIED


def test_one_that_git_brings_may_come_yet(held: Restoring) -> None:
    assert told(held, DESTINATION, CLASS).condition is Condition.CHANGING


def test_any_other_stops_its_restore_before_it_is_begun(held: Restoring) -> None:
    held.home.kube.objects().snapshot_classes.add("blocks")
    seen = told(held, DESTINATION)
    assert (seen.condition, "the nearest known one is blocks" in seen.hint) == (Condition.MISSING, True)
    report = held.apply(course(held.house, held.house.claims))
    assert [step.id for step in report.root_causes] == [CHECK]
    assert held.entry.pin == ""


@pytest.mark.parametrize(
    "text", [DESTINATION.replace("notes-bootstrap", "other"), DESTINATION.replace(", volumeSnapshotClassName: block", "")]
)
def test_without_a_name_of_its_own_a_claim_has_no_row(held: Restoring, text: str) -> None:
    assert [*checks(replace(held.house, rendered=rendered(text)), held.house.claims)] == []


def test_a_person_can_type_it(held: Restoring) -> None:
    (check,) = checks(replace(held.house, rendered=rendered(DESTINATION)), held.house.claims)
    assert is_a_command(check.by_hand())
