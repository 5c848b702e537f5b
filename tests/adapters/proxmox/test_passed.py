"""Devices of the host that a VM is given, as its configuration writes them."""

from __future__ import annotations

from adapters.proxmox.reading import passed_through, vm


def test_disks_by_path_and_pci_devices_are_told_and_a_storages_volumes_are_not() -> None:
    config: dict[str, object] = {
        "scsi0": "local-lvm:vm-105-disk-0,size=32G", "ide2": "local:iso/x.iso,media=cdrom", "net0": "virtio=BC:24:11:00:00:01",
        "scsi1": "/dev/disk/by-id/ata-WDC_WD80-X_Z1,size=7814026584K", "sata3": "file=/dev/sdb,backup=0",
        "hostpci0": "0000:01:00,pcie=1", "hostpci1": "mapping=hba",
    }  # fmt: skip
    told = ("hostpci0 0000:01:00", "hostpci1 mapping=hba", "sata3 /dev/sdb", "scsi1 /dev/disk/by-id/ata-WDC_WD80-X_Z1")
    assert passed_through(config) == told
    found = vm(105, "pve-1", {"status": "running"}, config)
    assert (found.passed, [disk.slot for disk in found.disks]) == (told, ["scsi0"])
