"""A box's state as the answers of one release. Knows no frame, no role and no filter.

Field names and forms are those of the models of 25.04, 25.10 and 26; a moment is `{"$date": milliseconds}` in whole seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lab.world.nas import LabDataset, LabDevice, LabExport, LabNas, LabPool, LabScan

Release = tuple[int, int]
V25_04, V25_10, V26 = (25, 4), (25, 10), (26, 0)
Row = dict[str, Any]


def moment(at: float | None) -> Row | None:
    """A time on the wire."""
    return None if at is None else {"$date": int(at) * 1000}


class Forms:
    """Every list that a box answers, as this release writes it."""

    def __init__(self, nas: LabNas, release: Release, now: Callable[[], float]) -> None:
        self._nas, self._release, self._now = nas, release, now
        self.release = release

    def pools(self) -> list[Row]:
        """pool.query."""
        return [self.pool_row(number, one) for number, one in enumerate(self._nas.pools_now(), 1)]

    def pool_row(self, number: int, pool: LabPool) -> Row:
        """One pool, as pool.query has it."""
        known = pool.imported
        size, free = (pool.size, pool.free) if known else (None, None)
        allocated = pool.size - pool.free if known else None
        row: Row = {
            "id": number, "name": pool.name, "guid": str(9_000_000_000_000_000_000 + number), "path": f"/mnt/{pool.name}",
            "status": pool.status, "scan": _scan(pool.scan) if known else None, "expand": None, "is_upgraded": False,
            "topology": _topology(pool) if known else None, "healthy": pool.healthy, "warning": pool.warning,
            "status_code": pool.code, "status_detail": pool.says, "size": size, "allocated": allocated, "free": free,
            "freeing": 0 if known else None, "fragmentation": "4" if known else None,
            "dedup_table_quota": "auto" if known else None, "dedup_table_size": 0 if known else None,
            "autotrim": {"parsed": "off", "rawvalue": "off", "source": "DEFAULT", "value": "off"},
        }  # fmt: skip
        for key in ("size", "allocated", "free", "freeing"):
            row[f"{key}_str"] = None if row[key] is None else str(row[key])
        if self._release >= V26:
            row["all_sed"] = False
        return row

    def scrubs(self) -> list[Row]:
        """pool.scrub.query: the schedule only."""
        cron = {"minute": "00", "hour": "00", "dom": "*", "month": "*", "dow": "7"}
        return [
            {"id": number, "pool": number, "pool_name": one.name, "threshold": one.scrub_threshold, "description": "",
             "schedule": cron, "enabled": True}
            for number, one in enumerate(self._nas.pools, 1)
        ]  # fmt: skip

    def datasets(self) -> list[Row]:
        """pool.dataset.query: flat, and each with its children all the same."""
        there = self._nas.there()
        return [self._dataset(one, there) for one in there]

    def _dataset(self, one: LabDataset, there: list[LabDataset]) -> Row:
        pool = self._nas.pool(one.name.split("/")[0])
        root = one.name if one.encrypted else None
        row: Row = {
            "id": one.name, "type": "FILESYSTEM", "name": one.name, "pool": pool.name, "encrypted": one.encrypted,
            "encryption_root": root, "key_loaded": one.encrypted and one.key_loaded, "locked": one.locked,
            "children": [self._dataset(each, there) for each in there if each.name.rpartition("/")[0] == one.name],
            "user_properties": {}, "mountpoint": f"/mnt/{one.name}", "used": _size(one.used), "available": _size(pool.free),
            "quota": _property(None, "0", None), "refquota": _property(None, "0", None), "usedbysnapshots": _size(0),
            "usedbydataset": _size(one.used),
            "readonly": _property(one.read_only, "on" if one.read_only else "off", "ON" if one.read_only else "OFF"),
            "key_format": _property("passphrase", "passphrase", "PASSPHRASE") if one.encrypted else _property("none", "none", None),
            "encryption_algorithm": _property("off", "off", None),
        }  # fmt: skip
        if self._release >= V26:
            row["tier"] = None
        return row

    def nfs(self) -> list[Row]:
        """sharing.nfs.query."""
        return [
            {"id": number, "path": one.path, "aliases": [], "comment": "", "networks": [*one.networks], "hosts": [*one.hosts],
             "ro": one.read_only, "maproot_user": None, "maproot_group": None, "mapall_user": None, "mapall_group": None,
             "security": [], "enabled": one.enabled, "locked": self._locked(one), "expose_snapshots": False, **self._place(one)}
            for number, one in enumerate(self._nas.nfs, 1)
        ]  # fmt: skip

    def smb(self) -> list[Row]:
        """sharing.smb.query: flat in 25.04, options by purpose later."""
        return [self._smb(number, one) for number, one in enumerate(self._nas.smb, 1)]

    def _smb(self, number: int, one: LabExport) -> Row:
        row: Row = {
            "id": number, "purpose": "DEFAULT_SHARE", "name": one.name, "path": one.path, "enabled": one.enabled, "comment": "",
            "browsable": True, "locked": self._locked(one), "audit": {"enable": False, "watch_list": [], "ignore_list": []},
        }  # fmt: skip
        if self._release < V25_10:
            off = ("home", "recyclebin", "guestok", "aapl_name_mangling", "abe", "timemachine", "fsrvp", "afp")
            flat = dict.fromkeys(off, False)
            on = dict.fromkeys(("acl", "durablehandle", "streams", "shadowcopy"), True)
            more = {"path_suffix": "", "hostsallow": [], "hostsdeny": [], "timemachine_quota": 0, "vuid": "", "auxsmbconf": ""}
            return {**row, "ro": one.read_only, **flat, **on, **more}
        options = {"aapl_name_mangling": False, "hostsallow": [], "hostsdeny": []}
        newer = {"readonly": one.read_only, "access_based_share_enumeration": False, "options": options}
        return {**row, **newer, **self._place(one)}

    def _locked(self, export: LabExport) -> bool:
        holding = self._nas.holding(export.path)
        return holding is not None and holding.locked

    def _place(self, export: LabExport) -> Row:
        if self._release < V26:
            return {}
        holding = self._nas.holding(export.path)
        name = holding.name if holding is not None else None
        relative = export.path.removeprefix(f"/mnt/{name}").strip("/") if name else None
        return {"dataset": name, "relative_path": relative, "tier": None}

    def services(self) -> list[Row]:
        """service.query."""
        return [
            {"id": number, "service": name, "enable": enabled, "state": "RUNNING" if running else "STOPPED",
             "pids": [1000 + number] if running else []}
            for number, (name, (enabled, running)) in enumerate(sorted(self._nas.services.items()), 1)
        ]  # fmt: skip

    def tasks(self) -> list[Row]:
        """pool.snapshottask.query."""
        return [
            {"id": number, "dataset": one.dataset, "recursive": one.recursive, "lifetime_value": 2, "lifetime_unit": "WEEK",
             "enabled": one.enabled, "exclude": [], "naming_schema": "auto-%Y-%m-%d_%H-%M", "allow_empty": True,
             "schedule": {"minute": "0", "hour": one.hour, "dom": "*", "month": "*", "dow": "*", "begin": "00:00", "end": "23:59"},
             "state": _state(one.state, one.at, one.error), "vmware_sync": False}
            for number, one in enumerate(self._nas.tasks, 1)
        ]  # fmt: skip

    def snapshots(self) -> list[Row]:
        """pool.snapshot.query, zfs.snapshot.query."""
        return [self._snapshot(one, name, at) for one in self._nas.there() for name, at in one.snapshots]

    def _snapshot(self, one: LabDataset, name: str, at: float) -> Row:
        whole = f"{one.name}@{name}"
        made = {"value": "made", "rawvalue": str(int(at)), "source": "NONE", "parsed": moment(at)}
        return {
            "id": whole, "name": whole, "pool": one.name.split("/")[0], "type": "SNAPSHOT", "snapshot_name": name,
            "dataset": one.name, "createtxg": str(int(at)), "properties": {"creation": made},
        }  # fmt: skip

    def resource_snapshots(self, asked: Row) -> list[Row]:
        """zfs.resource.snapshot.query (26): of these datasets, with plain seconds."""
        wanted = asked.get("paths") or []
        made = "creation" in (asked.get("properties") or [])
        return [
            {"createtxg": int(at), "guid": int(at), "name": f"{one.name}@{name}", "pool": one.name.split("/")[0],
             "dataset": one.name, "snapshot_name": name, "type": "SNAPSHOT", "holds": None, "user_properties": None,
             "properties": {"creation": {"raw": str(int(at)), "source": None, "value": int(at)}} if made else None}
            for one in self._nas.there() if one.name in wanted for name, at in one.snapshots
        ]  # fmt: skip

    def replications(self) -> list[Row]:
        """replication.query: what tells of it; the many fields of its transport are not modelled."""
        return [
            {"id": number, "name": one.name, "direction": "PUSH", "transport": "SSH", "source_datasets": [one.source],
             "target_dataset": one.target, "recursive": True, "auto": True, "enabled": one.enabled,
             "state": {**_state(one.state, one.at, one.error), "warnings": []},
             "job": {"id": 700 + number, "state": "RUNNING", "time_started": moment(one.began)} if one.began else None}
            for number, one in enumerate(self._nas.replications, 1)
        ]  # fmt: skip

    def alerts(self) -> list[Row]:
        """alert.list."""
        padding = "x" * self._nas.weather.padding
        found = []
        for number, one in enumerate(self._nas.alerts, 1):
            uuid, said = f"00000000-0000-4000-8000-{number:012}", f"{one.text}{padding}"
            found.append({
                "uuid": uuid, "source": one.klass, "klass": one.klass, "args": {}, "node": "Controller A", "key": "{}",
                "datetime": moment(one.at), "last_occurrence": moment(one.at), "dismissed": one.dismissed, "mail": None,
                "text": said, "id": uuid, "level": one.level, "formatted": said, "one_shot": False,
            })  # fmt: skip
        return found

    def tests(self) -> list[Row]:
        """smart.test.results (25.04)."""
        return [
            {"disk": disk.disk, "current_test": None, "tests": [
                {"num": 1, "description": "Short offline", "status": "FAILED" if disk.disk in self._nas.failed_tests else "SUCCESS",
                 "status_verbose": "Completed: read failure" if disk.disk in self._nas.failed_tests else "Completed without error",
                 "remaining": 0.0, "lifetime": 21044, "lba_of_first_error": None, "segment_number": None},
            ]}
            for pool in self._nas.pools for disk in pool.devices
        ]  # fmt: skip

    def info(self) -> Row:
        """system.info."""
        now = self._now() + self._nas.skew
        up = 267069.1 if self._nas.booted_at is None else self._now() - self._nas.booted_at
        return {
            "version": self._nas.version, "buildtime": moment(now - 9e6), "hostname": self._nas.hostname, "physmem": 64 * 2**30,
            "model": "Lab CPU", "cores": 8, "physical_cores": 4, "loadavg": [0.3, 0.4, 0.4], "uptime": "3 days, 2:11:09",
            "uptime_seconds": up, "system_serial": "X1", "system_product": "X", "system_product_version": "1",
            "license": None, "boottime": moment(now - up), "datetime": moment(now), "timezone": "Etc/UTC",
            "system_manufacturer": "X", "ecc_memory": True,
        }  # fmt: skip

    def listed(self, path: str) -> list[Row] | None:
        """filesystem.listdir: the datasets right below one that is mounted; None for what is not there."""
        if self.stat(path) is None:
            return None
        names = {one.name for one in self._nas.there() if one.mounted and not one.locked}
        return [
            {"name": name.rpartition("/")[2], "path": f"/mnt/{name}", "realpath": f"/mnt/{name}", "type": "DIRECTORY", "size": 3,
             "allocation_size": 512, "mode": 16877, "mount_id": 311, "acl": False, "uid": 0, "gid": 0, "is_mountpoint": True,
             "is_ctldir": False, "attributes": [], "xattrs": [], "zfs_attrs": None}
            for name in sorted(names) if f"/mnt/{name.rpartition('/')[0]}" == path
        ]  # fmt: skip

    def stat(self, path: str) -> Row | None:
        """filesystem.stat; None for what is not there. A folder whose dataset is not mounted is one of the system's own disk."""
        holding = self._nas.holding(path)
        if holding is None:
            return None
        mounted = holding.mounted and not holding.locked and path == f"/mnt/{holding.name}"
        return {
            "realpath": path, "type": "DIRECTORY", "size": 5, "allocation_size": 512, "mode": 16877, "mount_id": 311, "uid": 0,
            "gid": 0, "atime": 1.0, "mtime": 1.0, "ctime": 1.0, "btime": 1.0, "dev": 57, "inode": 34, "nlink": 4, "acl": False,
            "is_mountpoint": mounted, "is_ctldir": False, "attributes": [], "user": "root", "group": "root",
        }  # fmt: skip

    def summary(self, dataset: str) -> list[Row]:
        """The result of pool.dataset.encryption_summary."""
        return [
            {"name": one.name, "key_format": "PASSPHRASE", "key_present_in_database": False, "valid_key": False,
             "locked": one.locked, "unlock_error": "Key not provided" if one.locked else None, "unlock_successful": False}
            for one in self._nas.there() if one.encrypted and f"{one.name}/".startswith(f"{dataset}/")
        ]  # fmt: skip


