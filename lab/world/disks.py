"""Storages, volumes and what is on the disks of VMs. Knows no VM and no protocol; whoever frees a volume loses its contents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

GIB = 1 << 30

# Kinds that take space when it is written, not when a disk is made (qemu-server's storage plugins).
_THIN = frozenset({"lvmthin", "zfspool", "rbd", "dir", "nfs", "cifs", "cephfs"})
_FILE_BASED = frozenset({"dir", "nfs", "cifs", "cephfs"})
# The largest file that ext4 holds, and so the largest raw disk on a storage of files.
LARGEST_FILE = (16 << 40) - 4096
# Folders of a storage of files, by content.
_FOLDERS = {"iso": "template/iso", "vztmpl": "template/cache", "backup": "dump"}


@dataclass
class DiskContents:
    """What a guest wrote on one disk. `image` names the image it was imported from ("" for an empty disk).

    `data` is free for the parts of the World that live on the disk. Once the disk is gone, `lost` is true and `data` empty,
    also for those who still hold this object.
    """

    image: str = ""
    data: dict[str, object] = field(default_factory=dict)
    lost: bool = False

    def lose(self) -> None:
        """The disk was destroyed."""
        self.data.clear()
        self.image = ""
        self.lost = True


@dataclass
class LabVolume:
    """One volume on a storage: a VM's disk (content `images`), its backup, or a file. Sizes in bytes; `used` is what it really
    takes; `verified` is what a backup server found when it read a backup, "" where it did not."""

    volume: str
    content: str
    size: int
    used: int
    format: str
    created: float
    vm_id: int = 0
    sha256: str = ""
    verified: str = ""
    contents: DiskContents = field(default_factory=DiskContents)
    notes: str = ""
    protected: bool = False

    @property
    def storage(self) -> str:
        """The storage's name, out of the volume id."""
        return self.volume.partition(":")[0]


@dataclass
class LabStorage:
    """One storage. A shared one is the same object for every host; another one exists once per host."""

    name: str
    kind: str
    content: frozenset[str]
    total: int
    shared: bool = False
    active: bool = True
    volumes: dict[str, LabVolume] = field(default_factory=dict)
    path: str = ""
    # What else its configuration says (nodes, disable, pool, vgname, ...), by PVE's names.
    options: dict[str, str | int] = field(default_factory=dict)

    @property
    def used(self) -> int:
        """Bytes in use."""
        return sum(volume.used for volume in self.volumes.values())

    @property
    def available(self) -> int:
        """Bytes left."""
        return max(0, self.total - self.used)

    @property
    def file_based(self) -> bool:
        """Whether it can hold files such as images."""
        return self.kind in _FILE_BASED

    @property
    def folder(self) -> str:
        """Where its files lie on a host."""
        return self.path or ("/var/lib/vz" if self.name == "local" else f"/mnt/pve/{self.name}")

    def file(self, name: str) -> str:
        """Path on a host of a volume by its name below the storage (`100/vm-100-disk-0.raw`, `import/talos.qcow2`)."""
        if not self.file_based:
            return f"/dev/{self.options.get('vgname', self.options.get('pool', self.name))}/{name}"
        content, slash, rest = name.partition("/")
        if content.isdigit():
            return f"{self.folder}/images/{name}"
        return f"{self.folder}/{_FOLDERS.get(content, content)}{slash}{rest}"

    def new_disk(
        self, vm_id: int, size: int, now: float, contents: DiskContents, written: int = 0, form: str = "raw", name: str = ""
    ) -> LabVolume | None:
        """Allocate a disk for a VM, named as Proxmox names it; None when the space does not reach. Sizes in bytes.

        On a storage of files a disk is in the `form` asked for; elsewhere there is only raw. `name` (without an ending) is taken
        instead of the next free number.
        """
        used = written if self.kind in _THIN else size
        if used > self.available:
            return None
        form = form if self.file_based else "raw"
        volume = LabVolume(self._free_name(vm_id, form, name), "images", size, used, form, now, vm_id, contents=contents)
        self.volumes[volume.volume] = volume
        return volume

    def _free_name(self, vm_id: int, form: str, name: str) -> str:
        # A storage of files keeps a VM's disks in a folder of their own (volume ids `local:100/vm-100-disk-0.raw`).
        bare = f"{self.name}:{vm_id}/" if self.file_based else f"{self.name}:"
        ending = f".{form}" if self.file_based else ""
        if name:
            return f"{bare}{name}{ending}"
        taken = {volume.rpartition(".")[0] if self.file_based else volume for volume in self.volumes}
        number = next(n for n in range(1000) if f"{bare}vm-{vm_id}-disk-{n}" not in taken)
        return f"{bare}vm-{vm_id}-disk-{number}{ending}"

    def grow(self, volume: LabVolume, size: int) -> bool:
        """Grow a volume to `size` bytes; False when the space does not reach."""
        more = 0 if self.kind in _THIN else size - volume.size
        if more > self.available:
            return False
        volume.size, volume.used = size, volume.used + more
        return True

    def free(self, name: str) -> None:
        """Remove a volume; what was on it is lost."""
        volume = self.volumes.pop(name, None)
        if volume is not None:
            volume.contents.lose()


class Storages:
    """All storages of the house, by host."""

    def __init__(self) -> None:
        self._local: dict[tuple[str, str], LabStorage] = {}
        self._shared: dict[str, LabStorage] = {}

    def add(self, storage: LabStorage, *hosts: str) -> None:
        """Add a shared storage, or one of these hosts' own (one object per host)."""
        if storage.shared:
            self._shared[storage.name] = storage
        for host in () if storage.shared else hosts:
            self._local[host, storage.name] = LabStorage(
                storage.name, storage.kind, storage.content, storage.total, active=storage.active, path=storage.path,
                options=storage.options,
            )  # fmt: skip

    def find(self, host: str, name: str) -> LabStorage | None:
        """The storage as this host sees it, None when it has none of this name."""
        found = self._shared.get(name) or self._local.get((host, name))
        nodes = str(found.options.get("nodes", "")) if found is not None else ""
        return found if not nodes or host in nodes.split(",") else None

    def trouble(self, host: str, name: str) -> str:
        """Why this host cannot use the storage of this name, in Proxmox's words; "" where it can."""
        found = self.find(host, name)
        if found is None:
            return f"storage '{name}' is not available on node '{host}'" if self.known(name) else f"storage '{name}' does not exist"
        if found.options.get("disable"):
            return f"storage '{name}' is disabled"
        return "" if found.active else f"storage '{name}' is not online"

    def known(self, name: str) -> bool:
        """Whether any host has a storage of this name."""
        return name in self._shared or any(key[1] == name for key in self._local)

    def every(self, name: str) -> list[LabStorage]:
        """The storage of this name, once per host that has one of its own."""
        shared = self._shared.get(name)
        return [shared] if shared else [each for (_, own), each in sorted(self._local.items()) if own == name]

    def names(self) -> list[str]:
        """Names of all storages of the house, in order."""
        return sorted(set(self._shared) | {name for _, name in self._local})

    def remove(self, name: str) -> None:
        """Take it out of the configuration; what is on it stays where it is."""
        self._shared.pop(name, None)
        for key in [key for key in self._local if key[1] == name]:
            del self._local[key]

    def of(self, host: str) -> Iterator[LabStorage]:
        """Every storage this host sees, by name."""
        names = set(self._shared) | {name for owner, name in self._local if owner == host}
        for name in sorted(names):
            found = self.find(host, name)
            if found is not None:
                yield found
