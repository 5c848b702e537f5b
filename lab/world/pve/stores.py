"""The cluster's list of storages, as requests change it. Knows no protocol and no volume."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from lab.world.disks import GIB, LabStorage
from lab.world.pve.access import NotModelled, Refusal, parameter_refusal
from lab.world.pve.cluster import LabProxmox
from lab.world.pve.pools import CLUSTER_LOCK_S
from lab.world.pve.tasks import Busy

Given = Mapping[str, str | int]
# What each kind may hold (the storage plugins' own lists), and what its configuration needs besides a name.
_HOLDS = {
    "dir": ("images rootdir vztmpl iso backup snippets import none", ("path",)),
    "nfs": ("images rootdir vztmpl iso backup snippets import none", ("server", "export")),
    "cifs": ("images rootdir vztmpl iso backup snippets import none", ("server", "share")),
    "lvm": ("images rootdir none", ("vgname",)),
    "lvmthin": ("images rootdir none", ("vgname", "thinpool")),
    "zfspool": ("images rootdir none", ("pool",)),
    "rbd": ("images rootdir none", ()),
    "cephfs": ("vztmpl iso backup snippets import none", ()),
    "pbs": ("backup none", ("server", "datastore")),
}
_SHARED = ("nfs", "cifs", "rbd", "cephfs", "pbs")
_DEFAULTS = {"dir": "images,rootdir", "nfs": "images", "cifs": "images", "cephfs": "vztmpl,iso,backup", "pbs": "backup"}


class Stores:
    """The requests about the configuration of storages."""

    def __init__(self, proxmox: LabProxmox) -> None:
        self._pve = proxmox

    def digest(self) -> str:
        """Digest of the whole list."""
        rows = [(name, self.row(name)) for name in self._pve.storages.names()]
        return hashlib.sha1(repr(rows).encode(), usedforsecurity=False).hexdigest()

    def row(self, name: str) -> dict[str, str | int]:
        """One storage's configuration; PVE's refusal when there is none."""
        found = self._one(name)
        row: dict[str, str | int] = {"storage": name, "type": found.kind, "content": ",".join(sorted(found.content))}
        row |= {"path": found.folder} if found.kind == "dir" else {}
        row |= {"shared": 1} if found.shared else {}
        return row | found.options

    def make(self, given: Given) -> dict[str, str]:
        """Add a storage, seen by every host or by those that `nodes` names; a new one is 100 GiB large and empty."""
        self._writable("create storage")
        name, kind = str(given["storage"]), str(given["type"])
        if kind not in _HOLDS:
            raise Refusal(501, f"the lab does not model storages of type {kind}")
        if self._pve.storages.known(name):
            raise Refusal(500, f"create storage failed: storage ID '{name}' already defined")
        allowed, needed = _HOLDS[kind]
        missing = {key: "property is missing and it is not optional" for key in needed if key not in given}
        if missing:
            raise Refusal(400, "Parameter verification failed.", missing)
        content = frozenset(str(given.get("content", _DEFAULTS.get(kind, "images,rootdir"))).split(",")) - {""}
        self._may_hold(kind, content, allowed)
        kept = {
            key: value
            for key, value in given.items()
            if key not in ("storage", "type", "content", "path", "shared", "password")
        }
        shared = kind in _SHARED or bool(given.get("shared"))
        made = LabStorage(name, kind, content, 100 * GIB, shared=shared, path=str(given.get("path", "")), options=kept)
        self._pve.storages.add(made, *self._pve.hosts)
        return {"storage": name, "type": kind}

    def change(self, name: str, given: Given) -> dict[str, str]:
        """Say something else of a storage."""
        self._writable("update storage")
        found = self._one(name)
        if given.get("digest") not in (None, self.digest()):
            raise Refusal(
                500, "update storage failed: detected modified configuration - file changed by other user? Try again."
            )
        if bool(given.get("shared", found.shared)) != found.shared and found.kind not in _SHARED:
            raise NotModelled("a storage that becomes shared, or the hosts' own")
        delete = [key for key in str(given.get("delete", "")).split(",") if key]
        self._may_delete(found.kind, delete, given)
        default = _DEFAULTS.get(found.kind, "images,rootdir") if "content" in delete else ",".join(found.content)
        content = frozenset(str(given.get("content", default)).split(",")) - {""}
        self._may_hold(found.kind, content, _HOLDS[found.kind][0])
        kept = {
            key: value
            for key, value in given.items()
            if key not in ("storage", "content", "digest", "delete", "shared", "password")
        }
        for each in self._pve.storages.every(name):
            each.content = content
            each.options |= kept
            for key in delete:
                each.options.pop(key, None)
        return {"storage": name, "type": found.kind}

    def remove(self, name: str) -> None:
        """Take a storage out of the list; what is on it stays where it is."""
        self._writable("delete storage")
        if not self._pve.storages.known(name):
            raise Refusal(500, f"delete storage failed: storage '{name}' does not exist")
        self._pve.storages.remove(name)

    def _may_delete(self, kind: str, names: list[str], given: Given) -> None:
        """Raise PVE's refusal for what a storage cannot be without, or is given at the same time."""
        for name in names:
            if name in ("storage", "type"):
                raise Refusal(500, f"update storage failed: no such option '{name}'")
            if name in _HOLDS[kind][1]:
                raise Refusal(500, f"update storage failed: unable to delete fixed option '{name}'")
            both = f"cannot set and delete property '{name}' at the same time!"
            if name in given:
                raise Refusal(500, f"update storage failed: {both}")

    def _may_hold(self, kind: str, content: frozenset[str], allowed: str) -> None:
        for each in sorted(content - set(allowed.split(" "))):
            raise parameter_refusal(content=f"storage does not support content type '{each}'")

    def _one(self, name: str) -> LabStorage:
        found = self._pve.storages.every(name)
        if not found:
            raise Refusal(500, f"storage '{name}' does not exist")
        return found[0]

    def _writable(self, doing: str) -> None:
        if not self._pve.quorate:
            raise Busy(CLUSTER_LOCK_S, f"{doing} failed: cfs-lock 'file-storage_cfg' error: no quorum!")
