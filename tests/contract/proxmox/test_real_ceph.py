"""A real Ceph where its programs are on PATH, before its OSDs boot and after. Its faults: python -m tests.proof.real_ceph."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.parts.realceph import RealCeph, lacks
from lab.troubles.ceph import CEPH_TROUBLES
from tests.cluster.storage.ceph.test_recordings import FACTS, recorded
from tests.contract.proxmox.real_ceph import NOT_PLAYED, PLAYED, Played, looked
from tests.proof import real_ceph
from tests.prove import ABSENT


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


@pytest.mark.skipif(not recorded(), reason="the recordings are not at hand")
@pytest.mark.parametrize("one", PLAYED, ids=lambda one: one.name)
def test_a_play_is_of_a_recording_and_has_its_verdict(one: Played) -> None:
    """Else the proof would compare a verdict with itself. Of one that answers nothing there is nothing to conclude."""
    assert (FACTS / "recordings" / one.recording).is_dir()
    assert recorded().get(one.recording) == (None if one.silent else one.verdict)


def test_a_proof_that_cannot_look_is_not_one_that_held(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("tests.proof.real_ceph.lacks", lambda: "not on PATH: ceph-mon")
    assert real_ceph.main([]) == ABSENT
    assert "Nothing was played" in capsys.readouterr().out
    assert real_ceph.main(["ceph-pasued"]) == 2
