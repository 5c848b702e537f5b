"""The calls that only look. Each takes who asks and the checked parameters, and answers the `data` that PVE would."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lab.wire.proxmox.schema import Value
from lab.world.disks import LabStorage, LabVolume
from lab.world.proxmox import LabHost, LabProxmox
from lab.world.pve_access import NotModelled, Refusal, parameter_refusal
from lab.world.pve_making import Making
from lab.world.pve_tasks import FetchFailed
from lab.world.pve_vm import LabVm

Args = Mapping[str, Value]
Handler = Callable[[str, Args], Any]
_READ_STORAGE = ("Datastore.Audit", "Datastore.AllocateSpace")


class Reading:
    """The looking calls over one cluster, but for those about tasks."""

    def __init__(self, pve: LabProxmox) -> None:
        self._pve = pve
        self._making = Making(pve)
        self.handlers: dict[str, Handler] = {
            "GET /access/permissions": self.permissions,
            "GET /version": lambda actor, args: {
                "version": pve.version,
                "release": ".".join(pve.version.split(".")[:2]),
                "repoid": "1ab",
            },
            "GET /cluster/status": self.cluster_status,
            "GET /cluster/resources": self.resources,
            "GET /cluster/nextid": self.next_id,
            "GET /pools": lambda actor, args: [{"poolid": name, "comment": told} for name, told in pve.pools.seen_by(actor)],
            "GET /cluster/ceph/metadata": self.ceph_metadata,
            "GET /nodes/{node}/ceph/status": self.ceph_status,
            "GET /nodes/{node}/ceph/pool": self.ceph_pools,
            "GET /nodes": self.nodes,
            "GET /nodes/{node}/status": self.node_status,
            "GET /nodes/{node}/time": self.node_time,
            "GET /nodes/{node}/network": self.network,
            "GET /nodes/{node}/storage": self.storages,
            "GET /nodes/{node}/storage/{storage}/status": self.storage_status,
            "GET /nodes/{node}/storage/{storage}/content": self.content,
            "GET /nodes/{node}/storage/{storage}/content/{volume}": self.volume,
            "GET /nodes/{node}/qemu": self.vms,
            "GET /nodes/{node}/qemu/{vmid}/config": self.config,
            "GET /nodes/{node}/qemu/{vmid}/status/current": self.current,
            "GET /nodes/{node}/qemu/{vmid}/agent/network-get-interfaces": self.agent,
        }

    # Ceph of the hosts.

    def ceph_metadata(self, actor: str, args: Args) -> Any:
        """The programs' versions, host by host; what runs where is not modelled."""
        if args.get("scope") != "versions":
            raise NotModelled("services in /cluster/ceph/metadata")
        return self._pve.ceph_metadata()

    def ceph_status(self, actor: str, args: Args) -> Any:
        """`ceph status` with `health detail`, asked on this host."""
        return self._pve.ceph_on(str(args["node"])).status(str(args["node"]), self._pve.online)

    def ceph_pools(self, actor: str, args: Args) -> list[dict[str, Any]]:
        """The pools, asked on this host."""
        return self._pve.ceph_on(str(args["node"])).pool_rows(str(args["node"]), self._pve.online)

    # Access and cluster.

    def permissions(self, actor: str, args: Args) -> dict[str, dict[str, int]]:
        """The caller's own privileges: at one path, or at every path that an entry names."""
        if args.get("userid", actor) != actor:
            raise Refusal(403, "Permission check failed (/access, Sys.Audit)")
        paths = (
            [str(args["path"])] if "path" in args else ["/", "/access", "/nodes", "/pool", "/sdn", "/storage", "/vms"]
        )
        return {path: dict.fromkeys(sorted(self._pve.access.held(actor, path)), 1) for path in paths}

    def cluster_status(self, actor: str, args: Args) -> list[dict[str, Any]]:
        """Membership; a host that stands alone has no cluster row."""
        hosts = list(self._pve.hosts.values())
        rows: list[dict[str, Any]] = []
        if self._pve.name:
            quorate = int(self._pve.quorate)
            rows.append(
                {
                    "type": "cluster",
                    "id": "cluster",
                    "name": self._pve.name,
                    "nodes": len(hosts),
                    "version": 4,
                    "quorate": quorate,
                }
            )
        for number, host in enumerate(hosts, 1):
            rows.append(
                {
                    "type": "node",
                    "id": f"node/{host.name}",
                    "name": host.name,
                    "nodeid": number,
                    "online": int(host.online),
                    "level": "",
                }
            )
        return rows

    def resources(self, actor: str, args: Args) -> list[dict[str, Any]]:
        """Rows of what the status daemons last said: a VM that is being made has no name yet."""
        rows: list[dict[str, Any]] = []
        if args.get("type") == "sdn":
            raise NotModelled("the rows of SDN in /cluster/resources")
        if args.get("type", "vm") == "vm":
            rows += [self._resource(vm) for vm in self._pve.vms.values() if self._may_see(actor, vm)]
        if args.get("type", "node") == "node":
            rows += [{"id": f"node/{row['node']}", **row} for row in self.nodes(actor, {})]
        if args.get("type", "storage") == "storage":
            rows += [
                self._storage_resource(host, storage)
                for host in self._pve.hosts.values()
                for storage in self._pve.storages.of(host.name)
                if self._pve.access.may(actor, f"/storage/{storage.name}", *_READ_STORAGE)
            ]
        return rows

    def _resource(self, vm: LabVm) -> dict[str, Any]:
        row: dict[str, Any] = {
            "id": f"qemu/{vm.vm_id}",
            "vmid": vm.vm_id,
            "node": vm.host,
            "type": "qemu",
            "status": "unknown",
        }
        if vm.lock:
            row["lock"] = vm.lock
        if vm.tags:
            row["tags"] = vm.tags
        if vm.lock == "create" or not self._pve.hosts[vm.host].online:
            return row if vm.lock == "create" else row | {"name": vm.name}
        return row | {"name": vm.name, "status": _status(vm), "maxmem": vm.memory, "maxcpu": vm.cores, "template": 0}

    def _storage_resource(self, host: LabHost, storage: LabStorage) -> dict[str, Any]:
        available = host.online and storage.active
        row: dict[str, Any] = {
            "id": f"storage/{host.name}/{storage.name}",
            "type": "storage",
            "storage": storage.name,
            "node": host.name,
            "plugintype": storage.kind,
            "content": ",".join(sorted(storage.content)),
            "shared": int(storage.shared),
            "status": "available" if available else "unknown",
        }
        return row | ({"disk": storage.used, "maxdisk": storage.total} if available else {})

    def next_id(self, actor: str, args: Args) -> str:
        """The first free id, or the asked one; nothing is reserved. PVE answers text here."""
        wanted = args.get("vmid")
        if wanted is None:
            return str(next(number for number in range(100, 10**9) if number not in self._pve.vms))
        if int(wanted) in self._pve.vms:
            raise parameter_refusal(vmid=f"VM {wanted} already exists")
        return str(wanted)

    # Hosts and storages.

    def nodes(self, actor: str, args: Args) -> list[dict[str, Any]]:
        """Every host; numbers only of those the caller may audit."""
        rows = []
        for host in self._pve.hosts.values():
            row: dict[str, Any] = {"node": host.name, "type": "node", "status": _host_status(host)}
            if host.online and not host.mute and self._pve.access.may(actor, f"/nodes/{host.name}", "Sys.Audit"):
                row |= {"maxcpu": host.cpus, "maxmem": host.memory, "mem": host.memory - self._pve.free_memory(host)}
            rows.append(row)
        return rows

    def node_status(self, actor: str, args: Args) -> dict[str, Any]:
        """Memory and processors of one host, in bytes."""
        host = self._host(args)
        free = self._pve.free_memory(host)
        return {
            "memory": {"total": host.memory, "used": host.memory - free, "free": free, "available": free},
            "cpuinfo": {"cpus": host.cpus, "cores": host.cpus, "sockets": 1, "model": "lab"},
            "pveversion": f"pve-manager/{self._pve.version}/1ab",
            "uptime": 1000,
            "loadavg": ["0.00", "0.00", "0.00"],
        }

    def node_time(self, actor: str, args: Args) -> dict[str, Any]:
        """The host's clock, in whole seconds."""
        now = int(self._pve.world.clock.now() + self._host(args).skew)
        return {"time": now, "localtime": now, "timezone": "UTC"}

    def network(self, actor: str, args: Args) -> list[dict[str, Any]]:
        """The host's bridges; it has nothing else to show."""
        if args.get("type", "bridge") not in ("bridge", "any_bridge"):
            raise NotModelled(f"network interfaces of type {args['type']}")
        return [{"iface": name, "type": "bridge", "active": 1, "autostart": 1} for name in self._host(args).bridges]

    def storages(self, actor: str, args: Args) -> list[dict[str, Any]]:
        """Storages this host sees and the caller may."""
        host = self._host(args)
        return [
            _storage_row(storage)
            for storage in self._pve.storages.of(host.name)
            if self._pve.access.may(actor, f"/storage/{storage.name}", *_READ_STORAGE)
            and ("content" not in args or storage.content & set(str(args["content"]).split(",")))
            and args.get("storage", storage.name) == storage.name
        ]

    def storage_status(self, actor: str, args: Args) -> dict[str, Any]:
        """One storage."""
        return _storage_row(self._storage(args))

    def content(self, actor: str, args: Args) -> list[dict[str, Any]]:
        """What lies on a storage."""
        volumes = [volume for _, volume in sorted(self._storage(args).volumes.items())]
        return [
            _volume_row(volume)
            for volume in volumes
            if args.get("content", volume.content) == volume.content and args.get("vmid", volume.vm_id) == volume.vm_id
        ]

    def volume(self, actor: str, args: Args) -> dict[str, Any]:
        """One volume; its name may come without the storage."""
        name = str(args["volume"])
        self._pve.access.require(actor, f"/storage/{args['storage']}", *_READ_STORAGE)
        found = self._storage(args).volumes.get(name if ":" in name else f"{args['storage']}:{name}")
        if found is None:
            raise Refusal(500, f"volume '{name}' does not exist")
        return {
            key: value for key, value in _volume_row(found).items() if key not in ("volid", "content", "vmid", "ctime")
        }

    # VMs.

    def vms(self, actor: str, args: Args) -> list[dict[str, Any]]:
        """VMs of one host, as it sees them right now."""
        host = self._host(args)
        return [self._vm_row(vm) for vm in self._pve.vms_on(host.name) if self._may_see(actor, vm)]

    def config(self, actor: str, args: Args) -> dict[str, Value]:
        """Configuration with its digest; a password in it is never shown."""
        config = self._vm(args).config()
        return {key: "**********" if key == "cipassword" else value for key, value in config.items()}

    def current(self, actor: str, args: Args) -> dict[str, Any]:
        """The VM as it is now."""
        vm = self._vm(args)
        agent = {"agent": 1} if str(vm.options.get("agent", "0")).startswith(("1", "enabled=1")) else {}
        return self._vm_row(vm) | {"qmpstatus": _status(vm), "ha": {"managed": 0}, **agent}

    def agent(self, actor: str, args: Args) -> Any:
        """No image of the lab carries a guest agent: one of the three refusals of PVE, in its order."""
        vm = self._vm(args)
        if "agent" not in vm.options:
            raise Refusal(500, "No QEMU guest agent configured")
        if not vm.running:
            raise Refusal(500, f"VM {vm.vm_id} is not running")
        raise Refusal(500, "QEMU guest agent is not running")

    # What the calls share.

    def _host(self, args: Args) -> LabHost:
        return self._pve.reach(str(args["node"]))

    def _storage(self, args: Args) -> LabStorage:
        return self._making.storage(str(args["node"]), str(args["storage"]))

    def _vm(self, args: Args) -> LabVm:
        return self._pve.vm(str(args["node"]), int(args["vmid"]))

    def _may_see(self, actor: str, vm: LabVm) -> bool:
        return self._pve.access.may(actor, f"/vms/{vm.vm_id}", "VM.Audit")

    def _vm_row(self, vm: LabVm) -> dict[str, Any]:
        row: dict[str, Any] = {
            "vmid": vm.vm_id,
            "name": vm.name,
            "status": _status(vm),
            "maxmem": vm.memory,
            "cpus": vm.cores,
        }
        row |= {"lock": vm.lock} if vm.lock else {}
        row |= {"tags": vm.tags} if vm.tags else {}
        return row | {"uptime": int(self._pve.world.clock.monotonic() - vm.started_at) if vm.running else 0}


