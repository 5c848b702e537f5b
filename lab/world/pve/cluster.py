"""The simulated Proxmox cluster: hosts, quorum, storages, VMs, and what each request does to them. Knows no protocol.

Refusals and delays are those of PVE 9: what it refuses at once raises `Refusal`, what it finds out in the worker ends the
task. Methods are called with the World held still (`world.looking()`).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from lab.world.cluster.ceph import LabCeph
from lab.world.disks import GIB, LabVolume, Storages
from lab.world.images import Images
from lab.world.pve.access import Access, Refusal
from lab.world.pve.fetch import fetch_modelled
from lab.world.pve.pools import Pools
from lab.world.pve.starting import Room, why_not
from lab.world.pve.tasks import LabTask, TaskFailed, Tasks
from lab.world.pve.vm import Drive, LabVm, PowerEvent
from lab.world.world import World

Hook = Callable[[LabVm, PowerEvent], None]


class Fetch(Protocol):
    """What a host gets for a URL; raises FetchFailed. `verify` False: whatever certificate answers."""

    def __call__(self, url: str, /, *, verify: bool = True) -> bytes: ...


@dataclass
class LabHost:
    """One Proxmox host. Memory in bytes; `skew` is how many seconds its clock is ahead.

    `mute`: its status daemon says nothing, all else works. `met`: the others have seen it since they came up, and so know
    its address.
    """

    name: str
    memory: int = 64 * GIB
    cpus: int = 16
    online: bool = True
    mute: bool = False
    met: bool = True
    skew: float = 0.0
    bridges: tuple[str, ...] = ("vmbr0",)
    # What the host itself and its caches take.
    own_memory: int = 2 * GIB
    # It was told to go off, or was woken, and is not there yet.
    going: bool = False
    waking: bool = False
    # What wakes it over the network, as `pvenode config set --wakeonlan` says it; "" for nothing.
    wake_mac: str = ""
    # SHA-256 of its endpoint's certificate, in hex with colons; "" where nothing listens.
    fingerprint: str = ""


@dataclass
class Delays:
    """Seconds of the World's clock that the workers take."""

    create_s: float = 2.0
    import_s: float = 6.0
    start_s: float = 1.5
    stop_s: float = 1.0
    destroy_s: float = 2.0
    download_s: float = 8.0
    resize_s: float = 1.0
    delete_s: float = 1.0
    config_s: float = 0.5
    # How long a guest takes to go down when it is asked to.
    shutdown_s: float = 1.0
    # How long a host takes to go off, its guests ended first, and to be on again.
    host_down_s: float = 20.0
    host_up_s: float = 90.0
    # How long after a stop its clean-up comes, and how long that holds the VM's lock where it finds the VM running again.
    cleanup_s: float = 1.0
    cleanup_hold_s: float = 30.0
    # How long after it was told to does the HA manager begin with a VM.
    ha_s: float = 10.0


