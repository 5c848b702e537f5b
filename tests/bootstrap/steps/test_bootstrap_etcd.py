"""talos.bootstrap-etcd: once in the life of a cluster, on one fixed node, and only when nobody has data."""

from __future__ import annotations

import pytest

from engine.errors import PermanentError
from engine.probe import Condition
from tests.hands import do, only, see, step
from tests.scenario.running import Running

STEP = "talos.bootstrap-etcd"


@pytest.fixture
def configured(bare: Running) -> Running:
    """Every node runs its configuration; there is no etcd yet."""
    assert bare.apply(only(bare.bootstrap, "preflight.", "proxmox.", "talos.render", "talos.apply")).converged
    bare.clock.sleep(10)
    return bare


def test_missing_is_said_only_when_every_control_plane_was_asked_and_has_nothing(configured: Running) -> None:
    assert see(configured, configured.bootstrap, STEP).condition is Condition.MISSING
    configured.home.proxmox.host_down("pve-3")
    seen = see(configured, configured.bootstrap, STEP)
    assert (seen.condition, seen.evidence) == (Condition.UNKNOWN, ("cp-3",))


def test_it_is_bootstrapped_on_the_first_control_plane_and_the_others_join(configured: Running) -> None:
    do(configured, configured.bootstrap, STEP)
    configured.clock.sleep(step(configured.bootstrap, STEP).settle_s)
    assert see(configured, configured.bootstrap, STEP).condition is Condition.CHANGING
    configured.clock.sleep(60)
    assert see(configured, configured.bootstrap, STEP).evidence == ("cp-1", "cp-2", "cp-3")
    (cluster,) = configured.home.talos.etcd.clusters
    assert cluster.founder == "cp-1"


def test_the_act_looks_once_more_and_never_makes_a_second_etcd(built: Running) -> None:
    with pytest.raises(PermanentError, match="what was seen has changed since"):
        do(built, built.bootstrap, STEP)
    assert len(built.home.talos.etcd.clusters) == 1


def test_a_dark_control_plane_forbids_the_act(configured: Running) -> None:
    configured.home.proxmox.host_down("pve-2")
    with pytest.raises(PermanentError, match="what was seen has changed since"):
        do(configured, configured.bootstrap, STEP)
    assert configured.home.talos.etcd.clusters == []


def test_data_on_one_node_alone_is_never_missing(built: Running) -> None:
    for name in ("cp-2", "cp-3"):
        machine = built.home.talos.at(built.house.node(name).address)
        built.home.talos.etcd.stop(machine)
        built.home.talos.etcd.wipe(machine)
    assert see(built, built.bootstrap, STEP).condition is not Condition.MISSING
