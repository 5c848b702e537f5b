"""Switch a node's VM on. Knows nothing of what boots in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from adapters.proxmox.results import PowerState
from bootstrap.needs import TO_CHANGE_VMS
from bootstrap.steps.stop_nodes import OFF_LIMIT_S
from cluster.machines.vms import STARTS, await_task, find_vm, require_quorum
from engine.errors import BlackstartError
from engine.probe import Probe, changing, missing, satisfied, unknown
from engine.step import BaseStep, Notes, StepId, if_any
from house.model import House, Node

START_LIMIT_S = 120.0
_GOING_OFF = "shuttingdown"


@dataclass(frozen=True)
class StartVm(BaseStep):
    """One VM running. `after`: what comes before it, where it is not made in the same course. `after_a_stop`: it may be going
    off just now, for a stop that was cut off a moment ago, and is on only once it was off."""

    house: House
    node: Node
    after: tuple[str, ...] = ()
    after_a_stop: bool = False
    system = "proxmox"
    standing = True

    @property
    def id(self) -> StepId:
        return StepId(f"proxmox.start-vm/{self.node.name}")

    @property
    def title(self) -> str:
        return f"VM {self.node.vm_id} running"

    @property
    def needs(self) -> tuple[str, ...]:
        if self.after:
            return self.after
        first = (*TO_CHANGE_VMS, f"preflight.host/{self.node.host}", f"preflight.room/{self.node.host}")
        return (*first, f"proxmox.create-vm/{self.node.name}", if_any(f"proxmox.grow-disk/{self.node.name}-*"))

    @property
    def ready_s(self) -> float:
        return START_LIMIT_S + (OFF_LIMIT_S if self.after_a_stop else 0.0)

    @property
    def inputs(self) -> str:
        return str(self.node.vm_id)

    def probe(self, look: LookContext) -> Probe:
        vm = find_vm(look.proxmox, self.house, self.node)
        if vm is None:
            return unknown(f"VM {self.node.vm_id} is not there")
        if vm.power is PowerState.RUNNING:
            if self.after_a_stop and self._goes_off(look):
                return changing(f"VM {vm.vm_id} on {vm.host} is still going off")
            return satisfied(f"VM {vm.vm_id} runs on {vm.host}")
        if vm.lock:
            return changing(f"VM {vm.vm_id} is locked: {vm.lock}")
        # Its config holds no lock for long while it starts, and a second start would fail: "already running".
        for task in look.proxmox.running_tasks():
            if task.kind in STARTS and task.target == str(vm.vm_id):
                return changing(f"VM {vm.vm_id} is being started", task.ref.upid)
        if vm.power is PowerState.OTHER:
            return unknown(f"Proxmox does not tell whether VM {vm.vm_id} runs")
        return missing(f"VM {vm.vm_id} is {vm.power.value}")

    def _goes_off(self, look: LookContext) -> bool:
        try:
            return look.talos.machine(self.node.address).stage.replace(" ", "").lower() == _GOING_OFF
        except BlackstartError:
            return False  # silent, or not set up: whatever it does, it says nothing

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        require_quorum(act.proxmox)
        ref = act.proxmox.start_vm(self.node.host, self.node.vm_id)
        await_task(act.proxmox, act.clock, notes, ref, START_LIMIT_S)

    def by_hand(self) -> str:
        return f"qm start {self.node.vm_id}   # on {self.node.host}"


def steps(house: House) -> Iterator[StartVm]:
    """One for every node."""
    for node in house.vms:
        yield StartVm(house, node)
