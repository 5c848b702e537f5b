"""A box's disks, its boot pool and what a path is on, as the answers of one release. Knows no frame, no role and no filter."""

from __future__ import annotations

from typing import Any

from lab.wire.truenas.forms import V25_04, Forms, Release
from lab.world.nas import LabNas, LabPool

Row = dict[str, Any]
_BLOCK = 131072


def disks(nas: LabNas, release: Release) -> list[Row]:
    """disk.query, with the pools that a real box tells only when it is asked for them."""
    found = []
    for pool in nas.pools:
        for number, disk in enumerate(pool.devices):
            if disk.status in ("UNAVAIL", "REMOVED"):
                continue
            row: Row = {
                "identifier": f"{{serial}}{disk.serial}", "name": disk.disk, "subsystem": "scsi", "number": 2048 + number,
                "serial": disk.serial, "lunid": None, "size": pool.size, "description": "", "transfermode": "Auto",
                "hddstandby": "ALWAYS ON", "advpowermgmt": "DISABLED", "expiretime": None, "model": "LAB HDD", "rotationrate": 7200,
                "type": "HDD", "zfs_guid": f"710{number}", "bus": "SATA", "devname": disk.disk, "enclosure": None,
                "pool": pool.name,
            }  # fmt: skip
            if release == V25_04:
                row |= {"togglesmart": True, "smartoptions": "", "critical": None, "difference": None, "informational": None}
            found.append(row)
    return found


def temperatures(nas: LabNas) -> dict[str, int | None]:
    """disk.temperatures: degrees Celsius by disk."""
    return {disk.disk: 34 if disk.status == "ONLINE" else None for pool in nas.pools for disk in pool.devices}


def boot(forms: Forms) -> Row:
    """boot.get_state: a pool without an id."""
    pool = forms.pool_row(0, LabPool("boot-pool", [], scan=None))
    return {key: value for key, value in pool.items() if key not in ("id", "guid")} | {"path": "/"}


def statfs(nas: LabNas, path: str) -> Row | None:
    """filesystem.statfs; of a dataset that is not mounted, what its folder lies on instead. None for what is not there."""
    holding = nas.holding(path)
    if holding is None:
        return None
    mounted = holding.mounted and not holding.locked
    source = holding.name if mounted else holding.name.rpartition("/")[0] or "boot-pool/ROOT"
    pool = nas.pool(holding.name.split("/")[0])
    sizes = {"total": pool.size, "free": pool.free, "avail": pool.free}
    row: Row = {
        "flags": ["RW", "XATTR"], "fsid": "0x1f", "fstype": "zfs", "source": source, "dest": f"/mnt/{source}", "blocksize": _BLOCK,
        "files": 900000, "free_files": 890000, "name_max": 255,
    }  # fmt: skip
    for name, size in sizes.items():
        row |= {f"{name}_bytes": size, f"{name}_bytes_str": str(size)}
        row |= {f"{name}_blocks": size // _BLOCK, f"{name}_blocks_str": str(size // _BLOCK)}
    return row


def update(version: str) -> Row:
    """update.status of a box that is up to date."""
    current = {"train": f"TrueNAS-SCALE-{version.rpartition('.')[0]}", "profile": "GENERAL", "matches_profile": True}
    return {
        "code": "NORMAL", "status": {"current_version": current, "new_version": None}, "error": None,
        "update_download_progress": None,
    }  # fmt: skip