class LabProxmox:
    """The whole cluster. `name` "" makes it a host that stands alone."""

    def __init__(self, world: World, name: str = "lab", version: str = "9.1.4") -> None:
        self.world = world
        self.name = name
        self.version = version
        self.delays = Delays()
        self.hosts: dict[str, LabHost] = {}
        self.storages = Storages()
        self.vms: dict[int, LabVm] = {}
        self.access = Access()
        self.pools = Pools(self.access, lambda: self.quorate, self.vms)
        self.tasks = Tasks(world)
        self.images = Images()
        self.fetch: Fetch = partial(fetch_modelled, self.images)
        self.on_power: list[Hook] = []
        self.ceph: LabCeph | None = None
        # Whether a guest does as it is told; one without a system on its disks hears nothing.
        self.hears: Callable[[LabVm], bool] = has_system

    def new_uuid(self) -> str:
        """A UUID that nothing else has."""
        return str(uuid.UUID(int=self.world.random.getrandbits(128), version=4))

    # Hosts.

    def add_host(self, host: LabHost) -> LabHost:
        """Add one host."""
        self.hosts[host.name] = host
        return host

    @property
    def quorate(self) -> bool:
        """Whether more than half of the hosts are up."""
        return sum(host.online for host in self.hosts.values()) * 2 > len(self.hosts) or not self.name

    def host_down(self, name: str) -> None:
        """Pull a host's plug: its VMs are off, its tasks are gone, its configurations stay under its name."""
        self.hosts[name].online = self.hosts[name].going = False
        self.tasks.break_off(name)
        for vm in self.vms_on(name):
            self.power(vm, PowerEvent.STOPPED)

    def power_cut(self) -> None:
        """Every host is off at once. As they come up, those that did not yet are names without an address to the others."""
        for name, host in self.hosts.items():
            self.host_down(name)
            host.met = False

    def host_up(self, name: str) -> None:
        """Plug it in again; VMs with `onboot` start when there is a quorum."""
        self.hosts[name].online = self.hosts[name].met = True
        for vm in self.vms_on(name):
            if vm.options.get("onboot") == 1 and not vm.lock and self.quorate:
                self.power(vm, PowerEvent.STARTED)

    def reach(self, name: str) -> LabHost:
        """The host of this name; a Refusal as another host would give it, when there is none or it is down."""
        host = self.hosts.get(name)
        if host is None or not (host.online or host.met):
            raise Refusal(
                500,
                f"hostname lookup '{name}' failed - failed to get address info for: {name}: Temporary failure in name resolution",
            )
        if not host.online:
            raise Refusal(595, "No route to host")
        return host

    @property
    def online(self) -> tuple[str, ...]:
        """Names of the hosts that have power."""
        return tuple(sorted(host.name for host in self.hosts.values() if host.online))

    def ceph_metadata(self) -> Mapping[str, Any]:
        """Which hosts have Ceph's programs, in which version: empty where none has."""
        return self.ceph.metadata() if self.ceph is not None else {}

    def ceph_on(self, host: str) -> LabCeph:
        """The Ceph that this host is in; a host's own words where there is none."""
        self.reach(host)
        if self.ceph is None:
            raise Refusal(500, "binary not installed: /usr/bin/ceph-mon")
        return self.ceph

    def free_memory(self, host: LabHost) -> int:
        """Bytes that neither the host nor a running VM takes."""
        taken = sum(vm.memory for vm in self.vms_on(host.name) if vm.running)
        return max(0, host.memory - host.own_memory - taken)

    def need_quorum(self) -> None:
        """Raise PVE's refusal without a quorum."""
        if not self.quorate:
            raise Refusal(500, "cluster not ready - no quorum?")

    # VMs.

    def vms_on(self, host: str) -> list[LabVm]:
        """VMs whose configuration is under this host, by id."""
        return [vm for _, vm in sorted(self.vms.items()) if vm.host == host]

    def vm(self, host: str, vm_id: int) -> LabVm:
        """The VM on this host; PVE's text when it is not there."""
        self.reach(host)
        vm = self.vms.get(vm_id)
        if vm is None or vm.host != host:
            raise Refusal(500, f"Configuration file 'nodes/{host}/qemu-server/{vm_id}.conf' does not exist")
        return vm

    def vm_of_mac(self, mac: str) -> LabVm | None:
        """The VM that has a card with this MAC; of several the one that runs (another may lie on a host that is dead)."""
        having = [vm for vm in self.vms.values() if mac.lower() in vm.macs]
        return max(having, key=lambda vm: vm.running, default=None)

    def power(self, vm: LabVm, event: PowerEvent) -> None:
        """Change a VM's power and tell the hooks; nothing happens when it is so already."""
        running = event is PowerEvent.STARTED
        if event is not PowerEvent.DESTROYED and vm.running == running:
            return
        if running:
            self._free(vm.host, *vm.come_true())
        vm.running, vm.paused, vm.started_at = running, False, self.world.clock.monotonic()
        self.world.happened("proxmox", f"VM {vm.vm_id} {event.value}")
        for hook in self.on_power:
            hook(vm, event)

    def start_vm(self, actor: str, host: str, vm_id: int) -> LabTask:
        """Power on."""
        self.access.require(actor, f"/vms/{vm_id}", "VM.PowerMgmt")
        vm = self.vm(host, vm_id)
        self.need_quorum()
        if vm.tended:
            return self.ask_ha(vm, actor, on=True)
        return self._start(vm, actor)

    def ask_ha(self, vm: LabVm, actor: str, *, on: bool) -> LabTask:
        """The HA manager is told what state to bring the VM to: the task ends at once, and what it does about that comes later."""

        def by_itself() -> None:
            if self.vms.get(vm.vm_id) is vm and self.hosts[vm.host].online and vm.running != on and vm.tended:
                self._start(vm, "root@pam") if on else self._stop(vm, "root@pam")

        def act(task: LabTask) -> None:
            task.log.append(f"Requesting HA {'start' if on else 'stop'} for VM {vm.vm_id}")
            vm.ha = "started" if on else "stopped"
            self.world.after(self.delays.ha_s, f"HA brings VM {vm.vm_id} {'up' if on else 'down'}", by_itself)

        return self.tasks.start(vm.host, "hastart" if on else "hastop", str(vm.vm_id), actor, 0.5, act)

    def _start(self, vm: LabVm, actor: str) -> LabTask:
        vm_id = vm.vm_id

        def act(task: LabTask) -> None:
            self.in_task_unlocked(vm)
            if vm.options.get("template") == 1:
                raise TaskFailed("you can't start a vm if it's a template")
            if vm.running:
                raise TaskFailed(f"VM {vm_id} already running")
            self.start_now(vm, task)

        return self.tasks.start(vm.host, "qmstart", str(vm_id), actor, self.delays.start_s, act, lock=lock_file(vm_id))

    def start_now(self, vm: LabVm, task: LabTask) -> None:
        """What the worker of a start does at its end."""
        host = self.hosts[vm.host]
        if lines := why_not(vm, Room(host.cpus, host.memory, host.bridges), self.storages):
            task.log += lines[:-1]
            raise TaskFailed(lines[-1])
        if vm.options.get("bios") == "ovmf" and "efidisk0" not in vm.drives:
            task.warn("no efidisk configured! Using temporary efivars disk.")
        self.power(vm, PowerEvent.STARTED)

    def stop_vm(self, actor: str, host: str, vm_id: int) -> LabTask:
        """Power off at once; one that is off stays off."""
        self.access.require(actor, f"/vms/{vm_id}", "VM.PowerMgmt")
        vm = self.vm(host, vm_id)
        return self.ask_ha(vm, actor, on=False) if vm.tended else self._stop(vm, actor)

    def _stop(self, vm: LabVm, actor: str) -> LabTask:
        def act(task: LabTask) -> None:
            self.in_task_unlocked(vm)
            self.stop_now(vm)

        return self.tasks.start(vm.host, "qmstop", str(vm.vm_id), actor, self.delays.stop_s, act, lock=lock_file(vm.vm_id))

    def stop_now(self, vm: LabVm) -> None:
        """Take a VM's power away, which starts a clean-up: one that finds it running again waits with the lock in its hand."""

        def clean_up() -> None:
            if self.tasks.locked(lock_file(vm.vm_id)):
                self.world.after(0.05, f"clean-up of VM {vm.vm_id} waits", clean_up)
            elif vm.running:
                self.tasks.hold(lock_file(vm.vm_id), self.delays.cleanup_hold_s)

        if vm.running:
            self.world.after(self.delays.cleanup_s, f"clean-up of VM {vm.vm_id}", clean_up)
        self.power(vm, PowerEvent.STOPPED)

    def destroy_vm(
        self, actor: str, host: str, vm_id: int, *, unreferenced: bool = False, purge: bool = False
    ) -> LabTask:
        """Remove the VM and the disks of its configuration; what was on them is lost.

        `unreferenced`: other disks that carry its id too. `purge`: it is taken out of backup jobs and the like.
        """
        self.access.require(actor, f"/vms/{vm_id}", "VM.Allocate")
        vm = self.vm(host, vm_id)
        if vm.options.get("protection") == 1:
            raise Refusal(500, f"can't remove VM {vm_id} - protection mode enabled")
        if vm.ha and not purge:
            raise Refusal(500, f"unable to remove VM {vm_id} - used in HA resources and purge parameter not set.")
        if vm.running:
            raise Refusal(500, f"VM {vm_id} is running - destroy failed")

        def act(task: LabTask) -> None:
            self.in_task_unlocked(vm)
            if vm.running:
                raise TaskFailed(f"VM {vm_id} is running - destroy failed")
            if not self.quorate:
                # The disks go first; then the configuration cannot be written, and names disks that are gone.
                self._free_disks(vm, unreferenced=unreferenced)
                raise TaskFailed(unwritable(vm))
            self.remove(vm, unreferenced=unreferenced)
            task.log += [f"purging VM {vm_id} from related configurations.."] if purge else []

        return self.tasks.start(host, "qmdestroy", str(vm_id), actor, self.delays.destroy_s, act, lock=lock_file(vm_id))

    def remove(self, vm: LabVm, *, unreferenced: bool = False) -> None:
        """Take a VM out of the house at once, with its disks, and tell the hooks."""
        self.vms.pop(vm.vm_id, None)
        self._free_disks(vm, unreferenced=unreferenced)
        vm.running = False
        self.power(vm, PowerEvent.DESTROYED)

    # Shared with creating and configuring.

    def _free_disks(self, vm: LabVm, *, unreferenced: bool) -> None:
        waiting = [entry for entry in vm.pending.values() if isinstance(entry, Drive)]
        for drive in [*vm.drives.values(), *waiting]:
            if drive.volume is not None and vm.owns(drive.volume):
                self._free(vm.host, drive.volume)
        if unreferenced:
            for storage in self.storages.of(vm.host):
                for volume in [v for v in storage.volumes.values() if v.content == "images" and v.vm_id == vm.vm_id]:
                    storage.free(volume.volume)

    def _free(self, host: str, *volumes: LabVolume) -> None:
        for volume in volumes:
            storage = self.storages.find(host, volume.storage)
            if storage is not None:
                storage.free(volume.volume)

    def in_task_unlocked(self, vm: LabVm) -> None:
        """In a worker: raise TaskFailed where the VM is locked, or is not there any more."""
        if vm.lock:
            raise TaskFailed(f"VM is locked ({vm.lock})")
        if self.vms.get(vm.vm_id) is not vm:
            raise TaskFailed(f"Configuration file 'nodes/{vm.host}/qemu-server/{vm.vm_id}.conf' does not exist")


def has_system(vm: LabVm) -> bool:
    """Whether anything that was installed or imported runs in this VM. One without any drive is scenery, and does as it is told."""
    disks = [volume.contents for _, volume in vm.guest_disks()]
    return not disks or any(contents.image or contents.data for contents in disks)


def lock_file(vm_id: int) -> str:
    """Path of the file that a VM's workers lock."""
    return f"/var/lock/qemu-server/lock-{vm_id}.conf"


def unwritable(vm: LabVm) -> str:
    """What a change of a VM's configuration says without a quorum."""
    return f"unable to open file '/etc/pve/nodes/{vm.host}/qemu-server/{vm.vm_id}.conf.tmp.4711' - Permission denied"