def _property(parsed: Any, raw: str, value: str | None) -> Row:
    return {"parsed": parsed, "rawvalue": raw, "value": value, "source": "DEFAULT", "source_info": None}


def _size(size: int) -> Row:
    return {"parsed": size, "rawvalue": str(size), "value": f"{size / 2**30:.1f}G", "source": "NONE", "source_info": None}


def _state(word: str, at: float | None, error: str) -> Row:
    told: Row = {"state": word}
    if at is not None:
        told["datetime"] = moment(at)
    return {**told, "error": error} if error else told


def _scan(scan: LabScan | None) -> Row | None:
    if scan is None:
        return None
    whole = 3072 * 2**30
    return {
        "function": scan.function, "state": scan.state, "start_time": moment(scan.started), "end_time": moment(scan.ended),
        "percentage": scan.percentage, "bytes_to_process": whole, "bytes_processed": whole, "bytes_issued": whole,
        "pause": moment(scan.started) if scan.paused else None, "errors": scan.errors,
        "total_secs_left": 3600 if scan.state == "SCANNING" else None,
    }  # fmt: skip


def _topology(pool: LabPool) -> Row:
    worst = next((one.status for one in pool.devices if one.status != "ONLINE"), "")
    mirror = {
        "name": "mirror-0", "type": "MIRROR", "path": None, "guid": "7001", "status": "DEGRADED" if worst else "ONLINE",
        "stats": _stats(None), "children": [_leaf(number, one) for number, one in enumerate(pool.devices)], "unavail_disk": None,
    }  # fmt: skip
    return {"data": [mirror], "log": [], "cache": [], "spare": [], "special": [], "dedup": []}


def _leaf(number: int, device: LabDevice) -> Row:
    gone = device.status in ("UNAVAIL", "REMOVED")
    return {
        "name": f"710{number}" if gone else f"{device.disk}2", "type": "DISK", "path": f"/dev/disk/by-partuuid/lab-{number}",
        "guid": f"710{number}", "status": device.status, "stats": _stats(device), "children": [],
        "device": None if gone else f"{device.disk}2", "disk": None if gone else device.disk,
        "unavail_disk": {"name": device.disk, "serial": device.serial, "model": "LAB HDD"} if gone else None,
    }  # fmt: skip


def _stats(device: LabDevice | None) -> Row:
    read, write, checksum = (device.read, device.write, device.checksum) if device is not None else (0, 0, 0)
    return {
        "timestamp": 1234567890123456, "read_errors": read, "write_errors": write, "checksum_errors": checksum, "ops": [0] * 7,
        "bytes": [0] * 7, "size": 0, "allocated": 0, "fragmentation": 0, "self_healed": 0, "configured_ashift": 12,
        "logical_ashift": 12, "physical_ashift": 12,
    }  # fmt: skip