def fetch_metadata(pve: LabProxmox, url: str) -> dict[str, Any]:
    """What query-url-metadata answers: the host asks the URL."""
    try:
        content = pve.fetch(url)
    except FetchFailed as failure:
        raise Refusal(500, f"invalid server response: '{failure.answer}'") from None
    return {"filename": url.rsplit("/", 1)[-1], "size": len(content), "mimetype": "application/octet-stream"}


def _host_status(host: LabHost) -> str:
    """What the host's status daemon told last; one that is mute has told nothing."""
    if not host.online:
        return "offline"
    return "unknown" if host.mute else "online"


def _status(vm: LabVm) -> str:
    return "running" if vm.running else "stopped"


def _storage_row(storage: LabStorage) -> dict[str, Any]:
    return {
        "storage": storage.name,
        "type": storage.kind,
        "content": ",".join(sorted(storage.content)),
        "enabled": 1,
        "active": int(storage.active),
        "shared": int(storage.shared),
        "total": storage.total,
        "used": storage.used,
        "avail": storage.available,
        "used_fraction": storage.used / storage.total if storage.total else 0,
    }


def _volume_row(volume: LabVolume) -> dict[str, Any]:
    row: dict[str, Any] = {
        "volid": volume.volume,
        "content": volume.content,
        "format": volume.format,
        "size": volume.size,
        "ctime": int(volume.created),
    }
    return row | {"vmid": volume.vm_id} if volume.vm_id else row
