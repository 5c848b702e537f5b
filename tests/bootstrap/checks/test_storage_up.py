"""start.storage: what applications start on again is sound, each system of it; what nobody looked at is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bootstrap.checks.power import storage_up
from cluster.storage.findings import Finding, Weight
from engine.probe import Condition, Probe
from lab.world.cluster.longhorn import healthy
from tests.scenario.running import Running


def seen(house: Running) -> Probe:
    return storage_up.check(house.house, ()).probe(house.home.look())


def test_what_is_in_the_way_is_waited_for_and_a_house_without_storage_is_not(built: Running) -> None:
    assert seen(built).detail == "no storage system that is looked at here"
    objects = built.home.kube.objects()
    objects.longhorn = healthy()
    assert seen(built).condition is Condition.SATISFIED
    objects.longhorn = replace(healthy(), volumes=(replace(healthy().volumes[0], robustness="faulted"),))
    assert seen(built).condition is Condition.CHANGING


@pytest.mark.parametrize("found", [(), (Finding("a part", Weight.UNKNOWN, "is not known"),)])
def test_a_row_that_found_nothing_is_no_storage_in_order(
    built: Running, monkeypatch: pytest.MonkeyPatch, found: tuple[Finding, ...]
) -> None:
    built.home.kube.objects().longhorn = healthy()
    assert seen(built).condition is Condition.SATISFIED
    (first, *_) = storage_up.storage_checks(built.home.look(), built.house)
    monkeypatch.setattr(type(first), "findings", lambda *_: found)
    assert seen(built).condition is Condition.UNKNOWN
