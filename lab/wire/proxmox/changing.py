"""The calls that change something. Each takes who asks and the checked parameters, and answers the `data` that PVE would."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lab.wire.proxmox.reading import Args, Handler, Reading, fetch_metadata
from lab.wire.proxmox.schema import Schema, Value
from lab.world.proxmox import LabProxmox
from lab.world.pve_access import NotModelled, Refusal, parameter_refusal
from lab.world.pve_making import Making
from lab.world.pve_tasks import LabTask
from lab.world.pve_vm import NewDrive, NewVm, Nic

_DRIVE = re.compile(r"(scsi|virtio|sata|ide|efidisk|tpmstate)\d+")
_NET = re.compile(r"net\d+")
_UNITS = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}
# Not options of a VM: they say how it is made or changed.
_NO_OPTION = {"node", "vmid", "start", "pool", "storage", "delete", "digest", "skiplock"}


class Changing:
    """The changing calls over one cluster."""

    def __init__(self, pve: LabProxmox, schema: Schema, reading: Reading) -> None:
        self._pve = pve
        self._schema = schema
        self._making = Making(pve)
        self.handlers: dict[str, Handler] = {
            "GET /nodes/{node}/query-url-metadata": lambda actor, args: fetch_metadata(pve, str(args["url"])),
            "POST /nodes/{node}/storage/{storage}/download-url": self.download,
            "DELETE /nodes/{node}/storage/{storage}/content/{volume}": self.delete_volume,
            "POST /pools": lambda actor, args: pve.pools.make(actor, str(args["poolid"]), str(args.get("comment", ""))),
            "DELETE /pools": lambda actor, args: pve.pools.remove(actor, str(args["poolid"])),
            "POST /nodes/{node}/qemu": self.create,
            "DELETE /nodes/{node}/qemu/{vmid}": self.destroy,
            "PUT /nodes/{node}/qemu/{vmid}/config": self.configure,
            "PUT /nodes/{node}/qemu/{vmid}/resize": self.resize,
            "POST /nodes/{node}/qemu/{vmid}/status/start": self.start,
            "POST /nodes/{node}/qemu/{vmid}/status/stop": self.stop,
            "POST /nodes/{node}/qemu/{vmid}/status/shutdown": self.shutdown,
            "POST /nodes/{node}/qemu/{vmid}/agent/ping": reading.agent,
        }

    def download(self, actor: str, args: Args) -> str:
        """Only content `import`: the lab's houses boot from disk images."""
        if args["content"] != "import":
            raise NotModelled(f"downloads of content '{args['content']}'")
        if "compression" in args:
            raise parameter_refusal(compression="decompression is only supported for content type 'iso'")
        task = self._making.download(
            actor, str(args["node"]), str(args["storage"]), str(args["filename"]), str(args["url"]),
            str(args.get("checksum", "")), str(args.get("checksum-algorithm", "")),
        )  # fmt: skip
        return task.upid

    def delete_volume(self, actor: str, args: Args) -> str:
        """Delete a file or an unused disk."""
        host, name = str(args["node"]), str(args["storage"])
        self._pve.access.require(actor, f"/storage/{name}", "Datastore.Allocate")
        storage, volume = self._making.storage(host, name), str(args["volume"])
        volume = volume if ":" in volume else f"{name}:{volume}"
        if volume not in storage.volumes:
            raise Refusal(500, f"volume '{volume}' does not exist")

        def act(task: LabTask) -> None:
            storage.free(volume)

        return self._pve.tasks.start(host, "imgdel", name, actor, 1.0, act).upid

    def create(self, actor: str, args: Args) -> str:
        """Make a VM out of PVE's notation."""
        drives, nics, options = [], {}, {}
        for name, value in args.items():
            if _DRIVE.fullmatch(name):
                drives.append(self._drive(name, str(value)))
            elif _NET.fullmatch(name):
                nics[name] = self._nic(str(value))
            elif name not in _NO_OPTION:
                options[name] = value
        for drive in drives:
            if drive.import_from.startswith("/"):
                raise Refusal(500, "Only root can pass arbitrary filesystem paths.")
        new = NewVm(int(args["vmid"]), str(args["node"]), options, tuple(drives), nics, start=bool(args.get("start")))
        if new.start:
            self._pve.access.require(actor, f"/vms/{new.vm_id}", "VM.PowerMgmt")
        return self._making.create(actor, new).upid

    def _drive(self, slot: str, value: str) -> NewDrive:
        kind = slot.rstrip("0123456789")
        found = self._schema.properties({"efidisk": "efidisk", "tpmstate": "tpmstate"}.get(kind, "drive"), value)
        file, source = found.pop("file"), found.pop("import-from", "")
        found.pop("size", None)
        storage, _, rest = file.partition(":")
        if source and rest != "0":
            raise parameter_refusal(
                **{slot: "'import-from' requires special syntax - use <storage ID>:0,import-from=<source>"}
            )
        if source and not source.startswith("/") and not re.search(r":(import|\d+)/|:(vm|base)-\d+-disk-", source):
            raise parameter_refusal(**{slot: f"'{source}' has wrong type 'iso' - needs to be 'images' or 'import'"})
        if file == "none" or rest.startswith("iso/"):
            if found.get("media") != "cdrom":
                raise parameter_refusal(**{slot: "explicit 'media=cdrom' is required for iso images"})
            return NewDrive(slot, "", 0, file, found)
        if not re.fullmatch(r"\d+(\.\d+)?", rest):
            raise NotModelled(f"{slot} from '{file}'")
        return NewDrive(slot, storage, int(float(rest) * (1 << 30)), source, found)

    def _nic(self, value: str) -> Nic:
        found = self._schema.properties("net", value)
        # Without an address PVE makes one up, under its own prefix.
        made_up = "BC:24:11:" + ":".join(f"{self._pve.world.random.randrange(256):02X}" for _ in range(3))
        return Nic(found.pop("model"), found.pop("macaddr", made_up).upper(), found.pop("bridge", ""), found)

    def configure(self, actor: str, args: Args) -> None:
        """Change plain options at once; drives and cards of a VM that exists are not modelled."""
        delete = tuple(name for name in str(args.get("delete", "")).split(",") if name)
        for name in [*args, *delete]:
            if _DRIVE.fullmatch(name) or _NET.fullmatch(name):
                raise NotModelled(f"a change of {name}")
        self._no_skiplock(args)
        options: dict[str, Value] = {name: value for name, value in args.items() if name not in _NO_OPTION}
        self._making.configure(
            actor, str(args["node"]), int(args["vmid"]), options, delete, str(args.get("digest", ""))
        )

    def resize(self, actor: str, args: Args) -> str:
        """Grow a disk to a size, or by one (`+10G`)."""
        self._no_skiplock(args)
        host, vm_id, slot, size = str(args["node"]), int(args["vmid"]), str(args["disk"]), str(args["size"])
        unit = size[-1] if size[-1] in "KMGT" else ""
        wanted = int(float(size.removeprefix("+").removesuffix(unit)) * (1 << _UNITS[unit]))
        drive = self._pve.vm(host, vm_id).drives.get(slot)
        if size.startswith("+") and drive is not None and drive.volume is not None:
            wanted += drive.volume.size
        return self._making.resize(actor, host, vm_id, slot, wanted, str(args.get("digest", ""))).upid

    def start(self, actor: str, args: Args) -> str:
        """Power on."""
        self._no_skiplock(args)
        return self._pve.start_vm(actor, str(args["node"]), int(args["vmid"])).upid

    def stop(self, actor: str, args: Args) -> str:
        """Power off."""
        self._no_skiplock(args)
        return self._pve.stop_vm(actor, str(args["node"]), int(args["vmid"])).upid

    def shutdown(self, actor: str, args: Args) -> str:
        """Ask the guest to power off; the lab's guests do as they are told."""
        self._no_skiplock(args)
        return self._pve.stop_vm(actor, str(args["node"]), int(args["vmid"]), kind="qmshutdown").upid

    def destroy(self, actor: str, args: Args) -> str:
        """Remove a VM with its disks."""
        self._no_skiplock(args)
        unreferenced = bool(args.get("destroy-unreferenced-disks"))
        return self._pve.destroy_vm(actor, str(args["node"]), int(args["vmid"]), unreferenced=unreferenced).upid

    def _no_skiplock(self, args: Args) -> None:
        if args.get("skiplock"):
            raise parameter_refusal(skiplock="Only root may use this option.")


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
    "POST /nodes/{node}/qemu/{vmid}/status/shutdown": ("shutdown_vm", "vmid"),
    "DELETE /nodes/{node}/tasks/{upid}": ("stop_task", "node"),
}
"""Call → the mutation of the Proxmox port that it is, and the parameter that says of what ("" for the one there is)."""


def port_method(call: str, args: Args) -> tuple[str, str] | None:
    """(method, target) of the Proxmox port that this call is a mutation of; None for one that only looks."""
    found = METHODS.get(call)
    return (found[0], str(args[found[1]]) if found[1] else "") if found else None
