"""What makes and changes things in the simulated Proxmox: images, VMs with their disks, configuration. Knows no protocol."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping

from lab.world.disks import DiskContents, LabStorage, LabVolume
from lab.world.images import problem, virtual_size
from lab.world.proxmox import LabProxmox, lock_file, unwritable
from lab.world.pve_access import Refusal, parameter_refusal
from lab.world.pve_tasks import FetchFailed, LabTask, TaskFailed
from lab.world.pve_vm import Drive, LabVm, NewDrive, NewVm, normal_tags

_IMPORT_NAME = re.compile(r"[A-Za-z0-9_.-]+\.(qcow2|raw|vmdk|ova)")
# Firmware variables take this much whatever was asked (qemu-server, OVMF 4m).
_EFI_BYTES = 4 << 20
_TPM_BYTES = 4 << 20

# Which privilege an option needs (qemu-server's check of configuration changes); any other: VM.Config.Options.
_OPTION_PRIVILEGES = (
    (r"(scsi|virtio|sata|ide|efidisk|tpmstate)\d+", "VM.Config.Disk"),
    (r"net\d+", "VM.Config.Network"),
    (r"cores|sockets|cpu|vcpus|cpulimit|cpuunits|numa|affinity", "VM.Config.CPU"),
    (r"memory|balloon|shares", "VM.Config.Memory"),
    (r"bios|machine|scsihw|serial\d+|vga|rng0|watchdog|audio0|acpi|kvm|tablet|hotplug", "VM.Config.HWType"),
    (r"(hostpci|usb)\d+", "VM.Config.HWType"),
    (r"ipconfig\d+|nameserver|searchdomain|ci\w+|sshkeys", "VM.Config.Cloudinit"),
)
_MAPPED = re.compile(r"(hostpci|usb)\d+ (?:.*,)?mapping=([^,]+).*")
_ROOT_ONLY = ("args", "lock", "hookscript")


class Making:
    """The requests that make or change something, on one cluster."""

    def __init__(self, proxmox: LabProxmox) -> None:
        self._pve = proxmox

    # Images.

    def download(
        self, actor: str, host: str, storage: str, filename: str, url: str, checksum: str, algorithm: str
    ) -> LabTask:
        """Let a host fetch an image to a storage as content `import`. `checksum` "" leaves it unchecked."""
        pve = self._pve
        pve.access.require(actor, f"/storage/{storage}", "Datastore.AllocateTemplate")
        if not pve.access.may(actor, "/", "Sys.Modify"):
            pve.access.require(actor, f"/nodes/{host}", "Sys.AccessNetwork")
        found = self.storage(host, storage)
        if not found.file_based:
            raise Refusal(500, f"can't upload to storage type '{found.kind}', not a file based storage!")
        if "import" not in found.content:
            raise Refusal(500, f"storage '{storage}' is not configured for content-type 'import'")
        name = re.sub(r"[^A-Za-z0-9_.-]", "_", filename)
        if not _IMPORT_NAME.fullmatch(name):
            raise parameter_refusal(filename="invalid filename or wrong extension")
        volume = f"{storage}:import/{name}"

        def act(task: LabTask) -> None:
            self._fetch_into(found, volume, url, checksum, algorithm, task)

        return pve.tasks.start(host, "download", name, actor, pve.delays.download_s, act, lock=f"{host}/{volume}")

    def _fetch_into(
        self, storage: LabStorage, volume: str, url: str, checksum: str, algorithm: str, task: LabTask
    ) -> None:
        present = storage.volumes.get(volume)
        if present is not None and not checksum:
            raise TaskFailed(f"refusing to override existing file '/var/lib/vz/import/{volume.rpartition('/')[2]}'")
        if present is not None:
            _compare(present.sha256 if algorithm == "sha256" else "", checksum)
            task.log.append("file already exists and checksum matches, skipping download")
            return
        task.log.append(f"downloading {url} to {volume}")
        file = f"/var/lib/vz/import/{volume.rpartition('/')[2]}"
        try:
            content = self._pve.fetch(url)
        except FetchFailed as failure:
            task.log.append(failure.log)
            raise
        if len(content) > storage.available:
            raise TaskFailed(f"download failed: Cannot write to '{file}.tmp_dwnl.291' (No space left on device).")
        if checksum:
            _compare(hashlib.new(algorithm, content).hexdigest(), checksum)
        trouble = problem(content, volume.rpartition(".")[2])
        if trouble:
            raise TaskFailed(f"failed to verify file: qemu-img: Could not open '{file}.tmp_dwnl.291': {trouble}")
        storage.volumes[volume] = LabVolume(
            volume, "import", len(content), len(content), volume.rpartition(".")[2], self._pve.world.clock.now(),
            sha256=hashlib.sha256(content).hexdigest(),
            contents=DiskContents(data={"virtual_size": virtual_size(content)}),
        )  # fmt: skip

    # VMs.

    def create(self, actor: str, new: NewVm) -> LabTask:
        """Make a VM: everything PVE checks at once, then a worker that makes the disks."""
        pve = self._pve
        pve.reach(new.host)
        pve.need_quorum()
        pve.access.require(actor, f"/vms/{new.vm_id}", "VM.Allocate")
        self._may_use(actor, new)
        taken = pve.vms.get(new.vm_id)
        if taken is not None:
            raise Refusal(
                500, f"unable to create VM {new.vm_id} - VM {new.vm_id} already exists on node '{taken.host}'"
            )
        options = self._filled_in(new) | dict(new.options)
        if "tags" in options:
            options["tags"] = normal_tags(str(options["tags"]))
        vm = pve.vms[new.vm_id] = LabVm(new.vm_id, new.host, options, {}, dict(new.nics), lock="create", pool=new.pool)
        pve.world.happened("proxmox", f"VM {new.vm_id} created on {new.host}")

        def act(task: LabTask) -> None:
            try:
                # In the alphabetical order of the options: volume numbers follow from it.
                for drive in sorted(new.drives, key=lambda each: each.slot):
                    vm.drives[drive.slot] = self._make_drive(vm, drive)
            except TaskFailed as failure:
                pve.remove(vm)
                raise TaskFailed(f"unable to create VM {new.vm_id} - {failure}") from None
            vm.lock = ""
            if new.start:
                pve.start_now(vm, task)

        seconds = pve.delays.create_s + pve.delays.import_s * sum(bool(drive.import_from) for drive in new.drives)
        return pve.tasks.start(new.host, "qmcreate", str(new.vm_id), actor, seconds, act, lock=lock_file(new.vm_id))

    def resize(self, actor: str, host: str, vm_id: int, slot: str, size: int, digest: str = "") -> LabTask:
        """Grow a disk to `size` bytes, if the configuration still has this digest (when one is given)."""
        pve = self._pve
        pve.access.require(actor, f"/vms/{vm_id}", "VM.Config.Disk")
        vm = pve.vm(host, vm_id)

        def act(task: LabTask) -> None:
            pve.in_task_unlocked(vm)
            if digest and digest != vm.config()["digest"]:
                raise TaskFailed("checksum mismatch (file change by other user?)")
            drive = vm.drives.get(slot)
            if drive is None or drive.volume is None:
                raise TaskFailed(f"disk '{slot}' does not exist")
            volume, storage = drive.volume, self.storage(host, drive.volume.storage)
            if size < volume.size:
                raise TaskFailed("shrinking disks is not supported")
            if size == volume.size:
                return  # and nothing is written, whatever the configuration says
            told = drive.told_size
            if not storage.grow(volume, size):
                raise TaskFailed(f"not enough free space on storage '{storage.name}'")
            task.log.append("Image resized.")
            drive.old_size = 0 if pve.quorate else told
            if not pve.quorate:
                raise TaskFailed(unwritable(vm))

        return pve.tasks.start(host, "resize", str(vm_id), actor, pve.delays.resize_s, act, lock=lock_file(vm_id))

    def configure(
        self, actor: str, host: str, vm_id: int, options: Mapping[str, str | int], delete: tuple[str, ...], digest: str
    ) -> None:
        """Change plain options of a VM (neither drives nor cards), at once."""
        pve = self._pve
        for name in [*options, *delete]:
            self._may_set(actor, vm_id, name)
        vm = pve.vm(host, vm_id)
        if vm.lock:
            raise Refusal(500, f"VM is locked ({vm.lock})")
        _unchanged(vm, digest)
        if pve.tasks.locked(lock_file(vm_id)):
            raise Refusal(500, f"can't lock file '{lock_file(vm_id)}' - got timeout")
        if not pve.quorate:
            raise Refusal(500, unwritable(vm))
        for name in delete:
            vm.options.pop(name, None)
        vm.options |= {name: normal_tags(str(value)) if name == "tags" else value for name, value in options.items()}

    # Checks and parts.

    def storage(self, host: str, name: str) -> LabStorage:
        """The storage as this host sees it; PVE's refusals when it is not there or does not answer."""
        self._pve.reach(host)
        found = self._pve.storages.find(host, name)
        if found is None and not self._pve.storages.known(name):
            raise Refusal(500, f"storage '{name}' does not exist")
        if found is None:
            raise Refusal(500, f"storage '{name}' is not available on node '{host}'")
        if not found.active:
            raise Refusal(500, f"storage '{name}' is not online")
        return found

    def _may_use(self, actor: str, new: NewVm) -> None:
        access = self._pve.access
        for drive in new.drives:
            if not drive.storage:
                continue
            access.require(actor, f"/storage/{drive.storage}", "Datastore.AllocateSpace")
            if "images" not in self.storage(new.host, drive.storage).content:
                raise Refusal(500, f"storage '{drive.storage}' does not support content-type 'images'")
            if drive.import_from:
                source = drive.import_from.partition(":")[0]
                access.require(actor, f"/storage/{source}", "Datastore.AllocateSpace", "Datastore.Audit")
                self.storage(new.host, source)
        for nic in new.nics.values():
            if nic.bridge:
                access.require(actor, f"/sdn/zones/localnetwork/{nic.bridge}", "SDN.Use")
        for name, value in new.options.items():
            if mapped := _MAPPED.fullmatch(f"{name} {value}"):
                access.require(actor, f"/mapping/{mapped[1].replace('host', '')}/{mapped[2]}", "Mapping.Use")
        for name in [*new.options, *new.nics, *(drive.slot for drive in new.drives)]:
            self._may_set(actor, new.vm_id, name)

    def _filled_in(self, new: NewVm) -> dict[str, str | int]:
        """What qemu-server writes into a new configuration where nothing was given: boot order, identities, its own notes."""
        world = self._pve.world
        disks = sorted(d.slot for d in new.drives if re.fullmatch(r"(scsi|virtio|sata|ide)\d+", d.slot) and d.storage)
        drives = sorted(d.slot for d in new.drives if d.options.get("media") == "cdrom")
        order = ";".join([*disks[:1], *drives[:1], *sorted(new.nics)[:1]])
        return {
            **({"boot": f"order={order}"} if order else {}),
            "smbios1": f"uuid={uuid.UUID(int=world.random.getrandbits(128), version=4)}",
            "vmgenid": str(uuid.UUID(int=world.random.getrandbits(128), version=4)),
            "meta": f"creation-qemu=10.1.2,ctime={int(world.clock.now())}",
        }

    def _may_set(self, actor: str, vm_id: int, name: str) -> None:
        if name in _ROOT_ONLY and actor != "root@pam":
            raise Refusal(500, f"only root can set '{name}' config")
        if name == "startup":
            self._pve.access.require(actor, "/", "Sys.Modify")
        privilege = next((p for pattern, p in _OPTION_PRIVILEGES if re.fullmatch(pattern, name)), "VM.Config.Options")
        self._pve.access.require(actor, f"/vms/{vm_id}", privilege)

    def _make_drive(self, vm: LabVm, new: NewDrive) -> Drive:
        if not new.storage:
            return Drive(None, dict(new.options), fixed=new.import_from)
        storage = self.storage(vm.host, new.storage)
        size, contents, written, form = new.size, DiskContents(), 0, "raw"
        if new.slot == "efidisk0":
            size = _EFI_BYTES
        elif new.slot == "tpmstate0":
            size = _TPM_BYTES
        elif new.import_from:
            source = self._source(vm.host, new.import_from)
            virtual = source.contents.data.get("virtual_size") if source.content == "import" else source.size
            if not isinstance(virtual, int):
                raise TaskFailed(f"qemu-img: Could not open '{new.import_from}': Image is not in qcow2 format")
            size, written, form = virtual, source.used, source.format
            contents.image = source.contents.image or source.volume.rpartition("/")[2]
        volume = storage.new_disk(vm.vm_id, size, self._pve.world.clock.now(), contents, written, form)
        if volume is None:
            raise TaskFailed(f"not enough free space on storage '{storage.name}'")
        return Drive(volume, dict(new.options))

    def _source(self, host: str, volume: str) -> LabVolume:
        storage = self.storage(host, volume.partition(":")[0])
        found = storage.volumes.get(volume)
        if found is None:
            raise TaskFailed(f"volume '{volume}' does not exist")
        return found


def _unchanged(vm: LabVm, digest: str) -> None:
    if digest and digest != vm.config()["digest"]:
        raise Refusal(500, "checksum mismatch (file change by other user?)")


def _compare(got: str, expected: str) -> None:
    if got != expected.lower():
        raise TaskFailed(f"checksum mismatch: got '{got}' != expect '{expected}', aborting")
