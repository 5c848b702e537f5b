"""Which right each option of a VM asks for when it is made or changed (qemu-server's own table). Knows no request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from lab.world.pve.access import Access, Refusal
from lab.world.pve.vm import Entry, LabVm, NewDrive, NewVm, Nic

Given = Mapping[str, Entry | NewDrive]
_DRIVE = re.compile(r"(scsi|virtio|sata|ide|efidisk|tpmstate|unused)\d+")
# Which privileges an option needs, any of them; every other option: VM.Config.Options.
_PRIVILEGES = (
    (r"boot|bootdisk|vmstatestorage", ("VM.Config.Disk",)),
    (r"net\d+", ("VM.Config.Network",)),
    (r"cores|sockets|smp|cpu|vcpus|cpulimit|cpuunits|numa|affinity", ("VM.Config.CPU",)),
    (r"memory|balloon|shares", ("VM.Config.Memory",)),
    (
        r"bios|machine|scsihw|serial\d+|vga|rng0|watchdog|audio0|acpi|kvm|tablet|hotplug|smbios1|arch",
        ("VM.Config.HWType",),
    ),
    (r"(hostpci|usb|parallel|virtiofs|numa)\d+", ("VM.Config.HWType",)),
    (r"ipconfig\d+|nameserver|searchdomain|ci\w+|sshkeys", ("VM.Config.Cloudinit", "VM.Config.Network")),
)
_MAPPED = re.compile(r"(hostpci|usb)\d+ (?:.*,)?mapping=([^,]+).*")
_OWNED = re.compile(r":(?:\d+/)?(?:vm|base)-(\d+)-")
_ROOT_ONLY = ("args", "lock", "hookscript")


def may_make(access: Access, actor: str, new: NewVm) -> None:
    """Raise PVE's refusal where the actor may not make this VM with all that is in it."""
    pool = new.pool
    if pool and not access.may(actor, f"/pool/{pool}", "VM.Allocate"):
        access.require(actor, f"/vms/{new.vm_id}", "VM.Allocate")
    given: dict[str, Entry | NewDrive] = {**new.options, **new.nics, **{drive.slot: drive for drive in new.drives}}
    may_set(access, actor, new.vm_id, given)


def may_set(access: Access, actor: str, vm_id: int, given: Given) -> None:
    """Raise PVE's refusal where the actor may not give a VM's options these values."""
    for name, entry in given.items():
        if isinstance(entry, NewDrive):
            access.require(
                actor, f"/vms/{vm_id}", "VM.Config.CDROM" if entry.cdrom and not entry.cloudinit else "VM.Config.Disk"
            )
            _may_use_storages(access, actor, vm_id, entry)
            continue
        _may_name(access, actor, vm_id, name)
        if re.fullmatch(r"serial\d+", name) and entry != "socket" and actor != "root@pam":
            raise Refusal(500, f"only root can set '{name}' config for real devices")
        if re.fullmatch(r"parallel\d+|virtiofs\d+", name) and actor != "root@pam" and name.startswith("parallel"):
            raise Refusal(500, f"only root can set '{name}' config")
        if isinstance(entry, Nic) and entry.bridge:
            access.require(actor, f"/sdn/zones/localnetwork/{entry.bridge}", "SDN.Use")
        if name.startswith(("hostpci", "usb")):
            _may_pass(access, actor, name, str(entry))


def may_delete(access: Access, actor: str, vm: LabVm, names: Iterable[str]) -> None:
    """Raise PVE's refusal where the actor may not take these options away."""
    for name in names:
        if _DRIVE.fullmatch(name):
            drive = vm.drives.get(name)
            cd = drive is not None and drive.options.get("media") == "cdrom"
            access.require(actor, f"/vms/{vm.vm_id}", "VM.Config.CDROM" if cd else "VM.Config.Disk")
        else:
            _may_name(access, actor, vm.vm_id, name)


def _may_name(access: Access, actor: str, vm_id: int, name: str) -> None:
    if name in _ROOT_ONLY and actor != "root@pam":
        raise Refusal(500, f"only root can set '{name}' config")
    if name == "startup":
        access.require(actor, "/", "Sys.Modify")
    wanted = next((found for pattern, found in _PRIVILEGES if re.fullmatch(pattern, name)), ("VM.Config.Options",))
    access.require(actor, f"/vms/{vm_id}", *wanted)


def _may_use_storages(access: Access, actor: str, vm_id: int, drive: NewDrive) -> None:
    if drive.storage:
        access.require(actor, f"/storage/{drive.storage}", "Datastore.AllocateSpace")
    for volume in (drive.import_from, drive.volume):
        if ":" in volume:
            _may_use(access, actor, vm_id, volume)


def _may_use(access: Access, actor: str, vm_id: int, volume: str) -> None:
    """A file is for who may read its storage, a disk for its own VM, another VM's for who may change that one's disks."""
    place = f"/storage/{volume.partition(':')[0]}"
    owner = _OWNED.search(volume)
    if owner is None:
        access.require(actor, place, "Datastore.Allocate", "Datastore.AllocateSpace", "Datastore.Audit")
    elif int(owner[1]) != vm_id and not access.may(actor, place, "Datastore.Allocate"):
        access.require(actor, place, "Datastore.Audit")
        access.require(actor, f"/vms/{owner[1]}", "VM.Config.Disk")


def _may_pass(access: Access, actor: str, name: str, value: str) -> None:
    """What is passed through by a mapping needs the right to it; by its address, root."""
    if mapped := _MAPPED.fullmatch(f"{name} {value}"):
        access.require(actor, f"/mapping/{mapped[1].replace('host', '')}/{mapped[2]}", "Mapping.Use")
    elif actor != "root@pam" and not value.startswith("spice") and "host=spice" not in value:
        raise Refusal(500, f"only root can set '{name}' config for non-mapped devices")
