"""node.give-up: what is left of a lost node goes in one order, and never what has come up again since the consent."""

from __future__ import annotations

import pytest

from adapters.proxmox.results import TaskRef
from adapters.talos.results import Phase
from bootstrap.replace_node import course
from engine.errors import TransientError
from engine.probe import Condition
from lab.ports.cluster import ModelledCluster
from lab.ports.proxmox import ModelledProxmox
from lab.ports.talos import ModelledTalos
from lab.world.pve_vm import PowerEvent
from tests.hands import Notebook, see, step
from tests.scenario.running import Running
from tests.scenario.test_replace_node import built as built
from tests.scenario.test_replace_node import members, off, replacing

STEP = "node.give-up/cp-2"


def test_what_was_consented_to_is_looked_at_again_before_anything_goes(built: Running) -> None:
    off(built, "cp-2")
    built.home.look().cluster.nodes()
    seen = see(built, replacing(built, "cp-2"), STEP)
    assert seen.condition is Condition.DRIFTED
    built.home.proxmox.power(built.home.proxmox.vms[8002], PowerEvent.STARTED)
    built.clock.sleep(60)
    built.home.world.faults.forget()
    with pytest.raises(TransientError, match="not what was consented to"):
        step(replacing(built, "cp-2"), STEP).apply(built.home.act("by-hand"), seen, Notebook())
    assert 8002 in built.home.proxmox.vms
    assert see(built, replacing(built, "cp-2"), STEP).condition is Condition.SATISFIED


def test_what_comes_up_once_its_vm_is_gone_keeps_its_node_and_its_member(built: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    off(built, "cp-2")
    built.home.look().cluster.nodes()
    seen, before = see(built, replacing(built, "cp-2"), STEP), members(built)
    destroy = ModelledProxmox.destroy_vm

    def successor(port: ModelledProxmox, host: str, vm_id: int) -> TaskRef:
        monkeypatch.setattr(ModelledTalos, "phase", lambda *_: Phase.MAINTENANCE)
        return destroy(port, host, vm_id)

    monkeypatch.setattr(ModelledProxmox, "destroy_vm", successor)
    with pytest.raises(TransientError, match="cp-2 answers by now"):
        step(replacing(built, "cp-2"), STEP).apply(built.home.act("by-hand"), seen, Notebook())
    assert "cp-2" in {node.name for node in built.home.look().cluster.nodes()}
    assert members(built) == before


def test_the_member_goes_last_for_the_consent_is_to_it(built: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    off(built, "cp-2")
    built.home.look().cluster.nodes()
    seen, before = see(built, replacing(built, "cp-2"), STEP), members(built)
    monkeypatch.setattr(ModelledCluster, "forget_node", lambda *_: None)
    with pytest.raises(TransientError, match="its VM or its Node object is still there"):
        step(replacing(built, "cp-2"), STEP).apply(built.home.act("by-hand"), seen, Notebook())
    assert 8002 not in built.home.proxmox.vms
    assert members(built) == before


def test_its_commands_are_of_its_kind(built: Running) -> None:
    control_plane = step(replacing(built, "cp-2"), STEP).by_hand()
    worker = step(course(built.house, built.house.node("w-1")), "node.give-up/w-1").by_hand()
    assert "etcd remove-member" in control_plane
    assert "etcd" not in worker
    assert "kubectl delete node w-1" in worker
