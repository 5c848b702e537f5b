"""The Ceph of the Proxmox hosts through both doors: in process, and over HTTPS through the real adapter."""

from __future__ import annotations

import pytest

from adapters.ceph.results import CephPool, HostedCeph, Monitors, Osds
from cluster.storage.ceph.judge import judge
from cluster.storage.findings import Weight, worst
from engine.errors import PermanentError, TransientError
from lab.world.cluster.ceph import FSID, LabCeph
from tests.contract.proxmox.proxmox_doors import HOUSE, Door


def ceph(door: Door) -> LabCeph:
    """The hosts have a Ceph from now on: monitors on the first three, an OSD on each."""
    door.pve.ceph = LabCeph.on(door.pve.hosts)
    return door.pve.ceph


def seen(door: Door) -> HostedCeph:
    found = door.port.ceph()
    assert found is not None
    return found


def test_hosts_without_a_ceph_have_none(door: Door) -> None:
    assert door.port.ceph() is None


def test_programs_alone_are_no_ceph(door: Door) -> None:
    ceph(door).monitors = ()
    assert door.port.ceph() is None


def test_a_healthy_one_tells_its_parts(door: Door) -> None:
    ceph(door)
    found = seen(door)
    assert (found.host, found.status.fsid, found.status.health) == ("pve-1", FSID, "HEALTH_OK")
    assert (found.status.monitors, found.status.osds, found.status.manager) == (Monitors(3, 3), Osds(4, 4, 4), True)
    assert found.status.pools == (CephPool("rbd", 3, 2), CephPool("cephfs_data", 3, 2))
    assert dict(found.versions) == dict.fromkeys(door.pve.hosts, "19.2.3")
    assert {one.weight for one in judge(found.status).all} == {Weight.FINE}


def test_a_host_that_is_in_it_answers_where_the_first_one_is_not(door: Door) -> None:
    ceph(door).monitors = ("pve-2", "pve-3", "pve-4")
    assert seen(door).host == "pve-2"


def test_a_host_that_is_down_takes_its_monitor_and_its_osd_along(door: Door) -> None:
    ceph(door)
    door.pve.host_down("pve-1")
    found = seen(door)
    assert (found.host, found.status.monitors, found.status.osds) == ("pve-2", Monitors(3, 2), Osds(4, 3, 4))
    assert worst(judge(found.status).all) is Weight.NOTED


def test_without_a_majority_of_monitors_there_is_no_answer_and_that_is_no_absence(door: Door) -> None:
    ceph(door).stopped_monitors = {"pve-1", "pve-2"}
    with pytest.raises(TransientError, match="the hosts' Ceph gives no answer"):
        door.port.ceph()


def test_without_a_manager_its_pools_are_not_asked_for(door: Door) -> None:
    ceph(door).manager = False
    found = seen(door)
    assert (found.status.manager, found.status.pools) == (False, None)


@pytest.mark.parametrize("answer", [[], "HEALTH_OK", {"some": "proxy"}, 0])
def test_what_is_no_answer_of_a_ceph_is_an_error_that_may_pass(door: Door, answer: object) -> None:
    ceph(door).answer = answer
    with pytest.raises(TransientError):
        door.port.ceph()


def test_half_an_answer_is_half_of_one(door: Door) -> None:
    ceph(door).answer = {"fsid": FSID, "health": {"status": "HEALTH_OK", "checks": {}}}
    found = seen(door).status
    assert (found.osds, found.groups, found.manager, found.filesystems) == (None, None, None, None)
    assert worst(judge(found).all) is Weight.UNKNOWN


def test_a_token_that_may_not_look_is_told_so(door: Door) -> None:
    ceph(door)
    door.pve.access.tokens[HOUSE.proxmox.token_id].rights = {"/": frozenset({"VM.Audit"})}
    with pytest.raises(PermanentError, match=r"Sys\.Audit"):
        door.port.ceph()
