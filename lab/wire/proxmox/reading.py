"""The calls that look at the cluster and its hosts. Each takes who asks and the checked parameters, and answers PVE's `data`."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Callable, Mapping
from typing import Any

from lab.wire.proxmox.formats import CPUS
from lab.wire.proxmox.schema import Value
from lab.world.disks import LabStorage
from lab.world.pve.access import NotModelled, Refusal, parameter_refusal
from lab.world.pve.cluster import LabHost, LabProxmox
from lab.world.pve.vm import LabVm

Args = Mapping[str, Value]
Handler = Callable[[str, Args], Any]
READ_STORAGE = ("Datastore.Audit", "Datastore.AllocateSpace")
_DAEMONS = ("corosync", "pve-cluster", "pvedaemon", "pveproxy", "pvestatd", "pve-ha-crm", "pve-ha-lrm", "sshd", "chrony")
_KERNEL = {"sysname": "Linux", "release": "6.17.2-1-lab", "version": "#1 SMP PREEMPT_DYNAMIC", "machine": "x86_64"}

_BUILD = "1ab0000000000001"
_UNSUBSCRIBED = {
    "status": "notfound", "message": "There is no subscription key",
    "url": "https://www.proxmox.com/en/proxmox-virtual-environment/pricing",
}  # fmt: skip


class Reading:
    """The looking calls about cluster and hosts."""

    def __init__(self, pve: LabProxmox) -> None:
        self._pve = pve
        self.handlers: dict[str, Handler] = {
            "GET /version": self.version,
            "GET /cluster/status": self.cluster_status,
            "GET /cluster/resources": self.resources,
            "GET /cluster/nextid": self.next_id,
            "GET /cluster/options": self.options,
            "GET /cluster/backup": lambda actor, args: [],
            "GET /cluster/ha/resources": self.ha_resources,
            "GET /cluster/ha/resources/{sid}": self.ha_resource,
            "GET /cluster/ha/groups": lambda actor, args: [],
            "GET /cluster/ha/rules": lambda actor, args: [],
            "GET /cluster/ceph/metadata": self.ceph_metadata,
            "GET /cluster/ceph/status": lambda actor, args: self.ceph_status(actor, {"node": next(iter(self._pve.online))}),
            "GET /nodes": self.nodes,
            "GET /nodes/{node}/ceph/status": self.ceph_status,
            "GET /nodes/{node}/ceph/pool": self.ceph_pools,
            "GET /nodes/{node}/status": self.node_status,
            "GET /nodes/{node}/time": self.node_time,
            "GET /nodes/{node}/version": self.version,
            "GET /nodes/{node}/dns": lambda actor, args: {"dns1": "192.0.2.53", "search": "lab.invalid"},
            "GET /nodes/{node}/hosts": self.hosts,
            "GET /nodes/{node}/services": self.services,
            "GET /nodes/{node}/disks/list": self.disks,
            "GET /nodes/{node}/capabilities/qemu/cpu": self.cpus,
            "GET /nodes/{node}/config": lambda actor, args: {"digest": hashlib.sha1(b"").hexdigest()},  # noqa: S324 - as Proxmox
            "GET /nodes/{node}/subscription": lambda actor, args: _UNSUBSCRIBED,
            "GET /nodes/{node}/lxc": lambda actor, args: [],
            "GET /nodes/{node}/network": self.network,
        }

    def version(self, actor: str, args: Args) -> dict[str, str]:
        """Which Proxmox this is."""
        return {"version": self._pve.version, "release": ".".join(self._pve.version.split(".")[:2]), "repoid": _BUILD}

    def options(self, actor: str, args: Args) -> dict[str, Any]:
        """The datacenter's options, of which none is set."""
        return {"allowed-tags": [], "mac_prefix": "BC:24:11", "description": ""}

    def ha_resources(self, actor: str, args: Args) -> list[dict[str, Any]]:
        """VMs that somebody put under HA."""
        rows = [{"sid": f"vm:{vm.vm_id}", "type": "vm", "state": vm.ha} for vm in self._pve.vms.values() if vm.ha]
        return [row for row in rows if args.get("type", "vm") == row["type"]]

    def ha_resource(self, actor: str, args: Args) -> dict[str, Any]:
        """One VM under HA."""
        sid = str(args["sid"]) if ":" in str(args["sid"]) else f"vm:{args['sid']}"
        for row in self.ha_resources(actor, {}):
            if row["sid"] == sid:
                return row
        raise Refusal(500, f"no such resource '{sid}'")

    def services(self, actor: str, args: Args) -> list[dict[str, Any]]:
        """The daemons of a host; one that is mute has no status daemon that runs."""
        host = self._host(args)
        silent = {"pvestatd"} if host.mute else set[str]()
        return [
            {
                "service": name, "name": name, "desc": f"{name} of the lab", "state": "dead" if name in silent else "running",
                "active-state": "inactive" if name in silent else "active", "unit-state": "enabled",
            }
            for name in _DAEMONS
        ]  # fmt: skip

    def disks(self, actor: str, args: Args) -> list[dict[str, Any]]:
        """The one disk that every host of the lab has."""
        size = sum(storage.total for storage in self._pve.storages.of(self._host(args).name) if not storage.shared)
        return [{
            "devpath": "/dev/nvme0n1", "type": "nvme", "size": size, "used": "LVM", "gpt": 1, "health": "PASSED", "model": "lab",
            "serial": "LAB0", "vendor": "unknown", "wwn": "unknown", "wearout": 0, "rpm": 0, "osdid": -1,
        }]  # fmt: skip

    def cpus(self, actor: str, args: Args) -> list[dict[str, Any]]:
        """The processor models that a VM may be given."""
        return [{"name": name, "custom": 0, "vendor": "default"} for name in sorted(CPUS)]

    def hosts(self, actor: str, args: Args) -> dict[str, str]:
        """The host's own list of names."""
        lines = [
            "127.0.0.1 localhost",
            *(f"{_address(number)} {name}" for number, name in enumerate(self._pve.hosts, 1)),
        ]
        return {"data": "\n".join(lines) + "\n", "digest": "0" * 40}

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

    # The cluster.

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
                    "local": int(host.online and not any(row.get("local") for row in rows)),
                }
            )
            if host.online or host.met:
                rows[-1]["ip"] = _address(number)
        return rows

    def resources(self, actor: str, args: Args) -> list[dict[str, Any]]:
        """Rows of what the status daemons last said: a VM that is being made has no name yet."""
        rows: list[dict[str, Any]] = []
        if args.get("type") == "sdn":
            raise NotModelled("the rows of SDN in /cluster/resources")
        if args.get("type", "vm") == "vm":
            rows += [self._resource(vm) for vm in self._pve.vms.values() if self._may_see(actor, vm)]
        if args.get("type", "node") == "node":
            rows += [{**row, "cgroup-mode": 2} for row in self.nodes(actor, {})]
        if args.get("type", "storage") == "storage":
            rows += [
                self._storage_resource(host, storage)
                for host in self._pve.hosts.values()
                for storage in self._pve.storages.of(host.name)
                if self._pve.access.may(actor, f"/storage/{storage.name}", *READ_STORAGE)
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
        if self._pve.hosts[vm.host].mute:
            return row
        used = dict.fromkeys(("cpu", "mem", "memhost", "disk", "diskread", "diskwrite", "netin", "netout"), 0)
        row |= {"name": vm.name, "status": vm.power, "maxmem": vm.memory, "maxcpu": vm.cores}
        return (
            row
            | used
            | {
                "template": int(vm.options.get("template", 0)),
                "uptime": uptime(self._pve, vm),
                "maxdisk": boot_size(vm),
            }
            | ({"pool": vm.pool} if vm.pool else {})
        )

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
            row: dict[str, Any] = {
                "node": host.name, "type": "node", "status": _host_status(host), "id": f"node/{host.name}",
                "ssl_fingerprint": host.fingerprint or None,
            }  # fmt: skip
            row |= {"level": ""} if row["status"] == "online" else {}
            if row["status"] == "online" and self._pve.access.may(actor, f"/nodes/{host.name}", "Sys.Audit"):
                row |= {"maxcpu": host.cpus, "maxmem": host.memory, "mem": host.memory - self._pve.free_memory(host)}
                row |= {"cpu": 0.01, "disk": 8 << 30, "maxdisk": 100 << 30, "uptime": 1000}
            rows.append(row)
        return rows

    def node_status(self, actor: str, args: Args) -> dict[str, Any]:
        """Memory and processors of one host, in bytes."""
        host = self._host(args)
        free = self._pve.free_memory(host)
        processors = {
            "cpus": host.cpus, "cores": host.cpus, "sockets": 1, "model": "lab", "vendor": "GenuineLab", "family": "25",
            "mhz": "2400.000",
            "hvm": "1", "user_hz": 100, "flags": "fpu sse4_2 aes hypervisor",
        }  # fmt: skip
        return {
            "memory": {"total": host.memory, "used": host.memory - free, "free": free, "available": free},
            "swap": {"total": 0, "used": 0, "free": 0},
            "rootfs": {"total": 100 << 30, "used": 8 << 30, "free": 92 << 30, "avail": 92 << 30},
            "ksm": {"shared": 0},
            "cpuinfo": processors,
            "cpu": 0.01,
            "wait": 0,
            "idle": 0,
            "pveversion": f"pve-manager/{self._pve.version}/{_BUILD}",
            "kversion": f"{_KERNEL['sysname']} {_KERNEL['release']} {_KERNEL['version']}",
            "current-kernel": _KERNEL,
            "boot-info": {"mode": "efi", "secureboot": 0},
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
        host = self._host(args)
        address = _address(1 + list(self._pve.hosts).index(host.name))
        row = {
            "type": "bridge", "active": 1, "autostart": 1, "priority": 3, "families": ["inet"], "method": "static",
            "method6": "manual",
            "bridge_ports": "", "bridge_fd": "0", "bridge_stp": "off", "address": address, "netmask": "24", "cidr": f"{address}/24",
        }  # fmt: skip
        return [{"iface": name, **row} for name in host.bridges]

    # What the calls share.

    def _host(self, args: Args) -> LabHost:
        return self._pve.reach(str(args["node"]))

    def _may_see(self, actor: str, vm: LabVm) -> bool:
        return self._pve.access.may(actor, f"/vms/{vm.vm_id}", "VM.Audit")


def _address(number: int) -> str:
    return str(ipaddress.ip_address("192.0.2.0") + number)


def _host_status(host: LabHost) -> str:
    """What the host's status daemon told last; one that is mute has told nothing."""
    if not host.online:
        return "offline"
    return "unknown" if host.mute else "online"


def uptime(pve: LabProxmox, vm: LabVm) -> int:
    """Seconds since it was started, 0 when it is off."""
    return int(pve.world.clock.monotonic() - vm.started_at) if vm.running else 0


def boot_size(vm: LabVm) -> int:
    """Bytes of the disk that it boots from, as a host tells them for the whole VM."""
    order = str(vm.options.get("boot", "")).removeprefix("order=").split(";")
    disks = dict(vm.guest_disks())
    return next((disks[slot].size for slot in [*order, *disks] if slot in disks), 0) if not vm.being_made else 0
