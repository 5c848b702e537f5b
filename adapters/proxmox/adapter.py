"""The Proxmox port on the real API, through proxmoxer. Knows the API's calls and nothing of steps or waiting."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from adapters.ceph.results import HostedCeph
from adapters.proxmox.backups import vm_backups
from adapters.proxmox.ceph import hosted_ceph
from adapters.proxmox.making import create_parameters
from adapters.proxmox.meanings import HostUnknown
from adapters.proxmox.properties import number, text
from adapters.proxmox.reading import container, unreadable_vm, vm
from adapters.proxmox.reserving import PRIVILEGES, MayNotReserve, Party
from adapters.proxmox.results import (
    EVERY,
    VM_GOES_OFF_S,
    HostStatus,
    ProxmoxCluster,
    Reservation,
    RunningTask,
    Storage,
    StoredImage,
    TaskRef,
    TaskStatus,
    Vm,
    VmBackups,
    VmSpec,
)
from adapters.proxmox.session import Sessions, Timeouts
from engine.errors import PermanentError, TransientError
from engine.secrets import Secret
from engine.text.jsontext import Malformed, shaped
from house.model import ProxmoxAccess

_UPID = re.compile(r"UPID:([^:/\s]+):[0-9A-F]{8}:[0-9A-F]{8,9}:[0-9A-F]{8}:[^:\s]+:[^:\s]*:[^:\s]+:")
_LOG_LINES = 25


P = ParamSpec("P")
T = TypeVar("T")


def _shaped(look: Callable[Concatenate[ProxmoxAdapter, P], T]) -> Callable[Concatenate[ProxmoxAdapter, P], T]:
    """A look that an answer of another shape costs, and no run."""

    @wraps(look)
    def asked(self: ProxmoxAdapter, /, *args: P.args, **more: P.kwargs) -> T:
        try:
            with shaped(None):
                return look(self, *args, **more)
        except Malformed as error:
            raise _odd(f"look at its {look.__name__.replace('_', ' ')}", str(error)) from error

    return asked


class ProxmoxAdapter:
    """Reads and changes a Proxmox cluster. Thread-safe: every thread has its own client.

    Every method raises TransientError or PermanentError, and nothing else that comes from outside. A change that may have
    arrived is never sent twice.
    """

    def __init__(
        self, access: ProxmoxAccess, secret: Callable[[], Secret], timeouts: Timeouts | None = None, party: Party | None = None
    ) -> None:
        """`party` is who reserves the house's hosts; without one nobody may."""
        self._sessions = Sessions(access, secret, timeouts)
        self._party = party

    def close(self) -> None:
        """Close this thread's connections."""
        self._sessions.close()

    # Looks.

    @_shaped
    def cluster(self) -> ProxmoxCluster:
        """Membership and quorum as the endpoint sees them; needs Sys.Audit on /."""
        rows = self._rows("/cluster/status", "read the cluster's status")
        version = self._map("/version", "read the version")
        nodes = [row for row in rows if row.get("type") == "node"]
        head = next((row for row in rows if row.get("type") == "cluster"), None)
        if head is None and len(rows) != 1:
            raise _odd("read the cluster's status", "several hosts, and nothing about their cluster" if rows else "no host")
        return ProxmoxCluster(
            name=text(head.get("name")) if head else "",
            # A host that stands alone has no cluster row, and nothing to lose quorum with.
            quorate=number(head.get("quorate")) == 1 if head else True,
            online=tuple(sorted(text(row["name"]) for row in nodes if number(row.get("online")))),
            offline=tuple(sorted(text(row["name"]) for row in nodes if not number(row.get("online")))),
            version=text(version.get("version")),
            silent=self._silent({text(row["name"]) for row in nodes if number(row.get("online"))}),
            asked=next((text(row["name"]) for row in nodes if number(row.get("local"))), ""),
        )

    @_shaped
    def missing_privileges(self, wanted: Sequence[tuple[str, str]]) -> tuple[str, ...]:
        """Of (path, privilege) pairs, those the token lacks; one call per path, which any token may make for itself."""
        missing = []
        for path in dict.fromkeys(path for path, _ in wanted):
            held = self._map("/access/permissions", "read the token's privileges", {"path": path}).get(path, {})
            # Each with whether it goes down.
            enough = {name for name, down in held.items() if number(down) or path not in EVERY}
            missing += [f"{path}: {name}" for at, name in wanted if at == path and name not in enough]
        return tuple(missing)

    @_shaped
    def hosts(self) -> tuple[HostStatus, ...]:
        """Every host that is online; needs Sys.Audit on /nodes. The clock has the API's resolution of one second."""
        found = []
        for name in self._online():
            status = self._map(f"/nodes/{name}/status", f"read the status of host {name}")
            clock = self._map(f"/nodes/{name}/time", f"read the clock of host {name}")
            memory, cpu = status.get("memory", {}), status.get("cpuinfo", {})
            free = number(memory.get("available")) or number(memory.get("free"))
            found.append(
                HostStatus(
                    name, number(memory.get("total")), free, number(cpu.get("cpus")), float(number(clock.get("time")))
                )
            )
        return tuple(found)

    @_shaped
    def storages(self, host: str) -> tuple[Storage, ...]:
        """Storages of this host that the token may see; a disabled one is listed as not active."""
        rows = self._rows(f"/nodes/{host}/storage", f"list the storages of host {host}")
        return tuple(
            Storage(
                name=text(row["storage"]),
                host=host,
                kind=text(row.get("type")),
                content=frozenset(part.strip() for part in text(row.get("content")).split(",") if part.strip()),
                shared=number(row.get("shared")) == 1,
                active=number(row.get("active")) == 1 and number(row.get("enabled", 1)) == 1,
                available=number(row.get("avail")),
                total=number(row.get("total")),
            )
            for row in sorted(rows, key=lambda row: text(row.get("storage")))
        )

    @_shaped
    def vms(self) -> tuple[Vm, ...]:
        """Every VM with its configuration, ordered by id; those on a host that is down come back as not readable.

        Containers are among them, without anything of ours: an id that one has is taken.
        """
        rows = self._rows("/cluster/resources", "list the VMs", {"type": "vm"})
        online = set(self._online())
        resources = {number(row["vmid"]): row for row in rows if row.get("type") == "qemu"}
        found = [
            container(number(row["vmid"]), text(row.get("node")), row) for row in rows if row.get("type") == "lxc"
        ]
        for host in sorted({text(row.get("node")) for row in rows if row.get("type") == "qemu"} | online):
            here = self._vms_of(host, resources) if host in online else []
            # One that the cluster knows and its host does not list is there all the same: as little is known of it as if the
            # host were down. It may just be coming or going.
            listed = {each.vm_id for each in here}
            found += here
            found += [unreadable_vm(number(row["vmid"]), host, row) for row in rows
                      if row.get("type") == "qemu" and row.get("node") == host and number(row["vmid"]) not in listed]  # fmt: skip
        return tuple(sorted(found, key=lambda each: each.vm_id))

    @_shaped
    def images(self, host: str, storage: str) -> tuple[StoredImage, ...]:
        """Image files (import, iso) on a storage as this host sees it."""
        return tuple(each for each in self._stored(host, storage) if each.content in ("import", "iso"))

    @_shaped
    def left_disks(self, host: str, storage: str, vm_id: int) -> tuple[StoredImage, ...]:
        """See ports.ProxmoxView."""
        return self._stored(host, storage, {"content": "images", "vmid": vm_id})

    @_shaped
    def backups(self, vm_id: int) -> VmBackups:
        """See ports.ProxmoxView; needs Datastore.AllocateSpace on the storage and VM.Backup on the VM."""
        return vm_backups(vm_id, dict(sorted(self._members().items())), self.storages, self.missing_privileges, self._rows)

    def _stored(self, host: str, storage: str, only: Mapping[str, str | int | bool] | None = None) -> tuple[StoredImage, ...]:
        what = f"list what is on storage {storage} of host {host}"
        rows = self._rows(f"/nodes/{host}/storage/{storage}/content", what, only)
        found = (StoredImage(text(row["volid"]), number(row.get("size")), text(row.get("content"))) for row in rows)
        return tuple(sorted(found, key=lambda each: each.volume))

    @_shaped
    def running_tasks(self) -> tuple[RunningTask, ...]:
        """Active tasks of every host that is online: the token's own, all of them with Sys.Audit on the host."""
        found = []
        for host in self._online():
            for row in self._rows(f"/nodes/{host}/tasks", f"list the tasks of host {host}", {"source": "active"}):
                if not row.get("endtime"):
                    found.append(
                        RunningTask(TaskRef(text(row["upid"]), host), text(row.get("type")), text(row.get("id")))
                    )
        return tuple(found)

    @_shaped
    def task(self, ref: TaskRef) -> TaskStatus:
        """State of a task; of one that failed, the end of its log. An unknown task is a TransientError."""
        row = self._map(f"/nodes/{ref.host}/tasks/{ref.upid}/status", "look at a task")
        if text(row.get("status")) != "stopped":
            return TaskStatus(ref, running=True, ok=False, exit_status="")
        exit_status = text(row.get("exitstatus")) or "unexpected status"
        if exit_status == "OK":
            return TaskStatus(ref, running=False, ok=True, exit_status=exit_status)
        lines = self._rows(f"/nodes/{ref.host}/tasks/{ref.upid}/log", "read a task's log", {"limit": 0})
        tail = tuple(text(line.get("t")) for line in lines[-_LOG_LINES:])
        return TaskStatus(
            ref, running=False, ok=exit_status.startswith("WARNINGS: "), exit_status=exit_status, log_tail=tail
        )

    @_shaped
    def reservation(self) -> Reservation | None:
        """See ports.ProxmoxView. Pools that the token may not see are left out of the list: then its privileges say whether."""
        party = self._reserving()
        rows = self._rows("/pools", "list the pools")
        found = next((row for row in rows if row.get("poolid") == party.pool), None)
        if found is not None:
            return party.judge(text(found.get("comment")))
        if lacking := self.missing_privileges([(f"/pool/{party.pool}", each) for each in PRIVILEGES]):
            raise MayNotReserve("the token may not reserve the hosts", evidence=lacking)
        return None

    @_shaped
    def ceph(self) -> HostedCeph | None:
        """See ports.ProxmoxView; needs Sys.Audit or Datastore.Audit on /."""
        return hosted_ceph(self._send, self._online())

    # Changes.

    def reserve(self) -> None:
        """See ports.Proxmox."""
        party = self._reserving()
        try:
            self._send("POST", "/pools", "reserve the hosts", {"poolid": party.pool, "comment": party.owner})
        except PermanentError as no:
            if "already exists" not in no.what:
                raise

    def unreserve(self, owner: str) -> None:
        """See ports.Proxmox. Proxmox deletes whatever has the name: we look just before."""
        party = self._reserving()
        found = self.reservation()
        if found is None or found.owner != owner:
            return
        try:
            self._send("DELETE", "/pools", "take the hosts' reservation away", {"poolid": party.pool})
        except PermanentError as no:
            if "does not exist" not in no.what:
                raise

    def _reserving(self) -> Party:
        if self._party is None:
            raise MayNotReserve("nobody reserves hosts here")
        return self._party

    def download_image(self, host: str, storage: str, filename: str, url: str, sha256: str) -> TaskRef:
        """Let the host fetch an image as content type `import`. With its checksum given, a second download is no change."""
        parameters = {
            "content": "import",
            "filename": filename,
            "url": url,
            "checksum": sha256,
            "checksum-algorithm": "sha256",
        }
        return self._start(
            "POST", f"/nodes/{host}/storage/{storage}/download-url", f"download {filename} to host {host}", parameters
        )

    def create_vm(self, spec: VmSpec) -> TaskRef:
        """Make the VM, stopped; an id that is taken is a PermanentError."""
        return self._start("POST", f"/nodes/{spec.host}/qemu", f"create VM {spec.vm_id}", create_parameters(spec))

    def grow_disk(self, host: str, vm_id: int, slot: str, size: int) -> TaskRef:
        """Grow one disk to `size` bytes; its task fails when that were smaller than it is."""
        return self._start(
            "PUT", f"/nodes/{host}/qemu/{vm_id}/resize", f"grow disk {slot} of VM {vm_id}", {"disk": slot, "size": size}
        )

    def start_vm(self, host: str, vm_id: int) -> TaskRef:
        """Power on; the task of one that runs already fails."""
        return self._start("POST", f"/nodes/{host}/qemu/{vm_id}/status/start", f"start VM {vm_id}", {})

    def shut_down_vm(self, host: str, vm_id: int) -> TaskRef:
        """See ports.Proxmox; needs VM.PowerMgmt on the VM, and no quorum."""
        path = f"/nodes/{host}/qemu/{vm_id}/status/shutdown"
        return self._start("POST", path, f"shut down VM {vm_id}", {"timeout": int(VM_GOES_OFF_S)})

    def shut_down_host(self, host: str) -> None:
        """See ports.Proxmox; needs Sys.PowerMgmt on the host."""
        self._send("POST", f"/nodes/{host}/status", f"shut down host {host}", {"command": "shutdown"})

    def wake_host(self, host: str) -> None:
        """See ports.Proxmox; needs Sys.PowerMgmt on the host that sleeps. What sends is the host whose endpoint answers."""
        self._send("POST", f"/nodes/{host}/wakeonlan", f"wake host {host}", {})

    def destroy_vm(self, host: str, vm_id: int) -> TaskRef:
        """See ports.Proxmox. Disks that carry its id and are in no configuration stay; jobs and permissions on the id go."""
        return self._start("DELETE", f"/nodes/{host}/qemu/{vm_id}", f"destroy VM {vm_id}", {"purge": 1})

    # How to ask.

    def _send(self, method: str, path: str, doing: str, parameters: Mapping[str, str | int | bool] | None = None) -> Any:
        """As Sessions.send. A host of the cluster that nobody knows an address of has not come up yet: that may pass."""
        try:
            return self._sessions.send(method, path, doing, parameters)
        except HostUnknown as unknown:
            if not unknown.host or unknown.host not in self._members():
                raise
            raise TransientError(
                f"Proxmox host {unknown.host} was not seen since the others came up: could not {doing}",
                evidence=unknown.evidence,
                hint="it is a member of the cluster: down, or on its way up; see `pvecm status` and its console",
            ) from None

    def _members(self) -> dict[str, bool]:
        """Name → whether it is online. What /nodes calls a host's status is its status daemon's, which may be dead or late."""
        rows = self._rows("/cluster/status", "list the hosts")
        return {text(row["name"]): number(row.get("online")) == 1 for row in rows if row.get("type") == "node"}

    def _online(self) -> tuple[str, ...]:
        return tuple(sorted(name for name, online in self._members().items() if online))

    def _silent(self, online: set[str]) -> tuple[str, ...]:
        rows = self._rows("/nodes", "list what the hosts' status daemons say")
        return tuple(sorted(text(row["node"]) for row in rows if row.get("node") in online and row.get("status") == "unknown"))

    def _vms_of(self, host: str, resources: Mapping[int, Mapping[str, object]]) -> list[Vm]:
        # This list is read from the host itself, while /cluster/resources lags by up to ten seconds.
        found = []
        for row in self._rows(f"/nodes/{host}/qemu", f"list the VMs of host {host}"):
            vm_id = number(row["vmid"])
            try:
                config = self._map(f"/nodes/{host}/qemu/{vm_id}/config", f"read the configuration of VM {vm_id}")
            except PermanentError as error:
                if "does not exist" not in error.what:
                    raise
                raise TransientError(f"VM {vm_id} left host {host} while we looked", evidence=error.evidence) from None
            found.append(vm(vm_id, host, row, config, resources.get(vm_id, {})))
        return found

    def _rows(
        self, path: str, doing: str, parameters: Mapping[str, str | int | bool] | None = None
    ) -> list[dict[str, Any]]:
        answer = self._send("GET", path, doing, parameters)
        if not isinstance(answer, list) or not all(isinstance(row, dict) for row in answer):
            raise _odd(doing, f"a {type(answer).__name__}")
        return answer

    def _map(self, path: str, doing: str, parameters: Mapping[str, str | int | bool] | None = None) -> dict[str, Any]:
        answer = self._send("GET", path, doing, parameters)
        if not isinstance(answer, dict):
            raise _odd(doing, f"a {type(answer).__name__}")
        return answer

    def _start(self, method: str, path: str, doing: str, parameters: Mapping[str, str | int | bool]) -> TaskRef:
        answer = self._send(method, path, doing, parameters)
        match = _UPID.fullmatch(answer) if isinstance(answer, str) else None
        if match is None:
            # It may have been done: whoever sees this looks before trying again.
            raise TransientError(
                f"Proxmox did not name the task that should {doing}", evidence=(f"a {type(answer).__name__} came back",)
            )
        return TaskRef(match[0], match[1])


def _odd(doing: str, why: str) -> TransientError:
    return TransientError(
        f"Proxmox gave an answer of an unknown shape when we wanted to {doing}",
        evidence=(why,),
        hint="a proxy in between, or a host that is starting?",
    )
