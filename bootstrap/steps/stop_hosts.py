"""Switch off the hosts of a house once no node is on, and before its own host a NAS that is a VM. Knows no application."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Event

from adapters.context import ActContext, LookContext
from adapters.proxmox.results import VM_GOES_OFF_S, PowerState, ProxmoxCluster, Vm
from cluster.machines.parting import Parting, awake, is_nas
from cluster.machines.vms import await_task
from engine.errors import TransientError
from engine.probe import Probe, changing, missing, satisfied, unknown
from engine.step import BaseStep, Hazard, Notes, StepId
from engine.waiting import wait_until
from house.model import House
from house.values.nas import Nas

OFF_LIMIT_S = 900.0
"""A host gives its guests three minutes each, some at a time."""
TASK_S = 60.0
"""From the end of Proxmox' own wait for a guest to the end of the task that it waits in."""


@dataclass(frozen=True)
class StopHost(BaseStep):
    """One host off, as far as the others see it. The `last` one nobody sees: it is off once no Proxmox answers any more, where this
    run has asked it to; a silence of before is a network's, as likely as not."""

    house: House
    host: str
    last: bool
    needs: tuple[str, ...] = ()
    asked: Event = field(default_factory=Event, compare=False, repr=False)
    system = "proxmox"
    ready_s = OFF_LIMIT_S

    @property
    def id(self) -> StepId:
        return StepId(f"stop.host/{self.host}")

    @property
    def title(self) -> str:
        return f"{self.host} off" + (", the last" if self.last else "")

    def hazard(self, seen: Probe) -> Hazard:
        # The consent was given to what comes first, preflight.host-off.
        return Hazard.DISRUPTS

    def probe(self, look: LookContext) -> Probe:
        cluster = self._cluster(look)
        if cluster is None and not self.asked.is_set():
            return unknown(f"no Proxmox host answers, and {self.host} was not asked to go off yet: it may be on")
        if cluster is None:
            return satisfied("no Proxmox host answers any more: off, as far as can be seen from here")
        on = awake(look, self.house, cluster)
        if on:
            return unknown(f"{', '.join(node.name for node in on)} may be on still: with its host it would lose its power")
        if self.host in cluster.offline:
            return satisfied(f"off, as far as {cluster.asked or 'the others'} can see")
        return missing(f"{self.host} is on")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        act.proxmox.shut_down_host(self.host)
        self.asked.set()
        wait_until(act.clock, lambda: self._is_off(act) or None, limit_s=OFF_LIMIT_S, what=f"{self.host} to go off")

    def _is_off(self, act: ActContext) -> bool:
        cluster = self._cluster(act)
        return cluster is None or self.host in cluster.offline

    def _cluster(self, doors: LookContext | ActContext) -> ProxmoxCluster | None:
        """None where none is left that could answer. While any other may be there, a silence is none of its doing."""
        try:
            return doors.proxmox.cluster()
        except TransientError:
            if not self.last:
                raise
            return None

    def by_hand(self) -> str:
        return f"shutdown -h now   # on {self.host}" + (", after all others" if self.last else "")


@dataclass(frozen=True)
class StopNas(BaseStep):
    """A NAS that is a VM, off by its own system: its power is never cut here."""

    nas: Nas
    needs: tuple[str, ...] = ()
    system = "proxmox"
    ready_s = VM_GOES_OFF_S + TASK_S

    @property
    def id(self) -> StepId:
        return StepId(f"stop.nas/{self.nas.name}")

    @property
    def title(self) -> str:
        return f"NAS {self.nas.name} off (VM {self.nas.vm})"

    @property
    def inputs(self) -> str:
        return f"{self.nas.vm} {self.nas.vm_name}"

    def hazard(self, seen: Probe) -> Hazard:
        # The consent was given to what comes first, preflight.nas-off.
        return Hazard.DISRUPTS

    def probe(self, look: LookContext) -> Probe:
        vm = self._vm(look)
        if vm is None:
            return satisfied(f"Proxmox shows no VM {self.nas.vm} {self.nas.vm_name}")
        if not vm.readable:
            if vm.host in look.proxmox.cluster().offline:
                return satisfied(f"{vm.host}, which it is on, is off, or out of sight")
            return unknown(f"VM {vm.vm_id} on {vm.host} cannot be read")
        if vm.power is PowerState.STOPPED:
            return satisfied(f"VM {vm.vm_id} is off")
        if vm.lock:
            return changing(f"VM {vm.vm_id} is locked: {vm.lock}")
        if any(task.kind == "qmshutdown" and task.target == str(vm.vm_id) for task in look.proxmox.running_tasks()):
            return changing(f"VM {vm.vm_id} is going off")
        return missing(f"VM {vm.vm_id} runs on {vm.host}")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        vm = self._vm(act)
        if vm is not None and vm.power is not PowerState.STOPPED:
            ref = act.proxmox.shut_down_vm(vm.host, vm.vm_id)
            await_task(act.proxmox, act.clock, notes, ref, VM_GOES_OFF_S + TASK_S)

    def _vm(self, doors: LookContext | ActContext) -> Vm | None:
        return next((vm for vm in doors.proxmox.vms() if is_nas(vm, self.nas)), None)

    def by_hand(self) -> str:
        return f"qm shutdown {self.nas.vm} --timeout {VM_GOES_OFF_S:.0f}   # on its Proxmox host, after all that uses it"


def steps(house: House, going: Parting, needs: tuple[str, ...]) -> Iterator[StopHost | StopNas]:
    """One for each host and each NAS in a VM. `needs`: what comes before the first of them."""
    nas = tuple(one for one in house.nas if one.vm)
    first = tuple(StopHost(house, host, False, needs) for host in going.first)
    yield from first
    then = (*needs, *(one.id for one in first))
    for one in nas:
        yield StopNas(one, then)
    served = (*then, *(f"stop.nas/{one.name}" for one in nas))
    between = tuple(StopHost(house, host, False, served) for host in going.with_nas)
    yield from between
    yield StopHost(house, going.last, True, (*served, *(one.id for one in between)))
