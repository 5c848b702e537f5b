"""The one question that a bootstrap hangs on: whether this house has an etcd, told by every control plane together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from adapters.ports import TalosView
from adapters.talos.results import EtcdData, EtcdMember, EtcdState
from engine.errors import PermanentError
from engine.probe import Condition
from talos.etcd import etcd_probe
from tests.builders import a_house

NONE = EtcdState(EtcdData.NONE, healthy=False, members=())
BLIND = EtcdState(EtcdData.UNKNOWN, healthy=False, members=())
NAMES = ("cp-1", "cp-2", "cp-3")


def members(*names: str, cluster: str = "a") -> tuple[EtcdMember, ...]:
    """Members of one cluster; each has an id of its own."""
    return tuple(EtcdMember(f"{cluster}-{name}", name, (f"https://{name}:2380",), learner=False) for name in names)


WHOLE = EtcdState(EtcdData.PRESENT, healthy=True, members=members(*NAMES))


@dataclass
class Told:
    """A Talos port that answers only this question."""

    states: dict[str, EtcdState]

    def etcd(self, address: str) -> EtcdState:
        """What the node at this address tells."""
        return self.states[address]

    def etcds(self, addresses: Sequence[str]) -> tuple[EtcdState, ...]:
        """What each of them tells."""
        return tuple(map(self.etcd, addresses))


def asked(*states: EtcdState) -> Condition:
    """What is concluded from what the three control planes tell."""
    return etcd_probe(told(*states), a_house()).condition


def told(*states: EtcdState) -> TalosView:
    """The port."""
    addresses = [node.address for node in a_house().control_planes]
    return Told(dict(zip(addresses, states, strict=True)))  # type: ignore[return-value]  # nothing else is asked


def test_none_anywhere_is_missing_and_one_that_could_not_be_asked_forbids_that_word() -> None:
    assert asked(NONE, NONE, NONE) is Condition.MISSING
    for blind in ((BLIND, NONE, NONE), (NONE, BLIND, NONE), (NONE, NONE, BLIND), (WHOLE, WHOLE, BLIND)):
        assert asked(*blind) is Condition.UNKNOWN


def test_data_on_one_alone_is_an_etcd_that_is_waited_for() -> None:
    one = EtcdState(EtcdData.PRESENT, healthy=True, members=members("cp-1"))
    asleep = EtcdState(EtcdData.PRESENT, healthy=False, members=())
    assert asked(one, NONE, NONE) is Condition.CHANGING
    assert asked(asleep, NONE, NONE) is Condition.CHANGING


def test_satisfied_only_when_all_are_healthy_voters() -> None:
    assert asked(WHOLE, WHOLE, WHOLE) is Condition.SATISFIED
    assert asked(WHOLE, replace(WHOLE, healthy=False), WHOLE) is Condition.CHANGING
    learner = replace(WHOLE, members=(*members("cp-1", "cp-2"), replace(members("cp-3")[0], learner=True)))
    assert asked(learner, learner, learner) is Condition.CHANGING


def test_a_member_that_is_no_control_plane_of_ours_is_named() -> None:
    seen = etcd_probe(told(*[replace(WHOLE, members=members(*NAMES, "cp-9"))] * 3), a_house())
    assert (seen.condition, seen.evidence) == (Condition.CHANGING, ("cp-9",))


@pytest.mark.parametrize("by", ["member ids", "cluster ids"])
def test_two_clusters_are_a_permanent_no(by: str) -> None:
    if by == "member ids":
        first = EtcdState(EtcdData.PRESENT, True, members("cp-1", "cp-3"))
        second = EtcdState(EtcdData.PRESENT, True, members("cp-2", cluster="b"))
    else:
        first = EtcdState(EtcdData.PRESENT, False, (), "aaaa")
        second = EtcdState(EtcdData.PRESENT, False, (), "bbbb")
    with pytest.raises(PermanentError, match="two etcd clusters") as failed:
        etcd_probe(told(first, second, first), a_house())
    assert failed.value.evidence == ("one on cp-1, cp-3", "one on cp-2")


def test_lists_that_overlap_are_one_cluster_that_changes() -> None:
    early = EtcdState(EtcdData.PRESENT, True, members("cp-1"))
    middle = EtcdState(EtcdData.PRESENT, True, members("cp-1", "cp-2"))
    late = EtcdState(EtcdData.PRESENT, True, members("cp-2", "cp-3"))
    assert asked(early, late, middle) is Condition.SATISFIED
    assert asked(early, NONE, NONE) is Condition.CHANGING
