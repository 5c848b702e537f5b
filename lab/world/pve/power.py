"""Power requests beyond on and off: asking the guest, resetting, restarting, standing still. Knows no protocol."""

from __future__ import annotations

from collections.abc import Callable

from lab.world.pve.access import Refusal
from lab.world.pve.cluster import LabProxmox, lock_file
from lab.world.pve.tasks import LabTask, TaskFailed
from lab.world.pve.vm import LabVm, PowerEvent

# How long Proxmox waits for a guest that was asked to go down and does not.
SHUTDOWN_WAIT_S = 60.0


class Power:
    """The requests about the power of a VM, on one cluster."""

    def __init__(self, proxmox: LabProxmox) -> None:
        self._pve = proxmox

    def shutdown(
        self, actor: str, host: str, vm_id: int, *, timeout: float | None = None, then_stop: bool = False
    ) -> LabTask:
        """Ask the guest to power off; one that hears nothing is waited for, and with `then_stop` stopped."""
        pve, wait = self._pve, SHUTDOWN_WAIT_S if timeout is None else timeout
        pve.access.require(actor, f"/vms/{vm_id}", "VM.PowerMgmt")
        vm = pve.vm(host, vm_id)
        if vm.paused and not then_stop:
            raise Refusal(500, "VM is paused - cannot shutdown")
        if vm.tended:
            return pve.ask_ha(vm, actor, on=False)
        heard = not vm.running or pve.hears(vm)

        def act(task: LabTask) -> None:
            pve.in_task_unlocked(vm)
            if vm.running and not heard:
                if not then_stop:
                    raise TaskFailed("VM quit/powerdown failed - got timeout")
                task.log.append("VM still running - terminating now with SIGTERM")
            pve.stop_now(vm)

        seconds = pve.delays.shutdown_s if heard else wait
        return pve.tasks.start(host, "qmshutdown", str(vm_id), actor, seconds, act, lock=lock_file(vm_id))

    def reboot(self, actor: str, host: str, vm_id: int, *, timeout: float | None = None) -> LabTask:
        """Ask the guest to power off and start it again, with what waited for that."""
        pve, vm = self._pve, self._running(actor, host, vm_id)
        heard = pve.hears(vm)

        def act(task: LabTask) -> None:
            pve.in_task_unlocked(vm)
            if not heard:
                raise TaskFailed("VM quit/powerdown failed")
            pve.power(vm, PowerEvent.STOPPED)
            pve.start_now(vm, task)

        seconds = pve.delays.shutdown_s + pve.delays.start_s if heard else timeout or SHUTDOWN_WAIT_S
        return pve.tasks.start(host, "qmreboot", str(vm_id), actor, seconds, act, lock=lock_file(vm_id))

    def reset(self, actor: str, host: str, vm_id: int) -> LabTask:
        """Press the reset button: the guest boots anew, on the same virtual hardware."""
        vm = self._running(actor, host, vm_id)

        def act(task: LabTask) -> None:
            waiting, vm.pending = vm.pending, {}
            self._pve.power(vm, PowerEvent.STOPPED)
            self._pve.power(vm, PowerEvent.STARTED)
            vm.pending = waiting

        return self._now(actor, vm, "qmreset", act)

    def suspend(self, actor: str, host: str, vm_id: int) -> LabTask:
        """Let it stand still."""
        vm = self._running(actor, host, vm_id)

        def act(task: LabTask) -> None:
            vm.paused = True

        return self._now(actor, vm, "qmsuspend", act)

    def resume(self, actor: str, host: str, vm_id: int) -> LabTask:
        """Let it go on."""
        vm = self._running(actor, host, vm_id)

        def act(task: LabTask) -> None:
            vm.paused = False

        return self._now(actor, vm, "qmresume", act)

    def _running(self, actor: str, host: str, vm_id: int) -> LabVm:
        self._pve.access.require(actor, f"/vms/{vm_id}", "VM.PowerMgmt")
        vm = self._pve.vm(host, vm_id)
        if not vm.running:
            raise Refusal(500, f"VM {vm_id} not running")
        return vm

    def _now(self, actor: str, vm: LabVm, kind: str, act: Callable[[LabTask], None]) -> LabTask:
        return self._pve.tasks.start(vm.host, kind, str(vm.vm_id), actor, 0.2, act, lock=lock_file(vm.vm_id))
