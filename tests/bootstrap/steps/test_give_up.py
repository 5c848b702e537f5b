"""node.give-up: what is left of a lost node goes in one order, and never what has come up again since the consent."""

from __future__ import annotations

import pytest

from bootstrap.replace_node import course
from engine.errors import TransientError
from engine.probe import Condition
from lab.world.pve_vm import PowerEvent
from tests.hands import Notebook, see, step
from tests.scenario.running import Running
from tests.scenario.test_replace_node import built as built
from tests.scenario.test_replace_node import off, replacing

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


def test_its_commands_are_of_its_kind(built: Running) -> None:
    control_plane = step(replacing(built, "cp-2"), STEP).by_hand()
    worker = step(course(built.house, built.house.node("w-1")), "node.give-up/w-1").by_hand()
    assert "etcd remove-member" in control_plane
    assert "etcd" not in worker
    assert "kubectl delete node w-1" in worker
