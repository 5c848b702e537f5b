"""The calls that look at VMs. Each takes who asks and the checked parameters, and answers the `data` that PVE would."""

from __future__ import annotations

from typing import Any

from lab.wire.proxmox.reading import Args, Handler, boot_size, uptime
from lab.wire.proxmox.schema import Value
from lab.world.pve.access import Refusal
from lab.world.pve.cluster import LabProxmox
from lab.world.pve.vm import LabVm, said

_NOTHING = ("cpu", "mem", "memhost", "disk", "netin", "netout")
_PRESSURE = tuple(f"pressure{what}{how}" for what in ("cpu", "io", "memory") for how in ("some", "full"))


class Guests:
    """The looking calls about VMs."""

    def __init__(self, pve: LabProxmox) -> None:
        self._pve = pve
        vm = "/nodes/{node}/qemu/{vmid}"
        self.handlers: dict[str, Handler] = {
            "GET /nodes/{node}/qemu": self.vms,
            f"GET {vm}/config": self.config,
            f"GET {vm}/pending": self.pending,
            f"GET {vm}/status/current": self.current,
            f"GET {vm}/snapshot": self.snapshots,
            f"GET {vm}/cloudinit": self.cloudinit,
            f"POST {vm}/agent/ping": self.agent,
            f"GET {vm}/agent/network-get-interfaces": self.agent,
            f"GET {vm}/agent/get-osinfo": self.agent,
            f"GET {vm}/agent/info": self.agent,
        }

    def vms(self, actor: str, args: Args) -> list[dict[str, Any]]:
        """VMs of one host, as it sees them right now."""
        host = self._pve.reach(str(args["node"]))
        seen = (vm for vm in self._pve.vms_on(host.name) if self._pve.access.may(actor, f"/vms/{vm.vm_id}", "VM.Audit"))
        return [self._row(vm) for vm in seen]

    def config(self, actor: str, args: Args) -> dict[str, Value]:
        """Configuration with its digest, as it will be; with `current` as it is. A password in it is never shown."""
        if "snapshot" in args:
            raise Refusal(500, f"snapshot '{args['snapshot']}' does not exist")
        config = self._vm(args).config(pending=not args.get("current"))
        return {key: "**********" if key == "cipassword" else value for key, value in config.items()}

    def pending(self, actor: str, args: Args) -> list[dict[str, Any]]:
        """Every option as it is, with what becomes of it at the next start."""
        vm = self._vm(args)
        rows: list[dict[str, Any]] = []
        for key, value in vm.config().items():
            row: dict[str, Any] = {"key": key, "value": value}
            if key in vm.pending:
                row |= _later(vm, key)
            rows.append(row)
        rows += [{"key": key, **_later(vm, key)} for key in vm.pending if vm.entry(key) is None]
        return [{**row, "value": "**********"} if row["key"] == "cipassword" else row for row in rows]

    def current(self, actor: str, args: Args) -> dict[str, Any]:
        """The VM as it is now."""
        vm = self._vm(args)
        row = self._row(vm) | {"qmpstatus": "paused" if vm.paused else vm.power, "ha": {"managed": int(bool(vm.ha))}}
        if str(vm.options.get("agent", "0")).startswith(("1", "enabled=1")):
            row["agent"] = 1
        if vm.running:
            cards = {f"tap{vm.vm_id}i{name.removeprefix('net')}": {"netin": 0, "netout": 0} for name in vm.nics}
            row |= {"nics": cards, "running-machine": "pc-q35-10.1+pve0", "running-qemu": "10.1.2"}
        return row

    def snapshots(self, actor: str, args: Args) -> list[dict[str, Any]]:
        """None but what it is now."""
        vm = self._vm(args)
        return [
            {
                "name": "current",
                "description": "You are here!",
                "digest": vm.config()["digest"],
                "running": int(vm.running),
            }
        ]

    def cloudinit(self, actor: str, args: Args) -> list[dict[str, Any]]:
        """The guest's first settings, and what becomes of each."""
        names = ("ciuser", "cipassword", "citype", "ciupgrade", "cicustom", "nameserver", "searchdomain", "sshkeys")
        rows = self.pending(actor, args)
        return [row for row in rows if row["key"] in names or str(row["key"]).startswith("ipconfig")]

    def agent(self, actor: str, args: Args) -> Any:
        """No image of the lab carries a guest agent: one of the three refusals of PVE, in its order."""
        vm = self._vm(args)
        if "agent" not in vm.options:
            raise Refusal(500, "No QEMU guest agent configured")
        if not vm.running:
            raise Refusal(500, f"VM {vm.vm_id} is not running")
        raise Refusal(500, "QEMU guest agent is not running")

    def _vm(self, args: Args) -> LabVm:
        return self._pve.vm(str(args["node"]), int(args["vmid"]))

    def _row(self, vm: LabVm) -> dict[str, Any]:
        made = not vm.being_made
        row: dict[str, Any] = {
            "vmid": vm.vm_id,
            "name": vm.name,
            "status": vm.power,
            "maxmem": vm.memory if made else 512 << 20,
            "maxdisk": boot_size(vm),
            "cpus": vm.cores if made else 1,
            "uptime": uptime(self._pve, vm),
            **dict.fromkeys(_NOTHING, 0),
        }
        row |= {"pid": 1000 + vm.vm_id % 30000, **dict.fromkeys(_PRESSURE, 0)} if vm.running else {}
        row |= {"lock": vm.lock} if vm.lock else {}
        row |= {"tags": vm.tags} if vm.tags and made else {}
        row |= {"template": 1} if vm.options.get("template") == 1 else {}
        return row | ({"serial": 1} if made and any(name.startswith("serial") for name in vm.options) else {})


def _later(vm: LabVm, key: str) -> dict[str, Any]:
    entry = vm.pending[key]
    return {"delete": 1} if entry is None else {"pending": said(entry)}
