"""etcd's arithmetic over lists that agree and lists that do not, members without a name, and learners."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.talos.results import EtcdData, EtcdMember, EtcdState
from engine.errors import TransientError
from talos.quorum import Standing, listed_by, members_of, standing
from tests.builders import a_house

NODE = a_house().control_planes[0]
NAMES = ("cp-1", "cp-2", "cp-3")


def member(name: str, *, learner: bool = False, address: str = "192.0.2.9") -> EtcdMember:
    return EtcdMember(f"id-{name}", name, (f"https://{address}:2380",), learner)


def healthy(*listed: EtcdMember) -> EtcdState:
    return EtcdState(EtcdData.PRESENT, healthy=True, members=listed)


@pytest.mark.parametrize(
    ("voters", "there", "works", "told"),
    [
        (3, 3, True, "3 of 3; 1 more may be lost"),
        (3, 2, True, "2 of 3; one more loss stops it"),
        (3, 1, False, "1 of 3; it stands still, for it takes 2"),
        (2, 1, False, "1 of 2; it stands still, for it takes 2"),
        (5, 5, True, "5 of 5; 2 more may be lost"),
        (0, 0, False, "0 of 0; it stands still, for it takes 1"),
    ],
)
def test_more_than_half_of_those_who_vote_must_be_there(voters: int, there: int, works: bool, told: str) -> None:
    one = Standing(voters, there)
    assert (one.works, str(one)) == (works, told)


def test_a_learner_and_one_that_is_not_healthy_have_no_vote_that_counts() -> None:
    listed = (*map(member, NAMES[:2]), member("cp-3", learner=True))
    sick = replace(healthy(*listed), healthy=False)
    assert standing({"cp-1": healthy(*listed), "cp-2": sick, "cp-3": healthy(*listed)}, listed) == Standing(2, 1)


def test_a_member_that_never_started_is_known_by_its_address_alone() -> None:
    nameless = member("", address=NODE.address)
    assert members_of(NODE, (member(NODE.name), nameless, member("cp-9"))) == (nameless, member(NODE.name))


def test_lists_that_are_not_the_same_are_no_list() -> None:
    whole = tuple(map(member, NAMES))
    assert listed_by({"cp-1": healthy(*whole), "cp-2": healthy(*reversed(whole))}) == whole
    for other in (whole[:2], (*whole[:2], replace(whole[2], learner=True))):
        with pytest.raises(TransientError, match="do not list the same etcd members"):
            listed_by({"cp-1": healthy(*whole), "cp-2": healthy(*other)})
    silent = replace(healthy(member("cp-1")), healthy=False)
    assert listed_by({"cp-1": healthy(*whole), "cp-2": silent}) == whole
    assert listed_by({"cp-2": silent}) == ()
