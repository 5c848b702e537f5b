"""What is on the storages of the simulated Proxmox besides VMs: downloads, uploads, allocating, deleting. Knows no protocol."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import urlsplit

from lab.world.disks import DiskContents, LabStorage, LabVolume
from lab.world.images import problem, virtual_size
from lab.world.pve.access import NotModelled, Refusal, parameter_refusal
from lab.world.pve.cluster import LabProxmox
from lab.world.pve.fetch import origin
from lab.world.pve.tasks import FetchFailed, LabTask, TaskFailed

# What a file of each content may be called, and what is said of one that is called otherwise.
_NAMES = {
    "import": (r"[A-Za-z0-9_.-]+\.(qcow2|raw|vmdk|ova)", "invalid filename or wrong extension"),
    "iso": (r"[^/]+\.(?i:iso|img)", "wrong file extension"),
    "vztmpl": (r"[^/]+\.tar\.(gz|xz|zst|bz2)", "wrong file extension"),
}
_FOLDERS = {"iso": "iso", "vztmpl": "vztmpl", "import": "import"}
_DISK = re.compile(r"(vm|base|subvol)-(\d+)-[A-Za-z0-9_-]+(\.(raw|qcow2|vmdk))?")
ALGORITHMS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")


@dataclass(frozen=True)
class Wanted:
    """A file to put on a storage. `checksum` "" leaves it unchecked; `compression`: it is to be unpacked on arrival."""

    content: str
    filename: str
    checksum: str = ""
    algorithm: str = ""
    compression: str = ""
    verify: bool = True


class Volumes:
    """The requests about files and disks on storages, on one cluster."""

    def __init__(self, proxmox: LabProxmox) -> None:
        self._pve = proxmox

    def storage(self, host: str, name: str) -> LabStorage:
        """The storage as this host sees it; PVE's refusals when it is not there or does not answer."""
        self._pve.reach(host)
        found, trouble = self._pve.storages.find(host, name), self._pve.storages.trouble(host, name)
        if found is None or trouble:
            raise Refusal(500, trouble)
        return found

    # Files.

    def download(
        self, actor: str, host: str, storage: str, filename: str, url: str, checksum: str, algorithm: str
    ) -> LabTask:
        """Let a host fetch an image to a storage as content `import`. `checksum` "" leaves it unchecked."""
        return self.fetch(actor, host, storage, url, Wanted("import", filename, checksum, algorithm))

    def fetch(self, actor: str, host: str, storage: str, url: str, wanted: Wanted) -> LabTask:
        """Let a host fetch a file to a storage."""
        pve = self._pve
        pve.access.require(actor, f"/storage/{storage}", "Datastore.AllocateTemplate")
        if not pve.access.may(actor, "/", "Sys.Modify"):
            pve.access.require(actor, f"/nodes/{host}", "Sys.AccessNetwork")
        found, volume = self._place(host, storage, wanted)
        name = volume.rpartition("/")[2]

        def act(task: LabTask) -> None:
            if wanted.compression:
                raise TaskFailed("decompression not supported for import")
            self._fetch_into(found, volume, url, wanted, task)

        return pve.tasks.start(host, "download", name, actor, pve.delays.download_s, act, lock=f"{host}/{volume}")

    def upload(self, actor: str, host: str, storage: str, content: bytes, wanted: Wanted) -> LabTask:
        """Put a file that a client sent on a storage."""
        found, volume = self._place(host, storage, wanted)

        def act(task: LabTask) -> None:
            task.log += [
                f"starting file import from: {wanted.filename}",
                f"target node: {host}",
                f"target file: {self._file(found, volume)}",
            ]
            if wanted.checksum:
                _compare(_sums(content)[wanted.algorithm], wanted.checksum)
            if len(content) > found.available:
                raise TaskFailed(f"import failed: Cannot write to '{self._file(found, volume)}' (No space left on device).")
            self._keep(found, volume, content, "")
            task.log.append("finished file import successfully")

        return self._pve.tasks.start(host, "imgcopy", "", actor, 0.5, act, lock=f"{host}/{volume}")

    def _place(self, host: str, storage: str, wanted: Wanted) -> tuple[LabStorage, str]:
        """The storage, and the volume that the file becomes; refusals of what cannot be there."""
        found = self.storage(host, storage)
        if not found.file_based:
            raise Refusal(500, f"can't upload to storage type '{found.kind}', not a file based storage!")
        if wanted.content not in found.content:
            raise Refusal(500, f"storage '{storage}' is not configured for content-type '{wanted.content}'")
        name = re.sub(r"[^A-Za-z0-9_.-]", "_", wanted.filename)
        if wanted.compression and wanted.content != "import":
            raise NotModelled(f"downloads of packed content '{wanted.content}'")
        pattern, words = _NAMES[wanted.content]
        if not re.fullmatch(pattern, name):
            raise parameter_refusal(filename=words)
        return found, f"{storage}:{_FOLDERS[wanted.content]}/{name}"

    def _file(self, storage: LabStorage, volume: str) -> str:
        return storage.file(volume.partition(":")[2])

    def _fetch_into(self, storage: LabStorage, volume: str, url: str, wanted: Wanted, task: LabTask) -> None:
        file = self._file(storage, volume)
        task.log.append(f"downloading {url} to {file}")
        present = storage.volumes.get(volume)
        if present is not None:
            self._compare_present(present, wanted, file, task)
            return
        now = datetime.fromtimestamp(self._pve.world.clock.now(), UTC).strftime("%Y-%m-%d %H:%M:%S")
        where, temporary = origin(urlsplit(url)), f"{file}.tmp_dwnl.{task.pid}"
        task.log.append(f"--{now}--  {url}")
        try:
            content = self._pve.fetch(url, verify=wanted.verify)
        except FetchFailed as failure:
            task.log += failure.log(where, now)
            raise
        task.log += [
            f"Connecting to {where}... connected.", "HTTP request sent, awaiting response... 200 OK",
            f"Length: {len(content)} ({-(-len(content) >> 10)}K) [application/octet-stream]", f"Saving to: '{temporary}'", "",
        ]  # fmt: skip
        if len(content) > storage.available:
            raise TaskFailed(f"download failed: Cannot write to '{temporary}' (No space left on device).")
        task.log.append(f"{now} (313 MB/s) - '{temporary}' saved [{len(content)}/{len(content)}]")
        if wanted.checksum:
            task.log.append("calculating checksum...")
            _compare(_sums(content)[wanted.algorithm], wanted.checksum, aborting="")
            task.log[-1] += "OK, checksum verified"
        self._keep(storage, volume, content, temporary, task)
        task.log.append(f"download of '{url}' to '{file}' finished")

    def _compare_present(self, present: LabVolume, wanted: Wanted, file: str, task: LabTask) -> None:
        if not wanted.checksum:
            raise TaskFailed(f"refusing to override existing file '{file}'")
        task.log.append("calculating checksum of existing file...")
        sums = present.contents.data.get("sums")
        _compare(str(sums.get(wanted.algorithm, "")) if isinstance(sums, dict) else present.sha256, wanted.checksum)
        task.log[-1] += "OK, got correct file already, no need to download"

    def _keep(
        self, storage: LabStorage, volume: str, content: bytes, temporary: str, task: LabTask | None = None
    ) -> None:
        """Open the file as Proxmox opens what it takes in, and put it where it belongs."""
        ending, kind = volume.rpartition(".")[2], volume.partition(":")[2].partition("/")[0]
        trouble = problem(content, ending) if kind == "import" else ""
        if trouble:
            if task is not None:
                said = f"command '/usr/bin/qemu-img info '--output=json' {temporary} -f {ending}' failed: exit code 1"
                task.log.append(said)
            raise TaskFailed(f"failed to verify file: qemu-img: Could not open '{temporary}': {trouble}")
        sums = _sums(content)
        storage.volumes[volume] = LabVolume(
            volume, kind, len(content), len(content), ending, self._pve.world.clock.now(), sha256=sums["sha256"],
            contents=DiskContents(data={"virtual_size": virtual_size(content), "sums": dict(sums)}),
        )  # fmt: skip

    # Volumes of any kind.

    def find(self, host: str, storage: str, name: str) -> LabVolume | None:
        """One volume by its name, with or without its storage; None when there is none."""
        return self.storage(host, storage).volumes.get(name if ":" in name else f"{storage}:{name}")

    def delete(self, actor: str, host: str, storage: str, name: str) -> LabTask:
        """Delete a file or a disk. On a storage of files one that is not there is deleted as well."""
        found, volume = self.storage(host, storage), name if ":" in name else f"{storage}:{name}"
        present = found.volumes.get(volume)
        if present is not None and present.content == "backup" and present.vm_id:
            self._pve.access.require(actor, f"/storage/{storage}", "Datastore.AllocateSpace")
            self._pve.access.require(actor, f"/vms/{present.vm_id}", "VM.Backup")
        else:
            self._pve.access.require(actor, f"/storage/{storage}", "Datastore.Allocate")
        if present is not None and present.protected:
            raise Refusal(500, f"cannot remove protected volume '{volume}' on '{storage}'")

        def act(task: LabTask) -> None:
            if volume not in found.volumes:
                if not found.file_based:
                    raise TaskFailed(f"volume '{volume}' does not exist")
                task.log.append(f"disk image '{self._file(found, volume)}' does not exist")
            found.free(volume)
            task.log.append(f"Removed volume '{volume}'")

        target = f"{present.vm_id}@{storage}" if present is not None and present.vm_id else storage
        return self._pve.tasks.start(host, "imgdel", target, actor, self._pve.delays.delete_s, act)

    def allocate(self, host: str, storage: str, vm_id: int, filename: str, size: int, form: str) -> str:
        """Make an empty disk for a VM that may not be there yet; answers the volume. `size` in bytes, `form` "" for by its name."""
        found = self.storage(host, storage)
        if "images" not in found.content:
            raise Refusal(500, f"storage '{storage}' does not support content-type 'images'")
        match = _DISK.fullmatch(filename)
        if match is None or int(match[2]) != vm_id:
            raise Refusal(500, f"illegal name '{filename}' - should be 'vm-{vm_id}-*'")
        if match[4] and form and form != match[4]:
            raise parameter_refusal(format=f"different storage formats ('{match[4]}' != '{form}')")
        bare = filename.removesuffix(match[3] or "")
        place = f"{vm_id}/{bare}.{match[4] or form or 'raw'}" if found.file_based else bare
        if f"{storage}:{place}" in found.volumes:
            raise Refusal(500, f"disk image '{found.file(place)}' already exists")
        now = self._pve.world.clock.now()
        made = found.new_disk(vm_id, size, now, DiskContents(), form=match[4] or form or "raw", name=bare)
        if made is None:
            raise Refusal(500, f"not enough free space on storage '{storage}'")
        return made.volume


@lru_cache(maxsize=8)  # every host downloads the same image
def _sums(content: bytes) -> Mapping[str, str]:
    return {name: hashlib.new(name, content, usedforsecurity=False).hexdigest() for name in ALGORITHMS}


def _compare(got: str, expected: str, aborting: str = ", aborting") -> None:
    if got != expected.lower():
        raise TaskFailed(f"checksum mismatch: got '{got}' != expect '{expected}'{aborting}")
