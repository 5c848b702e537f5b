"""Which worlds a house can be started in: the design's list, each made of troubles that are there; all others are refused."""

from __future__ import annotations

import pytest

from engine.errors import PermanentError
from lab.houses.nouns import FOUR_NODES, ONE_NODE
from lab.scenarios import SCENARIOS, known
from lab.troubles.named import TROUBLES

DESIGN = (
    "empty", "one-control-plane-lost", "etcd-quorum-lost", "all-vms-gone", "backup-half-uploaded", "nas-read-only", "wrong-clock",
)  # fmt: skip


@pytest.mark.parametrize("name", DESIGN)
def test_the_designs_scenarios_can_all_be_played_with_four_nodes(name: str) -> None:
    assert known(name, FOUR_NODES).name == name


def test_a_scenario_is_made_of_troubles_that_are_there() -> None:
    assert {name for scenario in SCENARIOS.values() for name, _ in scenario.troubles} <= set(TROUBLES)


@pytest.mark.parametrize("name", ["flood", "one-control-plane-lost", "etcd-quorum-lost"])
def test_what_cannot_be_played_is_refused_with_the_names_of_what_can(name: str) -> None:
    with pytest.raises(PermanentError, match=name) as refused:
        known(name, ONE_NODE)
    told = "one-node can be started as: empty, all-vms-gone, hosts-lost, backup-half-uploaded, nas-read-only, wrong-clock"
    assert refused.value.hint == told
