"""Asking every storage of a house takes as long as the slowest of them; each is asked once, and a refusal is remembered."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.remembering import remembering
from bench.storage import DELAYS, MOST, a_house, ratio, slow
from cluster.storage.kinds import storage_checks
from cluster.storage.nas.check import nas_checks
from engine.errors import TransientError
from engine.verify import verify
from lab.troubles.ceph import CEPH_TROUBLES


def test_all_of_them_take_no_more_than_the_slowest_and_a_tenth(tmp_path: Path) -> None:
    took, slowest = ratio(tmp_path)
    assert took <= MOST * slowest


def test_a_verify_asks_each_once(tmp_path: Path) -> None:
    from console.verbs.cluster.verify import with_systems

    house = a_house(tmp_path)
    look, whole = with_systems(house.house, house.home.look(), house.bootstrap, [])
    found = (*nas_checks(house.house), *storage_checks(look, house.house))
    assert {check.id for check in found} <= {check.id for check in whole.checks}
    rows = [check for check in whole.checks if check.id.startswith("storage.")]
    began = house.clock.monotonic()
    slowly = remembering(slow(house.home.look(), house.clock))
    for row in rows:
        row.probe(slowly)
    assert house.clock.monotonic() - began <= sum(DELAYS.values())
    assert verify(whole.graph(), look, clock=house.clock).root_causes == ()


def test_a_silence_is_remembered_as_one(tmp_path: Path) -> None:
    house = a_house(tmp_path)
    ceph = house.home.proxmox.ceph
    assert ceph is not None
    CEPH_TROUBLES["ceph-silent"].begin(ceph)
    seen = remembering(house.home.look())
    with pytest.raises(TransientError):
        seen.proxmox.ceph()
    ceph.silent = False
    with pytest.raises(TransientError):
        seen.proxmox.ceph()
    assert remembering(house.home.look()).proxmox.ceph() is not None
