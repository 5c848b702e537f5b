"""Changes of a VM that exists: options, drives, cards, at once or at its next start; growing a disk. Knows no protocol."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from lab.world.disks import LARGEST_FILE, LabVolume
from lab.world.pve.access import Refusal, parameter_refusal
from lab.world.pve.cluster import LabProxmox, lock_file, unwritable
from lab.world.pve.disks import Disks
from lab.world.pve.images import Volumes
from lab.world.pve.rights import may_delete, may_set
from lab.world.pve.tasks import LOCK_WAIT_S, LabTask, TaskFailed
from lab.world.pve.vm import Drive, Entry, LabVm, NewDrive, Nic, mebibytes, normal_tags, said

_DRIVE = re.compile(r"(scsi|virtio|sata|ide|efidisk|tpmstate)\d+")
# What a running VM takes at once whatever its hot-plug says.
_AT_ONCE = re.compile(
    r"lock|name|onboot|shares|startup|description|protection|vmstatestorage|hookscript|tags|balloon|cpulimit|cpuunits|unused\d+"
)
# What each kind of hot-plug takes at once.
_HOT = {
    "network": r"net\d+",
    "disk": r"(scsi|virtio)\d+",
    "usb": r"usb\d+",
    "memory": "memory",
    "cpu": "vcpus",
    "cloudinit": r"ipconfig\d+|ci\w+",
}


@dataclass(frozen=True)
class Change:
    """What a VM's configuration is to become. `words`: the parameters as the worker's first line repeats them."""

    set: Mapping[str, str | int | NewDrive | Nic]
    delete: tuple[str, ...] = ()
    revert: tuple[str, ...] = ()
    digest: str = ""
    skiplock: bool = False
    force: bool = False
    words: str = ""
    known: frozenset[str] = field(default_factory=frozenset)


class Configuring:
    """The requests that change a VM that exists, on one cluster."""

    def __init__(self, proxmox: LabProxmox) -> None:
        self._pve = proxmox
        self._volumes = Volumes(proxmox)
        self._disks = Disks(self._volumes, proxmox.world.clock.now)

    def configure(self, actor: str, host: str, vm_id: int, change: Change) -> None:
        """Change it now; raises PVE's refusals, and Busy while somebody holds the VM's lock file."""
        vm = self._checked(actor, host, vm_id, change)
        self._pve.tasks.need(lock_file(vm_id), LOCK_WAIT_S)
        try:
            self._change(vm, change, [])
        except TaskFailed as failure:
            raise Refusal(500, str(failure)) from None

    def configure_later(self, actor: str, host: str, vm_id: int, change: Change) -> LabTask:
        """Change it in a worker."""
        vm = self._checked(actor, host, vm_id, change)
        self._pve.tasks.need(lock_file(vm_id), LOCK_WAIT_S)

        def act(task: LabTask) -> None:
            task.log.append(f"update VM {vm_id}: {change.words}")
            try:
                self._change(vm, change, task.log)
            except Refusal as no:
                raise TaskFailed(
                    "\n".join(f"{name}: {text}" for name, text in (no.errors or {}).items()) or no.text
                ) from None

        return self._pve.tasks.start(
            host, "qmconfig", str(vm_id), actor, self._pve.delays.config_s, act, lock=lock_file(vm_id)
        )

    def _checked(self, actor: str, host: str, vm_id: int, change: Change) -> LabVm:
        """The VM, once everything that is refused before the change begins was not."""
        if not (change.set or change.delete or change.revert):
            raise Refusal(500, "no options specified")
        for word, names in (("revert", change.revert), ("delete", change.delete)):
            for name in names:
                if name in change.set:
                    raise parameter_refusal(delete=f"you can't use '-{name}' and -{word} {name}' at the same time")
                if name not in change.known:
                    raise parameter_refusal(**{word: f"unknown option '{name}'"})
        vm = self._pve.vm(host, vm_id)
        may_delete(self._pve.access, actor, vm, change.delete)
        may_set(self._pve.access, actor, vm_id, change.set)
        for name, drive in change.set.items():
            if isinstance(drive, NewDrive) and drive.storage:
                self._holds_images(host, drive.storage)
            elif isinstance(drive, NewDrive) and ":" in drive.volume:
                self._volumes.storage(host, drive.volume.partition(":")[0])
            elif name == "boot" and not isinstance(drive, NewDrive | Nic):
                self._bootable(vm, change, str(drive))
        if change.digest and change.digest != vm.config()["digest"]:
            raise Refusal(500, "checksum mismatch (file change by other user?)")
        if vm.lock and not change.skiplock:
            raise Refusal(500, f"VM is locked ({vm.lock})")
        _balloon_fits(vm, change)
        return vm

    def _holds_images(self, host: str, storage: str) -> None:
        if "images" not in self._volumes.storage(host, storage).content:
            raise Refusal(500, f"storage '{storage}' does not support content-type 'images'")

    def _bootable(self, vm: LabVm, change: Change, value: str) -> None:
        if not value.startswith("order="):
            return
        for name in value.removeprefix("order=").split(";"):
            if name and name not in change.set and name not in vm.config(pending=True):
                raise Refusal(500, f"invalid bootorder: device '{name}' does not exist'")

    # What the change does.

    def _change(self, vm: LabVm, change: Change, log: list[str]) -> None:
        if not self._pve.quorate:
            raise TaskFailed(unwritable(vm))
        for name in change.revert:
            self._forget(vm, name)
        problems: dict[str, str] = {}
        for name in change.delete:
            self._take_away(vm, name, change, problems)
        for name, value in change.set.items():
            entry = self._entry(vm, name, value, log)
            if isinstance(entry, Drive):
                self._forget(vm, name, keep=entry)
            if entry != "":
                self._apply(vm, name, entry, problems)
            elif vm.entry(name) is not None:  # a line without a value is none when the file is read again
                self._apply(vm, name, None, problems)
        if problems:
            raise Refusal(400, "Parameter verification failed.", problems)

    def _entry(self, vm: LabVm, name: str, value: str | int | NewDrive | Nic, log: list[str]) -> Entry:
        if isinstance(value, NewDrive):
            before = vm.drives.get(name)
            made = self._disks.make(vm, value, log)
            if before is not None and before.volume is made.volume and before.volume is not None:
                made.old_size, made.sized = before.old_size, before.sized
            return made
        if name == "tags":
            return normal_tags(str(value))
        return value.strip("\n") if name == "description" and isinstance(value, str) else value

    def _take_away(self, vm: LabVm, name: str, change: Change, problems: dict[str, str]) -> None:
        if name.startswith("unused") and name in vm.drives:
            self._protected(vm, name)
            self._free(vm, *vm.put(name, None))
            return
        if _DRIVE.fullmatch(name) and name in vm.drives:
            self._protected(vm, name)
        self._forget(vm, name)
        if vm.entry(name) is not None:
            self._apply(vm, name, None, problems, force=change.force)
        if name == "lock":
            vm.lock = ""

    def _protected(self, vm: LabVm, name: str) -> None:
        if vm.options.get("protection") == 1:
            raise TaskFailed(f"can't remove drive '{name}' - protection mode enabled")

    def _forget(self, vm: LabVm, name: str, keep: Drive | None = None) -> None:
        """Drop what was going to change at the next start; a disk that was made for it is unused now."""
        entry = vm.pending.pop(name, None)
        if isinstance(entry, Drive) and (keep is None or entry.volume is not keep.volume):
            vm.put_aside(entry)

    def _apply(
        self, vm: LabVm, name: str, entry: Entry | None, problems: dict[str, str], *, force: bool = False
    ) -> None:
        """At once where the VM is off or takes it, else at its next start."""
        if name == "lock":
            vm.lock = str(entry)
            return
        before = vm.entry(name)
        if entry is not None and before is not None and said(before) == said(entry):
            vm.pending.pop(name, None)
            return
        if vm.running and not _takes_now(vm, name, before, entry):
            vm.pending[name] = entry
            return
        self._free(vm, *vm.put(name, entry, force=force))

    def _free(self, vm: LabVm, *volumes: LabVolume) -> None:
        for volume in volumes:
            self._volumes.storage(vm.host, volume.storage).free(volume.volume)

    # Growing.

    def resize(
        self, actor: str, host: str, vm_id: int, slot: str, size: int, digest: str = "", *, more: bool = False
    ) -> LabTask:
        """Grow a disk to `size` bytes, or by them with `more`, if the configuration still has this digest (when one is given)."""
        pve = self._pve
        pve.access.require(actor, f"/vms/{vm_id}", "VM.Config.Disk")
        vm = pve.vm(host, vm_id)

        def act(task: LabTask) -> None:
            pve.in_task_unlocked(vm)
            if digest and digest != vm.config()["digest"]:
                raise TaskFailed("checksum mismatch (file change by other user?)")
            drive = vm.drives.get(slot)
            if drive is None:
                raise TaskFailed(f"disk '{slot}' does not exist")
            if drive.volume is None or drive.options.get("media") == "cdrom":
                raise TaskFailed("can't resize a cdrom")
            if drive.volume.contents.lost:
                raise TaskFailed(f"Could not determine current size of volume '{drive.volume.volume}'")
            self._grow(vm, drive, drive.volume.size + size if more else size, task)

        return pve.tasks.start(host, "resize", str(vm_id), actor, pve.delays.resize_s, act, lock=lock_file(vm_id))

    def _grow(self, vm: LabVm, drive: Drive, size: int, task: LabTask) -> None:
        volume = drive.volume
        if volume is None:
            return
        storage = self._volumes.storage(vm.host, volume.storage)
        if size < volume.size:
            raise TaskFailed("shrinking disks is not supported")
        if size == volume.size:
            return  # and nothing is written, whatever the configuration says
        told, file = drive.told_size, storage.file(volume.volume.partition(":")[2])
        if storage.file_based and volume.format == "raw" and size > LARGEST_FILE:
            task.log.append("qemu-img: Could not resize file: File too large")
            raise TaskFailed(
                f"command '/usr/bin/qemu-img resize '--preallocation=off' -f raw {file} {size}' failed: exit code 1"
            )
        if not storage.grow(volume, size):
            raise TaskFailed(f"not enough free space on storage '{storage.name}'")
        if not vm.running:
            task.log.append("Image resized.")
        drive.old_size = -1 if self._pve.quorate else told
        if not self._pve.quorate:
            raise TaskFailed(unwritable(vm))


def _takes_now(vm: LabVm, name: str, before: Entry | None, entry: Entry | None) -> bool:
    """Whether a running VM takes this change at once."""
    if _AT_ONCE.fullmatch(name):
        return True
    if (
        isinstance(before, Drive)
        and isinstance(entry, Drive)
        and "cdrom" in (before.options.get("media"), entry.options.get("media"))
    ):
        return before.options.get("media") == entry.options.get("media")
    hot = str(vm.options.get("hotplug", "1"))
    kinds = ("network", "disk", "usb") if hot == "1" else tuple(hot.replace(";", ",").split(","))
    return any(re.fullmatch(_HOT[kind], name) for kind in kinds if kind in _HOT)


def _balloon_fits(vm: LabVm, change: Change) -> None:
    after = {
        **vm.config(pending=True),
        **{name: value for name, value in change.set.items() if isinstance(value, str | int)},
    }
    memory = mebibytes(after.get("memory", 512))
    if ("balloon" in change.set or "memory" in change.set) and int(after.get("balloon", 0)) > memory:
        raise Refusal(500, "balloon value too large (must be smaller than assigned memory)")
