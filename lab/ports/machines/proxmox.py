"""The Proxmox port, in process: the World's cluster without HTTP, with the same refusals. Knows no client."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from adapters.ceph.results import HostedCeph
from adapters.proxmox.backups import vm_backups
from adapters.proxmox.ceph import hosted_ceph
from adapters.proxmox.errors import refusal
from adapters.proxmox.hardware import beyond, hardware_of
from adapters.proxmox.making import create_parameters
from adapters.proxmox.meanings import HostUnknown
from adapters.proxmox.owner import token_in
from adapters.proxmox.reading import passed_through
from adapters.proxmox.reserving import PRIVILEGES, MayNotReserve, Party
from adapters.proxmox.results import (
    EVERY,
    VM_GOES_OFF_S,
    HostStatus,
    PowerState,
    ProxmoxCluster,
    Reservation,
    RunningTask,
    Storage,
    StoredImage,
    TaskRef,
    TaskStatus,
    Vm,
    VmBackups,
    VmDisk,
    VmSpec,
)
from engine.errors import PermanentError, TransientError
from house.values.hardware import Hardware
from lab.world.pve.access import Refusal
from lab.world.pve.cluster import LabProxmox
from lab.world.pve.config import Configuring
from lab.world.pve.hosts import HostPower
from lab.world.pve.images import Volumes
from lab.world.pve.making import Making
from lab.world.pve.notation import new_vm
from lab.world.pve.power import Power
from lab.world.pve.tasks import LabTask, patiently
from lab.world.pve.vm import LabVm

_LOG_LINES = 25
T = TypeVar("T")


class ModelledProxmox:
    """Proxmox port over a LabProxmox, acting as `actor` (an API token's id). Faults stand before it (lab/ports/faulty.py)."""

    def __init__(self, proxmox: LabProxmox, actor: str = "root@pam", party: Party | None = None) -> None:
        self._pve = proxmox
        self._world = proxmox.world
        self._making, self._volumes, self._configuring = Making(proxmox), Volumes(proxmox), Configuring(proxmox)
        self._hosts = HostPower(proxmox)
        self._actor = actor
        self._party = party or Party("blackstart-house", "somebody")

    def cluster(self) -> ProxmoxCluster:
        """See ports.ProxmoxView."""

        def look() -> ProxmoxCluster:
            self._pve.access.require(self._actor, "/", "Sys.Audit")
            up = tuple(sorted(host.name for host in self._pve.hosts.values() if host.online))
            down = tuple(sorted(host.name for host in self._pve.hosts.values() if not host.online))
            mute = tuple(sorted(host.name for host in self._pve.hosts.values() if host.online and host.mute))
            return ProxmoxCluster(self._pve.name, self._pve.quorate, up, down, self._pve.version, mute, next(iter(up), ""))

        return self._look("read the cluster's status", look)

    def missing_privileges(self, wanted: Sequence[tuple[str, str]]) -> tuple[str, ...]:
        """See ports.ProxmoxView."""

        def look() -> tuple[str, ...]:
            paths = dict.fromkeys(path for path, _ in wanted)
            held = {path: self._pve.access.held(self._actor, path, below=path in EVERY) for path in paths}
            return tuple(
                f"{path}: {name}" for path in paths for at, name in wanted if at == path and name not in held[path]
            )

        return self._look("read the token's privileges", look)

    def hosts(self) -> tuple[HostStatus, ...]:
        """See ports.ProxmoxView."""

        def look() -> tuple[HostStatus, ...]:
            found = []
            for name in self._online():
                self._pve.access.require(self._actor, f"/nodes/{name}", "Sys.Audit")
                host = self._pve.hosts[name]
                clock = float(int(self._world.clock.now() + host.skew))
                found.append(HostStatus(name, host.memory, self._pve.free_memory(host), host.cpus, clock))
            return tuple(found)

        return self._look("read the status of the hosts", look)

    def storages(self, host: str) -> tuple[Storage, ...]:
        """See ports.ProxmoxView."""

        def look() -> tuple[Storage, ...]:
            self._pve.reach(host)
            return tuple(
                Storage(each.name, host, each.kind, each.content, each.shared, each.active, each.available, each.total)
                for each in self._pve.storages.of(host)
                if self._pve.access.may(
                    self._actor, f"/storage/{each.name}", "Datastore.Audit", "Datastore.AllocateSpace"
                )
            )

        return self._look(f"list the storages of host {host}", look)

    def vms(self) -> tuple[Vm, ...]:
        """See ports.ProxmoxView."""

        def look() -> tuple[Vm, ...]:
            self._need_a_host()
            return tuple(
                self._vm(vm)
                for _, vm in sorted(self._pve.vms.items())
                if self._pve.access.may(self._actor, f"/vms/{vm.vm_id}", "VM.Audit")
            )

        return self._look("list the VMs", look)

    def images(self, host: str, storage: str) -> tuple[StoredImage, ...]:
        """See ports.ProxmoxView."""

        def look() -> tuple[StoredImage, ...]:
            self._pve.access.require(self._actor, f"/storage/{storage}", "Datastore.Audit", "Datastore.AllocateSpace")
            found = self._volumes.storage(host, storage)
            files = (volume for _, volume in sorted(found.volumes.items()) if volume.content in ("import", "iso"))
            return tuple(StoredImage(volume.volume, volume.size, volume.content) for volume in files)

        return self._look(f"list what is on storage {storage} of host {host}", look)

    def left_disks(self, host: str, storage: str, vm_id: int) -> tuple[StoredImage, ...]:
        """See ports.ProxmoxView."""

        def look() -> tuple[StoredImage, ...]:
            self._pve.access.require(self._actor, f"/storage/{storage}", "Datastore.Audit", "Datastore.AllocateSpace")
            volumes = (volume for _, volume in sorted(self._volumes.storage(host, storage).volumes.items()))
            disks = (volume for volume in volumes if volume.content == "images" and volume.vm_id == vm_id)
            return tuple(StoredImage(disk.volume, disk.size, disk.content) for disk in disks)

        return self._look(f"list what is on storage {storage} of host {host}", look)

    def backups(self, vm_id: int) -> VmBackups:
        """See ports.ProxmoxView: the adapter's own way, over this world."""

        def rows(path: str, doing: str, only: Mapping[str, object]) -> list[dict[str, Any]]:
            _, _, host, _, storage, _ = path.split("/")
            volumes = self._volumes.storage(host, storage).volumes.values()
            return [
                {"volid": one.volume, "ctime": int(one.created), "size": one.size}
                | ({"verification": {"state": one.verified}} if one.verified else {})
                for one in volumes if (one.content, one.vm_id) == (only["content"], only["vmid"])
            ]  # fmt: skip

        def look() -> VmBackups:
            self._need_a_host()
            hosts = {name: host.online for name, host in sorted(self._pve.hosts.items())}
            return vm_backups(vm_id, hosts, self.storages, self.missing_privileges, rows)

        return self._look(f"list the backups of VM {vm_id}", look)

    def running_tasks(self) -> tuple[RunningTask, ...]:
        """See ports.ProxmoxView."""

        def look() -> tuple[RunningTask, ...]:
            return tuple(
                RunningTask(TaskRef(task.upid, host), task.kind, task.target)
                for host in self._online()
                for task in self._pve.tasks.of(host)
                if task.running
            )

        return self._look("list the tasks", look)

    def task(self, ref: TaskRef) -> TaskStatus:
        """See ports.ProxmoxView."""

        def look() -> TaskStatus:
            self._pve.reach(ref.host)
            task = self._pve.tasks.find(ref.upid)
            if task is None or task.host != ref.host:
                raise Refusal(400, "Parameter verification failed.", {"upid": "no such task"})
            if task.running:
                return TaskStatus(ref, running=True, ok=False, exit_status="")
            ok = task.exit_status == "OK" or task.exit_status.startswith("WARNINGS: ")
            tail = () if task.exit_status == "OK" else tuple(task.log[-_LOG_LINES:]) or ("no content",)
            return TaskStatus(ref, running=False, ok=ok, exit_status=task.exit_status, log_tail=tail)

        return self._look("look at a task", look)

    def ceph(self) -> HostedCeph | None:
        """See ports.ProxmoxView. The adapter's own questions, put to the World."""

        def ask(method: str, path: str, doing: str, parameters: object = None) -> Any:
            return self._look(doing, lambda: self._ceph_answer(path))

        return hosted_ceph(ask, self._look("list the hosts", self._online))

    def _ceph_answer(self, path: str) -> Any:
        self._pve.access.require(self._actor, "/", "Sys.Audit")
        _, _, host, _, call = path.split("/") if path.startswith("/nodes/") else ("", "", "", "", "metadata")
        if call == "metadata":
            return self._pve.ceph_metadata()
        ceph = self._pve.ceph_on(host)
        return (ceph.status if call == "status" else ceph.pool_rows)(host, self._pve.online)

    def download_image(self, host: str, storage: str, filename: str, url: str, sha256: str) -> TaskRef:
        """See ports.Proxmox."""
        return self._start(
            f"download {filename} on {host}",
            lambda: self._volumes.download(self._actor, host, storage, filename, url, sha256, "sha256"),
        )

    def create_vm(self, spec: VmSpec) -> TaskRef:
        """See ports.Proxmox."""
        new = new_vm(spec.host, create_parameters(spec))
        return self._start(f"make VM {spec.vm_id}", lambda: self._making.create(self._actor, new))

    def grow_disk(self, host: str, vm_id: int, slot: str, size: int) -> TaskRef:
        """See ports.Proxmox."""
        return self._start(
            f"grow {slot} of VM {vm_id}", lambda: self._configuring.resize(self._actor, host, vm_id, slot, size)
        )

    def start_vm(self, host: str, vm_id: int) -> TaskRef:
        """See ports.Proxmox."""
        return self._start(f"start VM {vm_id}", lambda: self._pve.start_vm(self._actor, host, vm_id))

    def shut_down_vm(self, host: str, vm_id: int) -> TaskRef:
        """See ports.Proxmox."""
        return self._start(
            f"shut down VM {vm_id}", lambda: Power(self._pve).shutdown(self._actor, host, vm_id, timeout=VM_GOES_OFF_S)
        )

    def shut_down_host(self, host: str) -> None:
        """See ports.Proxmox."""
        self._look(f"shut down host {host}", lambda: self._hosts.shut_down(self._actor, host))

    def wake_host(self, host: str) -> None:
        """See ports.Proxmox."""
        self._look(f"wake host {host}", lambda: self._hosts.wake(self._actor, host))

    def destroy_vm(self, host: str, vm_id: int) -> TaskRef:
        """See ports.Proxmox."""
        return self._start(f"destroy VM {vm_id}", lambda: self._pve.destroy_vm(self._actor, host, vm_id))

    def reservation(self) -> Reservation | None:
        """See ports.ProxmoxView."""
        pool = self._party.pool

        def look() -> Reservation | None:
            seen = dict(self._pve.pools.seen_by(self._actor))
            if pool in seen:
                return self._party.judge(seen[pool])
            held = self._pve.access.held(self._actor, f"/pool/{pool}")
            if lacking := tuple(f"/pool/{pool}: {name}" for name in PRIVILEGES if name not in held):
                raise MayNotReserve("the token may not reserve the hosts", evidence=lacking)
            return None

        return self._look("list the pools", look)

    def reserve(self) -> None:
        """See ports.Proxmox."""
        try:
            self._look("reserve the hosts", lambda: self._pve.pools.make(self._actor, self._party.pool, self._party.owner))
        except PermanentError as no:
            if "already exists" not in no.what:
                raise

    def unreserve(self, owner: str) -> None:
        """See ports.Proxmox."""
        found = self.reservation()
        if found is not None and found.owner == owner:
            self._look("take the hosts' reservation away", lambda: self._pve.pools.remove(self._actor, self._party.pool))

    def _vm(self, vm: LabVm) -> Vm:
        tags = tuple(tag for tag in vm.tags.split(";") if tag)
        if not self._pve.hosts[vm.host].online:
            return Vm(
                vm.vm_id,
                vm.name,
                vm.host,
                PowerState.OTHER,
                "",
                vm.lock,
                0,
                0,
                (),
                (),
                (),
                False,
                tags,
                "",
                readable=False,
            )
        config = vm.config()
        hardware, passed, more = _machine(tuple(config.items()), vm.pool)
        return Vm(
            vm_id=vm.vm_id,
            name=vm.name,
            host=vm.host,
            power=PowerState.RUNNING if vm.running else PowerState.STOPPED,
            token=token_in(str(vm.options.get("description", ""))),
            lock=vm.lock,
            cores=vm.cores,
            memory=vm.memory,
            macs=vm.macs,
            bridges=tuple(nic.bridge for nic in vm.nics.values() if nic.bridge),
            disks=tuple(
                VmDisk(slot, volume.storage, volume.volume, vm.drives[slot].told_size) for slot, volume in vm.guest_disks()
            ),
            agent=bool(hardware.agent),
            tags=tags,
            digest=str(config["digest"]),
            passed=passed,
            hardware=hardware,
            beyond=more,
            ha=vm.ha,
        )

    def _online(self) -> list[str]:
        self._need_a_host()
        return sorted(host.name for host in self._pve.hosts.values() if host.online)

    def _need_a_host(self) -> None:
        if not any(host.online for host in self._pve.hosts.values()):
            raise TransientError("no Proxmox endpoint can be reached")

    def _look(self, doing: str, look: Callable[[], T]) -> T:
        def alive() -> T:
            self._need_a_host()
            return look()

        try:
            return patiently(self._world, alive)
        except Refusal as no:
            error = refusal(no.status, no.text, doing, no.errors)
            if isinstance(error, HostUnknown) and error.host in self._pve.hosts:
                error = TransientError(f"Proxmox host {error.host} was not seen since the others came up: could not {doing}")
            raise error from None

    def _start(self, doing: str, act: Callable[[], LabTask]) -> TaskRef:
        task = self._look(doing, act)
        return TaskRef(task.upid, task.host)


@lru_cache(maxsize=64)
def _machine(
    config: tuple[tuple[str, str | int], ...], pool: str
) -> tuple[Hardware, tuple[str, ...], tuple[str, ...]]:
    """What a configuration says of the machine, what of a host it is given, and what there are no words for.

    Kept, because a VM is looked at hundreds of times before anything about it changes.
    """
    options = dict(config)
    return hardware_of(options, pool), passed_through(options), beyond(options)
