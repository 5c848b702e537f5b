"""Joins the parts of one World: a VM's power is a machine's power, its disks are the machine's disks. Knows no door."""

from __future__ import annotations

import time
from collections.abc import Callable

from house.model import House
from lab.world.disks import GIB, LabStorage, LabVolume
from lab.world.machines.machine import Machine, MachineDisk
from lab.world.machines.talos import TalosWorld
from lab.world.nas import LabNas
from lab.world.pve.cluster import LabProxmox
from lab.world.pve.vm import LabVm, PowerEvent

BACKUPS = "pbs"
BACKED_UP_S = 6 * 3600.0
_BEFORE_V2 = frozenset(
    {"kvm64", "kvm32", "qemu64", "qemu32", "486", "pentium", "pentium2", "pentium3", "athlon", "coreduo", "core2duo", "phenom"}
)


def join(house: House, proxmox: LabProxmox, talos: TalosWorld) -> None:
    """Plug every node's MAC in at its address; power events of VMs reach the machines, and a guest that goes off reaches its VM."""
    for node in house.nodes:
        talos.plug_in(node.mac, node.address)

    def power(vm: LabVm, event: PowerEvent) -> None:
        for mac in vm.macs:
            if event is PowerEvent.STARTED:
                talos.power_on(mac, machine_disks(vm), stuck=why_stuck(vm), iso=has_iso(vm), memory=vm.memory)
            elif (other := proxmox.vm_of_mac(mac)) is None or other is vm or not other.running:
                talos.power_off(mac)  # one that runs has this one's card by now, and its power is its own

    def guest_off(machine: Machine) -> None:
        vm = proxmox.vm_of_mac(machine.mac)
        if vm is not None:
            proxmox.power(vm, PowerEvent.STOPPED)

    proxmox.on_power.append(power)
    talos.on_guest_off.append(guest_off)


def plug_nas(proxmox: LabProxmox, box: LabNas, vm: LabVm, now: Callable[[], float], *, slowness: float = 1.0) -> None:
    """Put the VM that a NAS is on its host: the NAS answers while that runs, and boots as it starts. `now` is the NAS's own clock.

    After half a minute its middleware answers, without any pool yet; those are there after as long again. `slowness` of the world.
    """
    proxmox.vms[vm.vm_id] = vm
    vm.running, box.powered = True, True
    back_up(proxmox, vm, now() - BACKED_UP_S)

    def power(changed: LabVm, event: PowerEvent) -> None:
        if changed is not vm:
            return
        box.powered, box.booting = False, event is PowerEvent.STARTED
        if event is PowerEvent.STARTED:
            box.booted_at = since = now()
            later(30.0, since, answers)
            later(60.0, since, ready)

    def later(seconds: float, since: float, act: Callable[[], None]) -> None:
        def still() -> None:
            if vm.running and box.booted_at == since:
                act()

        proxmox.world.after(seconds * slowness, f"boot of NAS {vm.name}", still)

    def answers() -> None:
        box.powered = True

    def ready() -> None:
        box.booting = False

    proxmox.on_power.append(power)


def back_up(proxmox: LabProxmox, vm: LabVm, made: float) -> LabVolume:
    """A backup of a VM of that time (epoch seconds), on the hosts' backup server."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(made))
    volume = LabVolume(f"{BACKUPS}:backup/vm/{vm.vm_id}/{stamp}", "backup", GIB, GIB, "pbs-vm", made, vm.vm_id, verified="ok")
    if proxmox.storages.find(vm.host, BACKUPS) is None:
        proxmox.storages.add(LabStorage(BACKUPS, "pbs", frozenset({"backup"}), 1024 * GIB, shared=True))
    storage = proxmox.storages.find(vm.host, BACKUPS)
    assert storage is not None  # it was just added
    storage.volumes[volume.volume] = volume
    return volume


def only_backup(proxmox: LabProxmox, vm: LabVm, made: float | None, verified: str) -> None:
    """The VM has this backup and no other; None: it has none."""
    storage = proxmox.storages.find(vm.host, BACKUPS)
    if storage is not None:
        for name in [name for name, one in storage.volumes.items() if one.vm_id == vm.vm_id]:
            storage.free(name)
    if made is not None:
        back_up(proxmox, vm, made).verified = verified


def why_stuck(vm: LabVm) -> str:
    """Why this VM's firmware or kernel gets nowhere, "" when it boots. Talos wants x86-64-v2; what PVE gives unasked is kvm64."""
    model = str(vm.options.get("cpu", "kvm64")).partition(",")[0].removeprefix("cputype=")
    if model in _BEFORE_V2:
        return f"the kernel wants x86-64-v2, and the CPU is {model}: it starts again and again"
    boot = str(vm.options.get("boot", ""))
    order = boot.removeprefix("order=").split(";") if boot.startswith("order=") else []
    disks = [slot for slot, _ in vm.guest_disks()]
    if order and disks and not set(order) & set(disks):
        return f"no bootable device: the boot order is {boot}, the disks are {', '.join(disks)}"
    return ""


def has_iso(vm: LabVm) -> bool:
    """Whether an ISO is in one of its drives."""
    return any(":iso/" in drive.fixed for drive in vm.drives.values())


def machine_disks(vm: LabVm) -> tuple[MachineDisk, ...]:
    """The VM's disks as the guest sees them, those of each bus in order of their slots (scsi0 is /dev/sda, virtio0 /dev/vda)."""
    return tuple(
        MachineDisk(f"/dev/{name}{chr(ord('a') + index)}", volume.size, volume.contents.data, volume.contents.image)
        for bus, name in (("scsi", "sd"), ("virtio", "vd"))
        for index, volume in enumerate(volume for slot, volume in vm.guest_disks() if slot.startswith(bus))
    )
