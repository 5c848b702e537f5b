"""A Longhorn that is not whole has its own rows red, and stops what would be restored onto it; what is elsewhere goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.kubernetes.results import StorageClass
from adapters.longhorn.results import LonghornLook
from cluster.storage.longhorn.check import DRIVER, longhorn_checks
from cluster.storage.longhorn.judge import PARTS
from cluster.storage.under import gates
from engine.errors import EXIT_OK
from engine.report import Outcome, Report
from lab.troubles.longhorn import LONGHORN_TROUBLES, LonghornTrouble
from tests.cluster.storage.test_longhorn import WHOLE
from tests.scenario.running import Running

CLAIM = "apps/notes"


@pytest.fixture
def house(held_house: Running) -> Running:
    """A house after its bootstrap, one claim held, whose default class is Longhorn's."""
    objects = held_house.home.kube.objects()
    objects.longhorn = WHOLE
    found = StorageClass("longhorn", DRIVER, (), default=True)
    objects.storage_classes = {found.name: found}
    for claim in objects.claims.values():
        claim.storage_class = found.name
    return held_house


def verified(house: Running) -> Report:
    return house.verify(house.bootstrap.with_checks(longhorn_checks(house.home.look())))


def failed(report: Report) -> set[str]:
    return {step.id for step in report.steps if step.outcome is Outcome.FAILED}


def test_a_house_without_it_has_no_row_and_no_gate(tmp_path: Path) -> None:
    house = Running.bootstrapped(tmp_path)
    assert list(longhorn_checks(house.home.look())) == []
    assert gates(house.home.look(), house.house, house.house.claims) == ()


@pytest.mark.parametrize("trouble", LONGHORN_TROUBLES.values(), ids=list(LONGHORN_TROUBLES))
def test_each_fault_turns_its_own_rows_red_and_stops_a_restore_if_that_would_use_it(
    house: Running, trouble: LonghornTrouble
) -> None:
    assert failed(verified(house)) == set()
    house.home.kube.objects().longhorn = trouble.change(WHOLE)
    rows = {f"storage.longhorn/{part}" for part in trouble.rows}
    assert failed(verified(house)) == rows
    course = house.restore.with_checks(gates(house.home.look(), house.house, house.house.claims))
    stopping = {"storage.longhorn/under"} if trouble.stops else set()
    house.home.world.faults.forget()
    report = house.apply(course)
    assert {step.id for step in report.root_causes} == stopping
    if not stopping:
        assert report.exit_code == EXIT_OK
        return
    assert report[f"recovery.pin/{CLAIM}"].outcome is Outcome.BLOCKED
    assert not [name for name in house.home.world.faults.reached if name.startswith("claims.")]
    house.home.kube.objects().longhorn = WHOLE
    assert house.apply(course).exit_code == EXIT_OK


def test_a_cluster_that_no_longer_serves_it_is_not_fine(house: Running) -> None:
    checks = tuple(longhorn_checks(house.home.look()))
    assert len(checks) == len(PARTS)
    house.home.kube.objects().longhorn = None
    report = house.verify(house.bootstrap.with_checks(checks))
    assert failed(report) == {check.id for check in checks}


def test_a_look_has_what_was_asked_for_and_no_more(house: Running) -> None:
    look = house.home.look().cluster.longhorn(("running",))
    assert (look.running, look.nodes, look.volumes, look.images) == (WHOLE.running, WHOLE.nodes, (), ())
    assert look == replace(LonghornLook(served=True), running=WHOLE.running, nodes=WHOLE.nodes)
