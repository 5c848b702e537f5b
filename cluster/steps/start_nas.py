"""Switch on the VM of a NAS that something lies on, and wait until TrueNAS answers with its pools. Never makes or changes one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from adapters.context import ActContext, LookContext
from adapters.nas.results import NasLook, NasTrouble, Trouble, Unheard
from adapters.proxmox.results import PowerState
from cluster.machines.vms import STARTS, await_task, require_quorum
from cluster.storage.nas.machine import machine_of
from cluster.storage.nas.starting import is_up
from cluster.storage.nas.uses import waiting
from engine.errors import PermanentError
from engine.probe import Probe, changing, missing, satisfied, unknown
from engine.step import BaseStep, Notes, StepId
from house.model import House
from house.values.nas import Nas

START_LIMIT_S = 120.0
BOOTS_S = 900.0
"""From the start of the VM to its pools: a machine with many disks takes minutes for its firmware alone."""
_STRANGE = (Trouble.CERTIFICATE, Trouble.OTHER, Trouble.GARBLED)


@dataclass(frozen=True)
class StartNas(BaseStep):
    """One NAS running. What is wrong with it then, its own rows say."""

    house: House
    nas: Nas
    system = "proxmox"
    standing = True
    ready_s = BOOTS_S

    @property
    def id(self) -> StepId:
        return StepId(f"nas.start/{self.nas.name}")

    @property
    def title(self) -> str:
        return f"NAS {self.nas.name} running (VM {self.nas.vm})"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"nas.may-start/{self.nas.name}", "proxmox.lift-reservation")

    @property
    def inputs(self) -> str:
        return f"{self.nas.vm} {self.nas.vm_name}"

    def probe(self, look: LookContext) -> Probe:
        seen = look.nas.look(self.nas)
        if is_up(seen):
            return self._up(seen)
        assert seen.trouble is not None  # else it is up
        if seen.trouble.trouble is Trouble.UNASKED:
            return unknown(f"whether it runs is not known: {seen.trouble.detail}", hint=seen.trouble.hint)
        return self._silent(look, seen.trouble)

    def _up(self, seen: NasLook) -> Probe:
        """It answers: whether it is still at starting."""
        if seen.trouble is not None:
            return satisfied(f"it runs, and {seen.trouble.trouble.value}")
        if seen.state not in ("", "READY"):
            return changing(f"TrueNAS answers, and is {seen.state}: waiting until it says READY")
        just_started = seen.up_s is not None and seen.up_s < BOOTS_S
        if isinstance(seen.pools, Unheard):
            if just_started:
                return changing(f"TrueNAS answers, and does not tell its pools yet: {seen.pools.why}")
            return satisfied(f"TrueNAS {seen.version} answers; its pools could not be asked: {seen.pools.why}")
        absent = [one.name for one in seen.pools if one.status == "OFFLINE"]
        if absent and just_started:
            return changing(f"TrueNAS answers, and has just started: waiting for pool {', '.join(absent)}")
        return satisfied(f"TrueNAS {seen.version} answers" + (f", without pool {', '.join(absent)}" if absent else ""))

    def _silent(self, look: LookContext, trouble: NasTrouble) -> Probe:
        vm = machine_of(self.nas, look.proxmox)
        told = f"VM {vm.vm_id} {vm.name}"
        if vm.power is PowerState.RUNNING and trouble.trouble is Trouble.CERTIFICATE:
            return satisfied(f"{told} runs on {vm.host}, and {trouble.trouble.value}")  # no wait brings another
        if vm.power is PowerState.RUNNING:
            waits = f"waiting for TrueNAS: {self.nas.address} {trouble.trouble.value}: {trouble.detail}"
            return changing(f"{told} runs on {vm.host}, {waits}", hint=trouble.hint)
        if vm.lock:
            return changing(f"{told} is locked: {vm.lock}")
        # A second start would fail while one is at work, which its configuration does not show.
        for task in look.proxmox.running_tasks():
            if task.kind in STARTS and task.target == str(vm.vm_id):
                return changing(f"{told} is being started", task.ref.upid)
        if vm.power is PowerState.OTHER:
            return unknown(f"Proxmox does not tell whether {told} runs")
        if trouble.trouble in _STRANGE:
            raise PermanentError(
                f"{told} is off, and something else answers at {self.nas.address}: {trouble.detail}",
                hint="whoever has the NAS's address would be in its way; is it another VM than that of the settings?",
            )
        waits_for_it = waiting(self.nas, self.house.claims)
        backups = f"; backups that wait for it: {', '.join(waits_for_it)}" if waits_for_it else ""
        return missing(f"{told} is off, on {vm.host}{backups}")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        require_quorum(act.proxmox)
        vm = machine_of(self.nas, act.proxmox)
        ref = act.proxmox.start_vm(vm.host, vm.vm_id)
        await_task(act.proxmox, act.clock, notes, ref, START_LIMIT_S)

    def by_hand(self) -> str:
        return f"qm start {self.nas.vm}   # on its Proxmox host; then https://{self.nas.address} opens, and Storage shows its pools"


def steps(house: House, wanted: Iterable[Nas]) -> Iterator[StartNas]:
    """One for each of these, which are VMs."""
    for nas in wanted:
        yield StartNas(house, nas)
