"""The calls about storages and what is on them. Each takes who asks and the checked parameters, and answers PVE's `data`."""

from __future__ import annotations

from typing import Any

from lab.wire.proxmox.reading import READ_STORAGE, Args, Handler
from lab.world.disks import LabStorage, LabVolume
from lab.world.pve.access import NotModelled, Refusal, parameter_refusal
from lab.world.pve.cluster import LabProxmox
from lab.world.pve.images import Volumes, Wanted
from lab.world.pve.stores import Stores
from lab.world.pve.tasks import FetchFailed


class Storing:
    """The storage calls over one cluster."""

    def __init__(self, pve: LabProxmox) -> None:
        self._pve, self._volumes, self._stores = pve, Volumes(pve), Stores(pve)
        # Files that came with requests, by the temporary name that the server gave each.
        self.arrived: dict[str, bytes] = {}
        on = "/nodes/{node}/storage/{storage}"
        self.handlers: dict[str, Handler] = {
            "GET /nodes/{node}/storage": self.storages,
            f"GET {on}/status": lambda actor, args: _storage_row(self._storage(args)),
            f"GET {on}/content": self.content,
            f"POST {on}/content": self.allocate,
            f"GET {on}/content/{{volume}}": self.volume,
            f"PUT {on}/content/{{volume}}": self.note,
            f"DELETE {on}/content/{{volume}}": self.delete,
            f"POST {on}/download-url": self.download,
            f"POST {on}/upload": self.upload,
            "GET /nodes/{node}/query-url-metadata": self.metadata,
            "GET /storage": self.configured,
            "GET /storage/{storage}": lambda actor, args: self._configuration(str(args["storage"])),
            "POST /storage": lambda actor, args: self._stores.make(args),
            "PUT /storage/{storage}": lambda actor, args: self._stores.change(str(args["storage"]), args),
            "DELETE /storage/{storage}": lambda actor, args: self._stores.remove(str(args["storage"])),
        }

    # The list of storages.

    def configured(self, actor: str, args: Args) -> list[dict[str, Any]]:
        """Configurations of those that the caller may see."""
        rows = [self._configuration(name) for name in self._pve.storages.names() if self._may_see(actor, name)]
        return [row for row in rows if args.get("type", row["type"]) == row["type"]]

    def _configuration(self, name: str) -> dict[str, Any]:
        return {**self._stores.row(name), "digest": self._stores.digest()}

    def storages(self, actor: str, args: Args) -> list[dict[str, Any]]:
        """Storages this host sees and the caller may."""
        for name in ("format", "target"):
            if args.get(name):
                raise NotModelled(f"the parameter {name} of GET /nodes/{{node}}/storage")
        host, wanted = self._pve.reach(str(args["node"])), str(args.get("content", ""))
        return [
            _storage_row(storage)
            for storage in self._pve.storages.of(host.name)
            if self._may_see(actor, storage.name)
            and (not wanted or storage.content & set(wanted.split(",")))
            and args.get("storage", storage.name) == storage.name
            and not (args.get("enabled") and storage.options.get("disable"))
        ]

    # What is on them.

    def content(self, actor: str, args: Args) -> list[dict[str, Any]]:
        """What lies on a storage; backups only of VMs that the caller may back up to it."""
        volumes = [volume for _, volume in sorted(self._storage(args).volumes.items()) if self._shown(actor, volume)]
        return [
            _volume_row(volume)
            for volume in volumes
            if args.get("content", volume.content) == volume.content and args.get("vmid", volume.vm_id) == volume.vm_id
        ]

    def _shown(self, actor: str, volume: LabVolume) -> bool:
        may = self._pve.access.may
        return volume.content != "backup" or (
            may(actor, f"/storage/{volume.storage}", "Datastore.AllocateSpace") and may(actor, f"/vms/{volume.vm_id}", "VM.Backup")
        )

    def volume(self, actor: str, args: Args) -> dict[str, Any]:
        """One volume; its name may come without the storage. An image's size is that of the disk inside."""
        self._pve.access.require(actor, f"/storage/{args['storage']}", *READ_STORAGE)
        found = self._found(args)
        inner = found.contents.data.get("virtual_size")
        row: dict[str, Any] = {
            "path": self._storage(args).file(found.volume.partition(":")[2]), "format": found.format, "used": found.used,
            "size": inner if isinstance(inner, int) and found.content == "import" else found.size,
        }  # fmt: skip
        return row | _said(found)

    def note(self, actor: str, args: Args) -> None:
        """Write something beside a volume, or protect it; Proxmox does so for backups alone."""
        self._pve.access.require(actor, f"/storage/{args['storage']}", *READ_STORAGE)
        found = self._found(args)
        for name in ("notes", "protected"):
            if name in args and found.content != "backup":
                raise Refusal(500, f"attribute '{name}' is not supported for volume '{found.volume}'")
        found.notes = str(args.get("notes", found.notes))
        found.protected = bool(args.get("protected", found.protected))

    def delete(self, actor: str, args: Args) -> str:
        """Delete a file or a disk."""
        return self._volumes.delete(actor, str(args["node"]), str(args["storage"]), str(args["volume"])).upid

    def allocate(self, actor: str, args: Args) -> str:
        """An empty disk for a VM; its size is in KiB, or as it says."""
        text = str(args["size"])
        size = int(text.rstrip("MG")) << {"M": 20, "G": 30}.get(text[-1], 10)
        return self._volumes.allocate(
            str(args["node"]),
            str(args["storage"]),
            int(args["vmid"]),
            str(args["filename"]),
            size,
            str(args.get("format", "")),
        )

    def download(self, actor: str, args: Args) -> str:
        """Let the host fetch a file."""
        return self._volumes.fetch(actor, str(args["node"]), str(args["storage"]), str(args["url"]), _wanted(args)).upid

    def upload(self, actor: str, args: Args) -> str:
        """Take a file that came with the request."""
        content = self.arrived.pop(str(args.get("tmpfilename")), None)
        if content is None:
            raise parameter_refusal(tmpfilename="property is missing and it is not optional")
        return self._volumes.upload(actor, str(args["node"]), str(args["storage"]), content, _wanted(args)).upid

    def metadata(self, actor: str, args: Args) -> dict[str, Any]:
        """The host asks the URL what is there."""
        self._pve.reach(str(args["node"]))
        try:
            content = self._pve.fetch(str(args["url"]), verify=bool(args.get("verify-certificates", 1)))
        except FetchFailed as failure:
            raise Refusal(500, f"invalid server response: '{failure.answer}'") from None
        name = str(args["url"]).partition("?")[0].rsplit("/", 1)[-1]
        return {"filename": name, "size": len(content), "mimetype": "application/octet-stream"}

    # What the calls share.

    def _found(self, args: Args) -> LabVolume:
        found = self._volumes.find(str(args["node"]), str(args["storage"]), str(args["volume"]))
        if found is None:
            raise Refusal(500, f"volume '{args['volume']}' does not exist")
        return found

    def _storage(self, args: Args) -> LabStorage:
        return self._volumes.storage(str(args["node"]), str(args["storage"]))

    def _may_see(self, actor: str, name: str) -> bool:
        return self._pve.access.may(actor, f"/storage/{name}", *READ_STORAGE)


def _wanted(args: Args) -> Wanted:
    return Wanted(
        str(args["content"]), str(args["filename"]), str(args.get("checksum", "")), str(args.get("checksum-algorithm", "")),
        str(args.get("compression", "")), bool(args.get("verify-certificates", 1)),
    )  # fmt: skip


def _storage_row(storage: LabStorage) -> dict[str, Any]:
    return {
        "storage": storage.name,
        "type": storage.kind,
        "content": ",".join(sorted(storage.content)),
        "enabled": int(not storage.options.get("disable")),
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
    row |= {"verification": {"state": volume.verified, "upid": "UPID:lab"}} if volume.verified else {}
    return row | _said(volume) | ({"vmid": volume.vm_id, "parent": None, "used": volume.used} if volume.vm_id else {})


def _said(volume: LabVolume) -> dict[str, Any]:
    return ({"notes": volume.notes} if volume.notes else {}) | ({"protected": 1} if volume.protected else {})
