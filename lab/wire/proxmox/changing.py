"""The calls that change VMs. Each takes who asks and the checked parameters, and answers the `data` that PVE would."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from lab.wire.proxmox.notation import Notation, with_size
from lab.wire.proxmox.reading import Args, Handler
from lab.wire.proxmox.schema import Schema
from lab.world.disks import LabStorage
from lab.world.pve.access import NotModelled, Refusal, parameter_refusal
from lab.world.pve.cluster import LabProxmox, lock_file
from lab.world.pve.config import Change, Configuring
from lab.world.pve.making import Making
from lab.world.pve.power import Power
from lab.world.pve.tasks import LabTask, TaskFailed
from lab.world.pve.vm import NewDrive, NewVm, Nic

# Not options of a VM: they say how it is made or changed.
_NO_OPTION = {
    "node", "vmid", "start", "pool", "storage", "delete", "digest", "skiplock", "revert", "force", "background_delay",
    "import-working-storage", "bwlimit", "unique", "archive", "live-restore", "ha-managed",
}  # fmt: skip


class Changing:
    """The changing calls over one cluster."""

    def __init__(self, pve: LabProxmox, schema: Schema) -> None:
        self._pve = pve
        self._making, self._configuring, self._power = Making(pve), Configuring(pve), Power(pve)
        self._notation = Notation(pve, schema)
        self._options = schema.calls["PUT /nodes/{node}/qemu/{vmid}/config"]
        vm = "/nodes/{node}/qemu/{vmid}"
        handlers: dict[str, Handler] = {
            "POST /nodes/{node}/qemu": self.create,
            f"DELETE {vm}": self.destroy,
            f"PUT {vm}/config": self.configure,
            f"POST {vm}/config": self.configure_later,
            f"PUT {vm}/resize": self.resize,
            f"PUT {vm}/unlink": self.unlink,
            f"PUT {vm}/cloudinit": self.cloudinit,
            f"POST {vm}/move_disk": self.move,
            f"POST {vm}/clone": self.clone,
            f"POST {vm}/template": self.template,
            f"POST {vm}/snapshot": self.snapshot,
            f"POST {vm}/migrate": self.migrate,
            f"POST {vm}/status/start": self.start,
            f"POST {vm}/status/stop": self.stop,
            f"POST {vm}/status/shutdown": self.shutdown,
            f"POST {vm}/status/reboot": self.reboot,
            f"POST {vm}/status/reset": lambda actor, args: self._power.reset(actor, *_of(args)).upid,
            f"POST {vm}/status/suspend": lambda actor, args: self._power.suspend(actor, *_of(args)).upid,
            f"POST {vm}/status/resume": lambda actor, args: self._power.resume(actor, *_of(args)).upid,
        }
        self.handlers = {call: _locks_hold(call, handler) for call, handler in handlers.items()}

    # Making.

    def create(self, actor: str, args: Args) -> str:
        """Make a VM out of PVE's notation."""
        _whole(args)
        found = self._notation.read({key: value for key, value in args.items() if key not in _NO_OPTION}, actor=actor)
        drives = tuple(each for each in found.values() if isinstance(each, NewDrive))
        nics = {name: each for name, each in found.items() if isinstance(each, Nic)}
        options = {name: each for name, each in found.items() if isinstance(each, str | int)}
        start, pool = bool(args.get("start")), str(args.get("pool", ""))
        new = NewVm(int(args["vmid"]), str(args["node"]), options, drives, nics, start=start, pool=pool)
        if new.start:
            self._pve.access.require(actor, f"/vms/{new.vm_id}", "VM.PowerMgmt")
        return self._making.create(actor, new).upid

    def clone(self, actor: str, args: Args) -> str:
        """Copy a VM as a whole; a linked copy is only of a template, and is not modelled."""
        if args.get("target", args["node"]) != args["node"]:
            raise NotModelled("copies on another host")
        source = self._pve.vm(*_of(args))
        if source.options.get("template") == 1 and not args.get("full"):
            raise NotModelled("linked clones")
        options = {key: value for key, value in args.items() if key in ("name", "description")}
        new = NewVm(int(args["newid"]), source.host, options, (), {}, pool=str(args.get("pool", "")))
        storage, form = str(args.get("storage", "")), str(args.get("format", ""))
        return self._making.clone(actor, source, new, storage=storage, form=form).upid

    def template(self, actor: str, args: Args) -> str:
        """Make a template of a VM that is off; its disks keep their names here."""
        vm = self._pve.vm(*_of(args))

        def refused() -> str:
            if vm.lock:
                return f"VM is locked ({vm.lock})"
            if vm.options.get("template") == 1:
                return "you can't convert a template to a template"
            return "you can't convert a VM to template if VM is running" if vm.running else ""

        if words := refused():
            raise Refusal(500, words)

        def act(task: LabTask) -> None:
            if words := refused():
                raise TaskFailed(words)
            vm.options["template"] = 1

        return self._pve.tasks.start(vm.host, "qmtemplate", str(vm.vm_id), actor, 1.0, act, lock=lock_file(vm.vm_id)).upid

    def snapshot(self, actor: str, args: Args) -> str:
        """Refused as Proxmox refuses it, by the worker where a disk cannot be snapshotted; of disks that can it is not modelled."""
        vm = self._pve.vm(*_of(args))
        if (name := str(args["snapname"])) in ("current", "pending"):
            raise Refusal(500, f"unable to use snapshot name '{name}' (reserved name)")
        volumes = [drive.volume for slot, drive in vm.drives.items() if drive.volume and not slot.startswith("unused")]
        kinds = {volume.volume: self._pve.storages.find(vm.host, volume.storage) for volume in volumes}
        if not vm.lock and all(volume.format == "qcow2" or _snapshots(kinds[volume.volume]) for volume in volumes):
            raise NotModelled("snapshots")

        def act(task: LabTask) -> None:
            self._pve.in_task_unlocked(vm)
            raise TaskFailed("snapshot feature is not available")

        return self._pve.tasks.start(vm.host, "qmsnapshot", str(vm.vm_id), actor, 0.2, act, lock=lock_file(vm.vm_id)).upid

    def migrate(self, actor: str, args: Args) -> str:
        """Refused as Proxmox refuses it where that can be told; moving a VM to another host is not modelled."""
        target = str(args["target"])
        if target not in self._pve.hosts:
            raise Refusal(500, f"no such cluster node '{target}'")
        if target == args["node"]:
            raise parameter_refusal(target="target is local node.")
        raise NotModelled("migration")

    # Changing.

    def configure(self, actor: str, args: Args) -> None:
        """Change options, drives and cards."""
        self._configuring.configure(actor, *_of(args), self._change(actor, args))

    def configure_later(self, actor: str, args: Args) -> str | None:
        """The same in a worker; with a delay that it does not outlast there is no task to tell of."""
        task = self._configuring.configure_later(actor, *_of(args), self._change(actor, args))
        return None if int(args.get("background_delay", 0)) > self._pve.delays.config_s else task.upid

    def _change(self, actor: str, args: Args) -> Change:
        given = {key: value for key, value in args.items() if key not in _NO_OPTION}
        _whole(given)
        delete = tuple("ide2" if name == "cdrom" else name for name in _listed(args.get("delete")))
        revert = _listed(args.get("revert"))
        known = frozenset(name for name in (*delete, *revert) if self._is_option(name))
        shown = {
            key: value
            for key, value in sorted(args.items())
            if key not in ("node", "vmid", "digest", "background_delay")
        }
        words = " ".join(f"-{key} {'<hidden>' if key == 'cipassword' else value}" for key, value in shown.items())
        return Change(
            self._notation.read(given, actor=actor), delete, revert, str(args.get("digest", "")), bool(args.get("skiplock")),
            bool(args.get("force")), words, known,
        )  # fmt: skip

    def _is_option(self, name: str) -> bool:
        stem = name.rstrip("0123456789")
        return name not in _NO_OPTION and (
            name in self._options or any(rule.startswith(f"{stem}[") for rule in self._options)
        )

    def resize(self, actor: str, args: Args) -> str:
        """Grow a disk to a size, or by one (`+10G`)."""
        size, more = with_size(str(args["size"]))
        digest = str(args.get("digest", ""))
        return self._configuring.resize(actor, *_of(args), str(args["disk"]), size, digest, more=more).upid

    def unlink(self, actor: str, args: Args) -> None:
        """Take drives away, with `force` for good."""
        names = _listed(args["idlist"])
        known = frozenset(name for name in names if self._is_option(name))
        self._configuring.configure(actor, *_of(args), Change({}, names, force=bool(args.get("force")), known=known))

    def cloudinit(self, actor: str, args: Args) -> None:
        """Write the cloud-init drive anew: what is on it follows from the configuration."""
        vm = self._pve.vm(*_of(args))
        if not any(drive.volume is not None and "-cloudinit" in drive.volume.volume for drive in vm.drives.values()):
            raise Refusal(500, "No cloudinit drive found")

    def move(self, actor: str, args: Args) -> str:
        """Bring a disk to another storage."""
        if "storage" not in args:
            raise parameter_refusal(storage="'storage' or 'target-vmid' must be set")
        form, delete = str(args.get("format", "")), bool(args.get("delete"))
        vm, slot = self._pve.vm(*_of(args)), str(args["disk"])
        return self._making.move(actor, vm, slot, str(args["storage"]), form=form, delete=delete).upid

    # Power, and the end.

    def start(self, actor: str, args: Args) -> str:
        """Power on."""
        return self._pve.start_vm(actor, *_of(args)).upid

    def stop(self, actor: str, args: Args) -> str:
        """Power off, and with `overrule-shutdown` end every attempt to ask the guest."""
        host, vm_id = _of(args)
        if args.get("overrule-shutdown") and self._pve.vm(host, vm_id).tended:
            raise parameter_refusal(**{"overrule-shutdown": "Not applicable for HA resources."})
        for task in self._pve.tasks.of(host) if args.get("overrule-shutdown") else ():
            if (task.kind, task.target) == ("qmshutdown", str(vm_id)):
                self._pve.tasks.stop(task)
        return self._pve.stop_vm(actor, host, vm_id).upid

    def shutdown(self, actor: str, args: Args) -> str:
        """Ask the guest to power off."""
        return self._power.shutdown(
            actor, *_of(args), timeout=_timeout(args), then_stop=bool(args.get("forceStop"))
        ).upid

    def reboot(self, actor: str, args: Args) -> str:
        """Ask the guest to power off, and start it again."""
        return self._power.reboot(actor, *_of(args), timeout=_timeout(args)).upid

    def destroy(self, actor: str, args: Args) -> str:
        """Remove a VM with its disks."""
        unreferenced, purge = bool(args.get("destroy-unreferenced-disks")), bool(args.get("purge"))
        return self._pve.destroy_vm(actor, *_of(args), unreferenced=unreferenced, purge=purge).upid


