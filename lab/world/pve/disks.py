"""Makes, copies and moves the disks of VMs in the simulated Proxmox, with the lines that its workers write. Knows no request."""

from __future__ import annotations

from collections.abc import Callable

from lab.world.disks import LARGEST_FILE, DiskContents, LabStorage, LabVolume
from lab.world.pve.images import Volumes
from lab.world.pve.tasks import TaskFailed
from lab.world.pve.vm import Drive, LabVm, NewDrive, size_text

# What firmware variables take as a file (OVMF 4m); a storage of blocks rounds it up.
EFI_FILE_BYTES = 528 << 10
BLOCK_BYTES = 4 << 20
_UNITS = ((30, "GiB"), (20, "MiB"), (10, "KiB"))


class Disks:
    """Makes drives on the storages that `volumes` finds."""

    def __init__(self, volumes: Volumes, now: Callable[[], float]) -> None:
        self._volumes, self._now = volumes, now

    def make(self, vm: LabVm, new: NewDrive, log: list[str]) -> Drive:
        """One drive of a VM, made or found; TaskFailed as the worker would fail. Its lines go to `log`."""
        options = dict(new.options)
        if new.cloudinit:
            return self._make_cloudinit(vm, new, log)
        if new.volume:
            return self._existing(vm, new, options)
        storage = self._volumes.storage(vm.host, new.storage)
        if new.import_from and new.slot not in ("efidisk0", "tpmstate0"):
            volume = self._import(vm, storage, new, log)
        else:
            volume = self._empty(vm, storage, new, log)
        drive = Drive(volume, options)
        log.append(f"{new.slot}: successfully created disk '{drive.text()}'")
        return drive

    def _empty(self, vm: LabVm, storage: LabStorage, new: NewDrive, log: list[str]) -> LabVolume:
        size = new.size
        if new.slot == "efidisk0":
            size = EFI_FILE_BYTES if storage.file_based else BLOCK_BYTES
        elif new.slot == "tpmstate0":
            size = BLOCK_BYTES
        volume = self._allocate(vm, storage, size, DiskContents(), log, form=new.form or "raw")
        if new.slot == "efidisk0":
            log += _transferred(size, rounds=2)
        return volume

    def _allocate(
        self, vm: LabVm, storage: LabStorage, size: int, contents: DiskContents, log: list[str], *,
        form: str = "raw", written: int = 0, name: str = "", copying: str = "",
    ) -> LabVolume:  # fmt: skip
        """`copying`: what is said before the reason where the copy does not find room."""
        room = storage.available
        volume = storage.new_disk(vm.vm_id, size, self._now(), contents, min(written, room), form, name)
        if volume is None:
            raise TaskFailed(f"not enough free space on storage '{storage.name}'")
        file = storage.file(volume.volume.partition(":")[2])
        if not storage.file_based:
            log.append(f'  Logical volume "{file.rpartition("/")[2]}" created.')
        elif form == "qcow2":
            log.append(
                f"Formatting '{file}', fmt=qcow2 cluster_size=65536 extended_l2=off preallocation=metadata "
                f"compression_type=zlib size={size} lazy_refcounts=off refcount_bits=16"
            )
        else:
            log.append(f"Formatting '{file}', fmt={form} size={size} preallocation=off")
        if storage.file_based and form == "raw" and size > LARGEST_FILE:
            storage.free(volume.volume)
            raise TaskFailed(
                f"unable to create image: qemu-img: {file}: The image size is too large for file format 'raw'"
            )
        if copying:
            log.append(f"allocated target volume '{volume.volume}'")
        if written > room:
            storage.free(volume.volume)
            log.append(f"qemu-img: error while writing at byte {room}: No space left on device")
            raise TaskFailed(copying.replace("{}", f"zeroinit:{file}"))
        return volume

    def _import(self, vm: LabVm, storage: LabStorage, new: NewDrive, log: list[str]) -> LabVolume:
        """A disk with what an image, or another VM's disk, holds."""
        source, file = self._source(vm.host, new.import_from)
        virtual = source.contents.data.get("virtual_size") if source.content == "import" else source.size
        if not isinstance(virtual, int):
            raise TaskFailed(f"qemu-img: Could not open '{file}': Image is not in {source.format} format")
        contents = DiskContents(image=source.contents.image or source.volume.rpartition("/")[2])
        form = new.form or (source.format if storage.file_based else "raw")
        log.append(f"create full clone of drive ({new.import_from})")
        volume = self._allocate(
            vm, storage, virtual, contents, log, form=form, written=source.used,
            copying=(
                f"cannot import from '{new.import_from}' - copy failed: command '/usr/bin/qemu-img convert "
                f"-p -n -f {source.format} -O {form} {file} {{}}' failed: exit code 1"
            ),
        )  # fmt: skip
        log += _transferred(virtual, rounds=1)
        return volume

    def _source(self, host: str, name: str) -> tuple[LabVolume, str]:
        storage = self._volumes.storage(host, name.partition(":")[0])
        found, file = storage.volumes.get(name), storage.file(name.partition(":")[2])
        if found is None and storage.file_based:
            raise TaskFailed(f"failed to stat '{file}'")
        if found is None:
            raise TaskFailed(f"no such volume '{name}'")
        return found, file

    def _make_cloudinit(self, vm: LabVm, new: NewDrive, log: list[str]) -> Drive:
        """The drive with the guest's first settings; one that is left over from before is taken."""
        storage, name = self._volumes.storage(vm.host, new.storage), f"vm-{vm.vm_id}-cloudinit"
        form = "qcow2" if storage.file_based else "raw"
        place = f"{vm.vm_id}/{name}.{form}" if storage.file_based else name
        volume = storage.volumes.get(f"{storage.name}:{place}")
        if volume is None:
            volume = self._allocate(vm, storage, BLOCK_BYTES, DiskContents(), log, form=form, name=name)
        drive = Drive(volume, {**new.options, "media": "cdrom"}, sized=False)
        log.append(f"{new.slot}: successfully created disk '{drive.text()}'")
        return drive

    def _existing(self, vm: LabVm, new: NewDrive, options: dict[str, str]) -> Drive:
        """A drive whose volume is there: none, an ISO, a disk of its own that was unused, or one that it has."""
        if new.volume == "none" or new.volume.startswith("/") or new.volume == "cdrom":
            return Drive(None, options, fixed=new.volume)
        volume = self._volumes.find(vm.host, new.volume.partition(":")[0], new.volume)
        if volume is None:
            raise TaskFailed(f"volume {new.volume} does not exist")
        if volume.content != "images":
            return Drive(None, {**options, "size": size_text(volume.size)}, fixed=new.volume)
        return Drive(volume, options, sized="-cloudinit" not in new.volume)

    # Copies.

    def copy(self, vm: LabVm, slot: str, drive: Drive, storage: LabStorage, form: str, log: list[str]) -> Drive:
        """A drive of `vm` with what this one holds, on another storage or for another VM."""
        source = drive.volume
        if source is None:
            return Drive(None, dict(drive.options), fixed=drive.fixed)
        if "-cloudinit" in source.volume:
            return self._make_cloudinit(vm, NewDrive(slot, storage.name, 0, options=drive.options, cloudinit=True), log)
        log.append(f"create full clone of drive {slot} ({source.volume})")
        contents = DiskContents(image=source.contents.image, data=dict(source.contents.data))
        form = form or (source.format if storage.file_based else "raw")
        volume = self._allocate(
            vm, storage, source.size, contents, log, form=form, written=source.used, copying="copy failed: {}: no space"
        )
        if slot not in ("efidisk0", "tpmstate0"):
            log += _transferred(source.size, rounds=1 if source.format == "qcow2" else 2)
        return Drive(volume, dict(drive.options), sized=drive.sized)


def _transferred(size: int, *, rounds: int) -> list[str]:
    """What qemu-img tells of its progress."""
    shift, unit = next(((shift, unit) for shift, unit in _UNITS if size >= 1 << shift), (0, "B"))
    whole = f"{size / (1 << shift):.1f} {unit}"
    return [f"transferred 0.0 B of {whole} (0.00%)", *[f"transferred {whole} of {whole} (100.00%)"] * rounds]
