"""Each named trouble of a component turns exactly its own row red, in the house that has all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cluster.components.registry import component_checks
from engine.report import Outcome
from engine.verify import verify
from lab.troubles.component import COMPONENT_TROUBLES, ComponentTrouble
from tests.coverage.whole_house import in_order, strike, whole_house
from tests.scenario.running import Running


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Running:
    return whole_house(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def house(built: Running) -> Iterator[Running]:
    in_order(built)
    yield built
    in_order(built)


@pytest.mark.parametrize("trouble", COMPONENT_TROUBLES.values(), ids=list(COMPONENT_TROUBLES))
def test_a_trouble_turns_its_own_row_red(house: Running, trouble: ComponentTrouble) -> None:
    strike(house, trouble)
    course = house.bootstrap.with_checks(component_checks(house.home.look(), house.house))
    report = verify(course.graph(), house.home.look(), clock=house.clock)
    assert [one.id for one in report.steps if one.outcome in (Outcome.FAILED, Outcome.BLOCKED)] == [trouble.row]
    row = report[trouble.row]
    assert trouble.says in " ".join((row.detail, *row.evidence))
    assert row.error is not None
    assert row.error.hint
