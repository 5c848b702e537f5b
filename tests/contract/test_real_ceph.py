"""A real Ceph where its programs are on PATH, before its OSDs boot and after. Its faults: python -m tests.proof.real_ceph."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.ceph_troubles import CEPH_TROUBLES
from lab.parts.realceph import RealCeph, lacks
from tests.contract.real_ceph import NOT_PLAYED, PLAYED, Played, looked


def test_every_named_fault_is_played_or_says_why_not() -> None:
    played = [one.name for one in PLAYED]
    assert sorted([*played, *NOT_PLAYED]) == sorted(CEPH_TROUBLES)
    for one in PLAYED:
        assert (one.verdict == "block") == CEPH_TROUBLES[one.name].stops, one.name


@pytest.fixture(scope="module")
def ceph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCeph]:
    if why := lacks():
        pytest.skip(why)
    made = RealCeph(Path(tmp_path_factory.mktemp("ceph")) / "c")
    try:
        made.begin()
        yield made
    finally:
        made.close()


def test_one_whose_osds_never_booted_says_that_it_is_well_and_blocks(ceph: RealCeph) -> None:
    seen = looked(ceph)
    assert (seen.says, seen.verdict, seen.hosted) == ("HEALTH_OK", "block", "block"), seen


def test_one_that_is_well_is_called_well(ceph: RealCeph) -> None:
    ceph.go()
    seen = looked(ceph)
    assert (seen.says, seen.verdict, seen.hosted) == ("HEALTH_OK", "ok", "ok"), seen


def test_a_play_names_what_it_is_played_after() -> None:
    assert all(isinstance(one, Played) and one.recording for one in PLAYED)