def _snapshots(storage: LabStorage | None) -> bool:
    """Whether what is raw on a storage can be snapshotted there."""
    return storage is not None and storage.kind in ("lvmthin", "zfspool", "rbd")


def _of(args: Args) -> tuple[str, int]:
    return str(args["node"]), int(args["vmid"])


def _timeout(args: Args) -> float | None:
    return float(args["timeout"]) if "timeout" in args else None


def _listed(names: object) -> tuple[str, ...]:
    return tuple(name for name in re.split(r"[,;\s]+", str(names or "")) if name)


def _locks_hold(call: str, handler: Handler) -> Handler:
    """The call, with its refusals of going past a VM's lock."""

    def act(actor: str, args: Args) -> Any:
        if args.get("skiplock") and actor != "root@pam":
            raise parameter_refusal(skiplock="Only root may use this option.")
        if args.get("skiplock") and not call.endswith("/config"):
            raise NotModelled(f"the parameter skiplock of {call}")
        return handler(actor, args)

    return act


def _whole(args: Args) -> None:
    """Keys come encoded once more than the rest, and are refused where that was forgotten."""
    if "sshkeys" in args:
        for line in unquote(str(args["sshkeys"])).splitlines():
            if line.strip() and not re.match(r"\s*(#|(ssh-|ecdsa-|sk-)\S+ \S+)", line):
                raise parameter_refusal(sshkeys="SSH public key validation error")


