"""Makes VMs in the simulated Proxmox, and copies of them: what is refused at once, and what the worker does. Knows no protocol."""

from __future__ import annotations

import re
from dataclasses import replace

from lab.world.pve.access import Refusal, parameter_refusal
from lab.world.pve.cluster import LabProxmox, lock_file
from lab.world.pve.disks import Disks
from lab.world.pve.images import Volumes
from lab.world.pve.rights import may_make
from lab.world.pve.tasks import LabTask, TaskFailed
from lab.world.pve.vm import Drive, LabVm, NewVm, Nic, normal_tags

# How long a request waits that makes a VM of an id at which somebody is already.
CREATE_WAIT_S = 5.0
_BY_BLOCKS = {"lvm": "lvm", "lvmthin": "lvm", "zfspool": "zfs", "rbd": "rbd"}


class Making:
    """The requests that make VMs, on one cluster."""

    def __init__(self, proxmox: LabProxmox) -> None:
        self._pve = proxmox
        self._volumes = Volumes(proxmox)
        self._disks = Disks(self._volumes, proxmox.world.clock.now)

    def create(self, actor: str, new: NewVm) -> LabTask:
        """Make a VM: everything PVE checks at once, then a worker that makes the disks."""
        pve = self._pve
        pve.reach(new.host)
        pve.need_quorum()
        if new.pool:
            pve.pools.need(new.pool)
        elif not pve.access.may(actor, f"/vms/{new.vm_id}", "VM.Allocate"):
            raise Refusal(403, "Permission check failed")
        may_make(pve.access, actor, new)
        self._places(new)
        self._need_free(new.vm_id)
        vm = pve.vms[new.vm_id] = LabVm(new.vm_id, new.host, self._options(new), {}, dict(new.nics), lock="create")
        pve.world.happened("proxmox", f"VM {new.vm_id} created on {new.host}")

        def act(task: LabTask) -> None:
            try:
                # In the alphabetical order of the options: volume numbers follow from it.
                for drive in sorted(new.drives, key=lambda each: each.slot):
                    vm.drives[drive.slot] = self._disks.make(vm, drive, task.log)
            except (TaskFailed, Refusal) as failure:
                pve.remove(vm)
                raise TaskFailed(f"unable to create VM {new.vm_id} - {failure}") from None
            vm.lock, vm.pool = str(new.options.get("lock", "")), new.pool
            if new.start:
                pve.start_now(vm, task)

        seconds = pve.delays.create_s + pve.delays.import_s * sum(bool(drive.import_from) for drive in new.drives)
        return pve.tasks.start(new.host, "qmcreate", str(new.vm_id), actor, seconds, act, lock=lock_file(new.vm_id))

    def _need_free(self, vm_id: int) -> None:
        """Raise PVE's refusal where the id is taken; Busy while somebody is at it."""
        self._pve.tasks.need(lock_file(vm_id), CREATE_WAIT_S, f"unable to create VM {vm_id} - ")
        taken = self._pve.vms.get(vm_id)
        if taken is not None:
            raise Refusal(500, f"unable to create VM {vm_id} - VM {vm_id} already exists on node '{taken.host}'")

    def _places(self, new: NewVm) -> None:
        """Raise PVE's refusal for a disk that cannot be where it is wanted."""
        for drive in new.drives:
            if drive.storage and "images" not in self._volumes.storage(new.host, drive.storage).content:
                raise Refusal(500, f"storage '{drive.storage}' does not support content-type 'images'")
            for volume in (drive.import_from, drive.volume):
                name, colon, rest = volume.partition(":")
                if not colon:
                    continue
                storage = self._volumes.storage(new.host, name)
                if drive.volume and not re.search(r"/|(vm|base)-\d+-", rest):
                    kind = "directory" if storage.file_based else _BY_BLOCKS.get(storage.kind, storage.kind)
                    raise Refusal(500, f"unable to parse {kind} volume name '{rest}'")

    def _options(self, new: NewVm) -> dict[str, str | int]:
        """What qemu-server writes into a new configuration: what was given, and where nothing was given its own."""
        options = self._filled_in(new) | {name: value for name, value in new.options.items() if name != "lock"}
        if "tags" in options:
            options["tags"] = normal_tags(str(options["tags"]))
        if "description" in options:
            options["description"] = str(options["description"]).rstrip("\n")
        return {name: value for name, value in options.items() if value != ""}

    def _filled_in(self, new: NewVm) -> dict[str, str | int]:
        """Boot order, identities, its own notes."""
        world = self._pve.world
        disks = sorted(
            d.slot
            for d in new.drives
            if re.fullmatch(r"(scsi|virtio|sata|ide)\d+", d.slot) and d.storage and not d.cdrom
        )
        drives = sorted(d.slot for d in new.drives if d.cdrom)
        order = ";".join([*disks[:1], *drives[:1], *sorted(new.nics)[:1]])
        return {
            **({"boot": f"order={order}"} if order else {}),
            "smbios1": f"uuid={self._pve.new_uuid()}",
            "vmgenid": self._pve.new_uuid(),
            "meta": f"creation-qemu=10.1.2,ctime={int(world.clock.now())}",
        }

    # Copies.

    def clone(self, actor: str, source: LabVm, new: NewVm, *, storage: str = "", form: str = "") -> LabTask:
        """A full copy of a VM that is off, under another id."""
        pve = self._pve
        if new.pool:
            pve.pools.need(new.pool)
            pve.access.require(actor, f"/pool/{new.pool}", "VM.Allocate")
        else:
            pve.access.require(actor, f"/vms/{new.vm_id}", "VM.Allocate")
        self._holds(source.host, storage)
        if source.running and "tpmstate0" in source.drives:
            raise Refusal(500, "cannot clone TPM state while VM is running")
        for name in {storage or drive.volume.storage for drive in source.drives.values() if drive.volume}:
            pve.access.require(actor, f"/storage/{name}", "Datastore.AllocateSpace")
        pve.need_quorum()
        if source.lock:
            raise Refusal(500, f"VM is locked ({source.lock})")
        self._need_free(new.vm_id)
        vm = pve.vms[new.vm_id] = LabVm(
            new.vm_id, new.host, self._copied(source) | self._own(new), {}, {}, lock="create"
        )

        def act(task: LabTask) -> None:
            task.log.append(f"creating a clone of VM {source.vm_id} with ID {new.vm_id}")
            try:
                for slot, drive in sorted(source.drives.items()):
                    if not slot.startswith("unused"):
                        vm.drives[slot] = self._copy(vm, slot, drive, storage, form, task)
            except (TaskFailed, Refusal) as failure:
                pve.remove(vm)
                raise TaskFailed(f"clone failed: {failure}") from None
            vm.nics = {name: self._other_card(nic) for name, nic in source.nics.items()}
            vm.lock, vm.pool = "", new.pool

        seconds = pve.delays.create_s + pve.delays.import_s * len(source.guest_disks())
        return pve.tasks.start(
            source.host, "qmclone", str(source.vm_id), actor, seconds, act, lock=lock_file(new.vm_id)
        )

    def _holds(self, host: str, storage: str) -> None:
        """Raise PVE's refusal for a storage that copies of disks cannot be on; "" is where each lies now."""
        if storage and "images" not in self._volumes.storage(host, storage).content:
            raise parameter_refusal(storage=f"storage '{storage}' does not support vm images")

    def _copied(self, source: LabVm) -> dict[str, str | int]:
        """What a copy has of its source: it is no template, whatever that was."""
        return {name: value for name, value in source.options.items() if name != "template"}

    def _own(self, new: NewVm) -> dict[str, str | int]:
        made_up = self._filled_in(replace(new, drives=(), nics={}))
        return made_up | {"name": f"Copy-of-VM-{new.options.get('name', new.vm_id)}"} | dict(new.options)

    def _copy(self, vm: LabVm, slot: str, drive: Drive, storage: str, form: str, task: LabTask) -> Drive:
        if drive.volume is None:
            return Drive(None, dict(drive.options), fixed=drive.fixed)
        target = self._volumes.storage(vm.host, storage or drive.volume.storage)
        return self._disks.copy(vm, slot, drive, target, form, task.log)

    def _other_card(self, nic: Nic) -> Nic:
        return replace(nic, mac=made_up_mac(self._pve))

    def move(self, actor: str, vm: LabVm, slot: str, storage: str, *, form: str = "", delete: bool = False) -> LabTask:
        """Bring a disk to another storage; the old one stays as an unused one unless `delete`."""
        pve = self._pve
        pve.access.require(actor, f"/storage/{storage}", "Datastore.AllocateSpace")
        drive, target = vm.drives.get(slot), self._volumes.storage(vm.host, storage)
        if vm.lock:
            raise Refusal(500, f"VM is locked ({vm.lock})")
        if drive is None:
            raise Refusal(500, f"disk '{slot}' does not exist")
        if drive.volume is None or drive.options.get("media") == "cdrom":
            raise Refusal(500, "you can't move a cdrom")
        if drive.volume.storage == storage and form in ("", drive.volume.format):
            raise Refusal(500, "you can't move to the same storage with same format")
        self._holds(vm.host, storage)
        pve.tasks.need(lock_file(vm.vm_id), CREATE_WAIT_S)
        old = drive.volume

        def act(task: LabTask) -> None:
            task.log.append(
                f"copying volume '{old.volume}' from current storage '{old.storage}' to target storage '{storage}'"
            )
            vm.drives[slot] = self._disks.copy(vm, slot, drive, target, form, task.log)
            if delete:
                self._volumes.storage(vm.host, old.storage).free(old.volume)
                return
            task.log.append(f"adding source volume '{old.volume}' as '{vm.put_aside(drive)}' to config")

        return pve.tasks.start(
            vm.host, "qmmove", str(vm.vm_id), actor, pve.delays.import_s, act, lock=lock_file(vm.vm_id)
        )


def made_up_mac(pve: LabProxmox) -> str:
    """A card's address under PVE's own prefix."""
    return "BC:24:11:" + ":".join(f"{pve.world.random.randrange(256):02X}" for _ in range(3))