METHODS: Mapping[str, tuple[str, str]] = {
    "POST /pools": ("reserve", ""),
    "DELETE /pools": ("unreserve", ""),
    "POST /nodes/{node}/storage/{storage}/download-url": ("download_image", "node"),
    "DELETE /nodes/{node}/storage/{storage}/content/{volume}": ("delete_image", "node"),
    "POST /nodes/{node}/qemu": ("create_vm", "vmid"),
    "DELETE /nodes/{node}/qemu/{vmid}": ("destroy_vm", "vmid"),
    "PUT /nodes/{node}/qemu/{vmid}/config": ("configure_vm", "vmid"),
    "PUT /nodes/{node}/qemu/{vmid}/resize": ("grow_disk", "vmid"),
    "POST /nodes/{node}/qemu/{vmid}/status/start": ("start_vm", "vmid"),
    "POST /nodes/{node}/qemu/{vmid}/status/stop": ("stop_vm", "vmid"),
    "POST /nodes/{node}/qemu/{vmid}/status/shutdown": ("shut_down_vm", "vmid"),
    "POST /nodes/{node}/status": ("shut_down_host", "node"),
    "POST /nodes/{node}/wakeonlan": ("wake_host", "node"),
    "DELETE /nodes/{node}/tasks/{upid}": ("stop_task", "node"),
}
"""Call → the mutation of the Proxmox port that it is, and the parameter that says of what ("" for the one there is)."""


def port_method(call: str, args: Args) -> tuple[str, str] | None:
    """(method, target) of the Proxmox port that this call is a mutation of; None for one that only looks."""
    found = METHODS.get(call)
    return (found[0], str(args[found[1]]) if found[1] else "") if found else None
